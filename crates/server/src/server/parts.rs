//! What a server consists of behind its socket: the state, the work in the background, and the service that every worker runs.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, web};
use keyward_core::catalogue::Catalogue;
use keyward_engine::Journal;
use keyward_store::{RootKey, Store, StoreError, StoreOptions};
use rustls::ClientConfig;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::ServerError;
use crate::access::Access;
use crate::clock;
use crate::config::{ConfigError, Problem, Settings};
use crate::cors::cors;
use crate::envelope::envelope;
use crate::gateway::{UpstreamClient, tls};
use crate::ledger_writer::LedgerWriter;
use crate::mcp::{Door, Mcp};
use crate::no_such_route::{Methods, no_such_route};
use crate::reference::Reference;
use crate::routes::Routes;
use crate::state::State;
use crate::telemetry::{self, Telemetry};
use crate::{
    api, dashboard, expiry, gateway, health, journal, kept, lapses, mcp, reference, retention, usage, webhooks,
};

/// What every worker shares.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) state: web::Data<State>,
    tls: Arc<ClientConfig>,
    methods: web::Data<Methods>,
    reference: web::Data<Reference>,
}

impl Parts {
    /// Opens the database, loads policies and counters, and begins what is done in the background, on the runtime that it is called
    /// on. Also returns what tells a collector, if there is one.
    pub(crate) async fn begin(
        mut settings: Settings,
        root_key: Option<RootKey>,
    ) -> Result<(Self, Option<JoinHandle<()>>), ServerError> {
        let built_in = Catalogue::built_in()?;
        let tls = tls()?;
        let store = Store::open(StoreOptions { url: settings.database_url.clone(), root_key }).await?;
        let store = store.announcing(settings.event_policy());
        let (journal, access) = match prepare(&store, &mut settings).await {
            Ok(prepared) => prepared,
            Err(error) => {
                store.close().await?;
                return Err(error);
            }
        };
        let catalogue = store.prices_in_force().await?.unwrap_or(built_in);
        let (ledger, writing) = LedgerWriter::new(store.probed(settings.probe.clone()), settings.probe.clone());
        let tools =
            Mcp::new(UpstreamClient::new(&tls, settings.block_private_upstreams), settings.block_private_upstreams);
        let state = State::load(settings, store, Arc::new(ledger), journal, catalogue, access, tools).await?;
        let (state, exporting) = telling(state, &tls);
        state.background.spawn_on(writing, &state.runtime);
        state.background.spawn_on(expiry::watch(state.clone().into_inner()), &state.runtime);
        state.background.spawn_on(retention::watch(state.clone().into_inner()), &state.runtime);
        state.background.spawn_on(usage::watch(state.clone().into_inner()), &state.runtime);
        state.background.spawn_on(kept::watch(state.clone().into_inner()), &state.runtime);
        state.background.spawn_on(journal::tend(state.clone().into_inner()), &state.runtime);
        state.background.spawn_on(lapses::watch(state.clone().into_inner()), &state.runtime);
        let client = UpstreamClient::new(&tls, state.settings.block_private_upstreams);
        state.background.spawn_on(webhooks::watch(state.clone().into_inner(), client.clone()), &state.runtime);
        state.background.spawn_on(gateway::batches::watch(state.clone().into_inner(), client), &state.runtime);
        Ok((
            Self {
                state,
                tls,
                methods: web::Data::new(Methods::default()),
                reference: web::Data::new(Reference::new()),
            },
            exporting,
        ))
    }

    /// The service of one worker.
    pub(crate) fn app(
        &self,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + use<>>,
            Error = actix_web::Error,
            InitError = (),
        > + use<>,
    > {
        App::new()
            .app_data(self.state.clone())
            .app_data(self.methods.clone())
            .app_data(UpstreamClient::new(&self.tls, self.state.settings.block_private_upstreams))
            .app_data(web::Data::new(Door::new(self.state.clone())))
            .configure(|config| operations(&mut Routes::Served(config)))
            .app_data(self.reference.clone())
            .configure(reference::routes)
            .configure(dashboard::routes)
            .default_service(web::to(no_such_route))
            .wrap(from_fn(envelope))
            .wrap(from_fn(cors))
    }
}

/// Every operation. Paths are tried in this order: the busiest are first.
fn operations(routes: &mut Routes<'_>) {
    routes.configure(gateway::routes).configure(api::routes).configure(mcp::routes).configure(health::routes);
}

/// Begins to tell a collector, if there is one. It may be anywhere: whoever has a virtual key does not say where.
fn telling(mut state: State, tls: &Arc<ClientConfig>) -> (web::Data<State>, Option<JoinHandle<()>>) {
    let told = state.settings.telemetry.clone().map(|settings| Telemetry::new(settings, clock::now()));
    let (telemetry, waiting) = told.unzip();
    state.telemetry = telemetry.clone();
    let state = web::Data::new(state);
    let exporting = telemetry.zip(waiting).map(|(telemetry, waiting)| {
        let client = UpstreamClient::new(tls, false);
        let exporting = telemetry::export(state.clone().into_inner(), telemetry, waiting, client);
        state.background.spawn_on(exporting, &state.runtime)
    });
    (state, exporting)
}

/// Recovers the books, brings what the configuration file declares into the database, and finds who may manage.
async fn prepare(store: &Store, settings: &mut Settings) -> Result<(Journal, Access), ServerError> {
    for Problem { pointer, message } in &settings.warnings {
        tracing::warn!("the configuration file at {pointer}: {message}");
    }
    let journal = journal::recover(store, settings, settings.probe.clone()).await?;
    // Nobody needs its secrets afterwards.
    let declaration = std::mem::take(&mut settings.declaration);
    let applied = store.declaration_apply(declaration, clock::now(), Uuid::new_v4).await;
    applied.map_err(|error| {
        let StoreError::Declared(faults) = error else { return ServerError::from(error) };
        let problems = faults.iter().map(|invalid| Problem::new(&invalid.pointer, invalid.message.as_str()));
        ConfigError::NotApplicable(problems.collect()).into()
    })?;
    Ok((journal, Access::load(store, settings).await?))
}
