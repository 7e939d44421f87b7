//! What every request works with: one state per server, handed to handlers, no globals.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use keyward_core::catalogue::Catalogue;
use keyward_core::error_code::ErrorCode;
use keyward_core::limits::Edit;
use keyward_core::meter::{Count, MeterId};
use keyward_core::pricing_override::PricingTable;
use keyward_engine::{Engine, Journal};
use keyward_store::{KeyHasher, Reveal, Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::access::Access;
use crate::config::{RevealVirtualKeys, Settings};
use crate::error::ApiError;
use crate::gateway::routing::RoutingRules;
use crate::gateway::{Objects, Tokenizers};
use crate::journal::Tending;
use crate::kept::Freshness;
use crate::ledger_writer::LedgerWriter;
use crate::mcp::Mcp;
use crate::metrics::Metrics;
use crate::telemetry::Telemetry;
use crate::upstreams::Upstreams;
use crate::usage::{Refusals, Refused};
use crate::{body, clock};

/// How long an edit waits for the books.
const SETTLING: Duration = Duration::from_secs(5);

/// What every request works with.
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) hasher: KeyHasher,
    pub(crate) engine: Engine,
    pub(crate) ledger: Arc<LedgerWriter>,
    pub(crate) upstreams: Upstreams,
    pub(crate) routing_rules: RoutingRules,
    /// The registered MCP servers, and sessions with them.
    pub(crate) mcp: Mcp,
    /// What providers keep beyond one request.
    pub(crate) objects: Objects,
    pub(crate) catalogue: Catalogue,
    /// The pricing overrides, compiled; replaced whole on every edit.
    pub(crate) pricing: ArcSwap<PricingTable>,
    pub(crate) tokenizers: Tokenizers,
    pub(crate) freshness: Freshness,
    pub(crate) tending: Tending,
    pub(crate) metrics: Metrics,
    /// Refusals that are not in the books yet.
    pub(crate) refusals: Refusals,
    /// None: nothing is told to a collector.
    pub(crate) telemetry: Option<Arc<Telemetry>>,
    pub(crate) access: Access,
    /// Attempts and edits that outlive the request that began them.
    pub(crate) tasks: TaskTracker,
    /// Ends attempts that a shutdown has no more time for.
    pub(crate) give_up: CancellationToken,
    /// What runs as long as the server does.
    pub(crate) background: TaskTracker,
    pub(crate) runtime: Handle,
    /// The memory that large bodies may take, in MiB.
    pub(crate) large_bodies: Arc<Semaphore>,
    draining: AtomicBool,
    edits: Mutex<()>,
}

impl State {
    /// Loads policies, counters and upstreams from the store.
    pub(crate) async fn load(
        settings: Settings,
        store: Store,
        ledger: Arc<LedgerWriter>,
        journal: Journal,
        catalogue: Catalogue,
        access: Access,
        mcp: Mcp,
    ) -> Result<Self, StoreError> {
        let policies = store.policies_load().await?;
        let now = clock::now();
        let engine = Engine::new(ledger.clone(), journal, settings.default_enforcement, settings.probe.clone());
        engine.reserve(policies.virtual_keys, policies.limits);
        engine.restore(policies.counts);
        policies.customers.iter().for_each(|customer| engine.put_customer(customer, now));
        policies.teams.iter().for_each(|team| engine.put_team(team, now));
        let keys = engine.clone();
        store.virtual_keys_each(move |hashes, key| keys.put_virtual_key(hashes, &key, now)).await?;
        policies.model_configs.iter().for_each(|config| engine.put_model_config(config, now));
        let pricing = PricingTable::new(&policies.pricing_overrides)?;
        let upstreams =
            Upstreams::new(settings.token_sources.endpoints(settings.block_private_upstreams), settings.key_health);
        upstreams.reload(&store).await?;
        let routing_rules = RoutingRules::default();
        routing_rules.reload(&store).await?;
        mcp.reload(&store).await?;
        let metrics = Metrics::new(&upstreams.key_changes());
        Ok(Self {
            hasher: store.key_hasher(),
            settings,
            store,
            engine,
            ledger,
            upstreams,
            routing_rules,
            mcp,
            objects: Objects::default(),
            catalogue,
            pricing: ArcSwap::from_pointee(pricing),
            tokenizers: Tokenizers::default(),
            freshness: Freshness::default(),
            tending: Tending::default(),
            metrics,
            refusals: Refusals::default(),
            telemetry: None,
            access,
            tasks: TaskTracker::new(),
            give_up: CancellationToken::new(),
            background: TaskTracker::new(),
            runtime: Handle::current(),
            large_bodies: Arc::new(Semaphore::new(usize::try_from(body::MIB_AT_ONCE).unwrap_or(usize::MAX))),
            draining: AtomicBool::new(false),
            edits: Mutex::new(()),
        })
    }

    /// What a meter reads: the figure that is enforced, which may be a moment ahead of the database.
    pub(crate) fn read(&self) -> impl Fn(&MeterId) -> Option<Count> + '_ {
        |id| self.engine.count(id)
    }

    /// Whether answers about virtual keys carry their secrets.
    pub(crate) const fn reveal(&self) -> Reveal {
        match self.settings.reveal_virtual_keys {
            RevealVirtualKeys::Always => Reveal::Full,
            RevealVirtualKeys::OnCreate => Reveal::Redacted,
        }
    }

    /// How long the value of a virtual key works on after its rotation.
    pub(crate) fn rotation_cooldown(&self) -> Duration {
        Duration::try_from(self.access.in_force().record.rotation_cooldown.duration()).unwrap_or_default()
    }

    /// A request of the gateway got an error of Keyward's own.
    pub(crate) fn refused(&self, error: &ApiError, about: Refused<'_>) {
        self.metrics.refused(error);
        self.refusals.count(error.code(), about, clock::now());
    }

    /// Returns when everything that was settled is in the database.
    pub(crate) async fn settled(&self) -> Result<(), ApiError> {
        let unavailable =
            |error| ApiError::new(ErrorCode::GovernanceUnavailable, "The ledger cannot be written").because(error);
        self.ledger.flush(SETTLING).await.map_err(unavailable)
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// From now on the gateway admits nothing new.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }
}

/// Carries out an edit of policies: in the database and then in the engine, as one step that no other edit comes between and that
/// a client which goes away cannot interrupt.
pub(crate) async fn edit<T, F, Fut>(state: &Arc<State>, change: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce(Arc<State>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, ApiError>> + Send + 'static,
{
    let owned = state.clone();
    let task = async move {
        let _turn = owned.edits.lock().await;
        // Looked up in turn: whoever waited while a shutdown began is refused, so that a shutdown waits for one edit at most.
        if owned.is_draining() {
            return Err(ApiError::new(ErrorCode::ShuttingDown, "The server is about to stop"));
        }
        change(owned.clone()).await
    };
    let done = state.tasks.spawn_on(task, &state.runtime).await;
    done.unwrap_or_else(|panic| Err(ApiError::new(ErrorCode::Internal, "The edit was interrupted").because(panic)))
}

/// Runs `build` with the current instant and fresh ids. They grow with time, so that what is made together is together in the
/// database's indexes.
pub(crate) fn editing<T>(now: Timestamp, build: impl FnOnce(&mut Edit<'_>) -> T) -> T {
    build(&mut Edit { now, mint: &mut Uuid::now_v7 })
}
