//! The server: built from settings, started, and stopped without losing anything.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use keyward_core::catalogue::{Catalogue, InvalidCatalogue};
use keyward_engine::{Journal, JournalError};
use keyward_store::{RootKey, Store, StoreError, StoreOptions};
use rustls::ClientConfig;
use tokio::task::JoinHandle;
use utoipa_actix_web::AppExt;
use uuid::Uuid;

use crate::access::Access;
use crate::clock;
use crate::config::{ConfigError, Problem, Settings};
use crate::cors::cors;
use crate::envelope::envelope;
use crate::error::ApiError;
use crate::gateway::{UpstreamClient, tls};
use crate::ledger_writer::{LedgerWriter, NotDurable};
use crate::mcp::{Door, Mcp};
use crate::no_such_route::{Methods, no_such_route};
use crate::reference::Reference;
use crate::state::State;
use crate::telemetry::{self, Telemetry};
use crate::{api, expiry, gateway, health, journal, kept, lapses, mcp, reference, retention, usage, webhooks};

/// How long a shutdown tries to write the books at least.
const LAST_WRITE: Duration = Duration::from_secs(5);

/// A server that is running.
pub struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    state: web::Data<State>,
    /// What tells a collector, if there is one.
    exporting: Option<JoinHandle<()>>,
}

/// Why a server did not start, or did not stop as it should.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The configuration does not allow it.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be used.
    #[error("the database cannot be used")]
    Store(#[from] StoreError),
    /// The admin's password cannot be hashed.
    #[error("the admin's password cannot be hashed")]
    Password(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Attempts ended that are not in the database.
    #[error("attempts are missing in the books")]
    Books(#[from] NotDurable),
    /// The price catalogue cannot be used.
    #[error(transparent)]
    Catalogue(#[from] InvalidCatalogue),
    /// TLS for upstreams cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The address cannot be listened on, or serving failed.
    #[error("serving on {0} failed")]
    Serving(SocketAddr, #[source] std::io::Error),
}

impl ServerError {
    pub(crate) fn password(error: ApiError) -> Self {
        Self::Password(error.to_string().into())
    }
}

impl Server {
    /// Opens the database, loads policies and counters, and starts to listen.
    ///
    /// # Errors
    /// Whatever keeps it from serving; nothing is left running then.
    pub async fn start(mut settings: Settings, root_key: Option<RootKey>) -> Result<Self, ServerError> {
        settings.check()?;
        let built_in = Catalogue::built_in()?;
        let tls = tls()?;
        let failed = |address| move |error| ServerError::Serving(address, error);
        let listener = TcpListener::bind(settings.listen).map_err(failed(settings.listen))?;
        let address = listener.local_addr().map_err(failed(settings.listen))?;
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
        let prices = catalogue.version().to_owned();
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
        let (workers, block_private) = (state.settings.workers, state.settings.block_private_upstreams);
        let client = UpstreamClient::new(&tls, block_private);
        state.background.spawn_on(webhooks::watch(state.clone().into_inner(), client.clone()), &state.runtime);
        state.background.spawn_on(gateway::batches::watch(state.clone().into_inner(), client), &state.runtime);
        let shared = state.clone();
        let methods = web::Data::new(Methods::of_routes());
        let reference = web::Data::new(Reference::new());
        let server = HttpServer::new(move || {
            App::new()
                .into_utoipa_app()
                .app_data(shared.clone())
                .app_data(methods.clone())
                .app_data(UpstreamClient::new(&tls, block_private))
                .app_data(web::Data::new(Door::new(shared.clone())))
                .configure(api::routes)
                .configure(gateway::routes)
                .configure(mcp::routes)
                .configure(health::routes)
                .into_app()
                .app_data(reference.clone())
                .configure(reference::routes)
                .default_service(web::to(no_such_route))
                .wrap(from_fn(envelope))
                .wrap(from_fn(cors))
        })
        .workers(workers)
        // A client that closes has left: nothing is tried again for it.
        .h1_allow_half_closed(false)
        .shutdown_timeout(5)
        .disable_signals()
        .client_request_timeout(Duration::from_secs(30))
        .listen(listener)
        .map_err(failed(address))?
        .run();
        let handle = server.handle();
        let serving = state.background.spawn_on(server, &state.runtime);
        tracing::info!(%address, prices = prices.as_str(), "serving");
        Ok(Self { address, handle, serving, state, exporting })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops: admits nothing new, lets running attempts end for a while, writes the books, and closes.
    ///
    /// # Errors
    /// When the books could not be written, the database cannot be closed, or serving had failed before.
    pub async fn stop(self) -> Result<(), ServerError> {
        self.state.drain();
        self.state.tasks.close();
        if tokio::time::timeout(self.state.settings.shutdown_timeout, self.state.tasks.wait()).await.is_err() {
            tracing::warn!("attempts were still running when the time was up; what they held is charged");
        }
        self.state.give_up.cancel();
        self.state.tasks.wait().await;
        self.handle.stop(true).await;
        let served = self.serving.await.unwrap_or_else(|panic| Err(std::io::Error::other(panic)));
        // A request may have slipped in until its connection was closed.
        self.state.tasks.wait().await;
        if let (Some(telemetry), Some(exporting)) = (&self.state.telemetry, self.exporting) {
            telemetry.finish();
            if exporting.await.is_err() {
                tracing::warn!("the export of traces and metrics was interrupted");
            }
        }
        usage::flush(&self.state).await;
        let flushed = self.state.ledger.flush(self.state.settings.shutdown_timeout.max(LAST_WRITE)).await;
        let journaled = self.state.close_journal().await;
        let closed = self.state.store.close().await;
        flushed?;
        journaled?;
        closed?;
        tracing::info!("stopped");
        served.map_err(|error| ServerError::Serving(self.address, error))
    }
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
