//! The store: opens a database, and runs units of work on it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{Manager, Object, Pool, PoolError};
use keyward_core::allow_list::AllowList;
use keyward_core::authority::Reach;
use keyward_core::change::{Change, Idempotency};
use keyward_core::crash_point::Probe;
use keyward_core::event::EventPolicy;
use keyward_core::ids::ProviderKeyId;
use keyward_core::ids::ProviderName;
use keyward_core::meter::{Count, MeterId};
use keyward_core::model_config::ModelConfig;
use keyward_core::money::NanoUsd;
use keyward_core::owner::{Customer, Team};
use keyward_core::pricing_override::PricingOverride;
use keyward_core::provider::{Aliases, KeyOptions, Setting};
use keyward_core::secret::SecretSource;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::error::StoreError;
use crate::recorder::{AuditChain, Recorder};
use crate::root_key::{KeyHasher, RootKey};
use crate::seal::Sealer;
use crate::{postgres, sqlite};

/// Expands a unit of work once per backend, with `$queries` bound to the query modules of that backend.
macro_rules! unit_of_work {
    ($store:expr, $sqlite_pool:ident, $transaction:ident, |$queries:ident, $connection:ident| $work:expr) => {{
        let store = $store;
        match &store.inner.database {
            Database::Postgres(server) => {
                use crate::postgres::queries as $queries;
                store.run(&server.pool, move |c| crate::postgres::$transaction(c, |$connection| $work)).await
            }
            Database::Sqlite(pools) => {
                use crate::sqlite::queries as $queries;
                store.run(&pools.$sqlite_pool, move |c| crate::sqlite::$transaction(c, |$connection| $work)).await
            }
        }
    }};
}

/// Runs a unit of work that reads.
macro_rules! reading {
    ($store:expr, |$queries:ident, $connection:ident| $work:expr) => {
        unit_of_work!($store, read, read, |$queries, $connection| $work)
    };
}

/// Runs a unit of work that writes, if the database is still ours.
macro_rules! writing {
    ($store:expr, |$queries:ident, $connection:ident| $work:expr) => {{
        $store.ensure_ours().await?;
        unit_of_work!($store, write, write, |$queries, $connection| $work)
    }};
}

/// Runs a unit of work that changes what is configured, if its author may still do that.
macro_rules! changing {
    ($store:expr, $by:ident, |$queries:ident, $connection:ident| $work:expr) => {
        writing!($store, |$queries, $connection| {
            $queries::grounds::check($connection, &$by)?;
            $work
        })
    };
}

mod audit;
mod books;
mod declaration;
mod events;
mod management_keys;
mod mcp_clients;
mod model_configs;
mod open;
mod owners;
mod price_catalogues;
mod pricing_overrides;
mod provider_objects;
mod providers;
mod routing_rules;
mod server_config;
mod sessions;
mod usage;
mod virtual_keys;

pub use books::LimitHolder;
pub use events::{Attempted, PendingDelivery};
pub(crate) use keyward_core::ledger::LedgerPlace;
pub use mcp_clients::McpServer;
pub use price_catalogues::{NewCatalogue, StoredCatalogue};
pub use server_config::{ConfigRecord, StoredAuth, StoredPassword};
pub use sessions::{CredentialStamp, OpenSession, SessionTerms};

/// How long a unit of work waits for a connection.
pub(crate) const WAIT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long running work may take to end when the store is closed.
const CLOSING: Duration = Duration::from_secs(10);
/// How long making a connection may take.
pub(crate) const CREATE_TIMEOUT: Duration = Duration::from_secs(15);

/// The database. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    /// What its reads show.
    reach: Reach,
    /// What others are told when usage grows.
    policy: Arc<EventPolicy>,
    /// Is told where a unit of work has got to, for tests of crashes.
    probe: Probe,
}

struct Inner {
    handle: Handle,
    /// Units of work that are running.
    running: TaskTracker,
    database: Database,
    hasher: KeyHasher,
    tokens: KeyHasher,
    /// Hashes what was asked for under an idempotency key.
    fingerprints: KeyHasher,
    definitions: KeyHasher,
    sealer: Arc<Sealer>,
    chain: AuditChain,
    /// How often events were written.
    events_written: watch::Sender<u64>,
    /// Tells this database from every other.
    mark: [u8; 16],
}

/// The backend and its pools.
#[derive(Clone)]
enum Database {
    Postgres(Arc<postgres::Server>),
    Sqlite(sqlite::Pools),
}

/// Where the database is, and what its secrets are sealed with.
#[derive(Debug)]
pub struct StoreOptions {
    /// `sqlite://PATH` or `postgres://…`.
    pub url: String,
    /// The root key. SQLite can do without one: it is then generated and kept beside the file.
    pub root_key: Option<RootKey>,
}

/// Whether a virtual key's value is its secret or the redacted form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reveal {
    /// The secret.
    Full,
    /// The redacted form; the secret is not even read.
    Redacted,
}

/// The extra headers of every provider: their values, or the variables that have them.
pub type UpstreamHeaders = HashMap<ProviderName, BTreeMap<String, SecretSource>>;

/// A provider key as the gateway uses it.
#[derive(Debug, Clone, PartialEq)]
pub struct UpstreamKey {
    /// Identifies the key.
    pub id: ProviderKeyId,
    /// Its name for people.
    pub name: String,
    /// The provider.
    pub provider: ProviderName,
    /// The secret itself, or the variable that has it; none when the key has only settings.
    pub secret: Option<SecretSource>,
    /// The models that the key may serve.
    pub models: AllowList,
    /// The models that the key may not serve.
    pub blacklisted_models: AllowList,
    /// The provider's model ids by the name that requests use.
    pub aliases: Aliases,
    /// The settings: each text itself, or the variable that has it.
    pub settings: BTreeMap<Setting, SecretSource>,
    /// Settings that are no texts.
    pub options: KeyOptions,
    /// The key's share among the provider's keys.
    pub weight: f64,
    /// False: the key serves nothing.
    pub enabled: bool,
}

/// What admission decides by beside virtual keys, as of one instant. Usage is in `counts` only.
#[derive(Debug, Clone, PartialEq)]
pub struct Policies {
    /// Every customer.
    pub customers: Vec<Customer>,
    /// Every team.
    pub teams: Vec<Team>,
    /// Every model config.
    pub model_configs: Vec<ModelConfig>,
    /// Every pricing override, oldest first.
    pub pricing_overrides: Vec<PricingOverride>,
    /// Every counter; a meter that is not here is unused.
    pub counts: Vec<(MeterId, Count)>,
    /// How many virtual keys there are.
    pub virtual_keys: usize,
    /// How many budgets and rate limits there are.
    pub limits: usize,
}

/// What the ledger says in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerTotals {
    /// How many attempts.
    pub entries: i64,
    /// What they cost.
    pub cost: NanoUsd,
    /// How many tokens of all classes they used.
    pub tokens: i64,
    /// Of the cost, what no provider has reported: attempts without a reported usage are charged what they held.
    pub unreported: NanoUsd,
}

/// What is known of a batch before it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Familiarity {
    /// Its entries are all new.
    AllNew,
    /// Some may be there already.
    Unknown,
}

/// What a batch has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    /// How many entries were new.
    pub(crate) entries: usize,
    /// How many events they brought about.
    pub(crate) events: usize,
}

/// What came of looking for old entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// How many entries were deleted.
    pub deleted: usize,
    /// Where to go on; none: there are no more.
    pub next: Option<LedgerPlace>,
}

impl Store {
    /// Finds virtual keys by their secret.
    #[must_use]
    pub fn key_hasher(&self) -> KeyHasher {
        self.inner.hasher.clone()
    }

    /// Hashes what managers present: tokens of sessions, and management keys.
    #[must_use]
    pub fn token_hasher(&self) -> KeyHasher {
        self.inner.tokens.clone()
    }

    /// The same database, which tells `probe` where its units of work have got to.
    #[must_use]
    pub fn probed(&self, probe: Probe) -> Self {
        Self { probe, ..self.clone() }
    }

    /// The same database as somebody of this reach sees it: what is out of reach is not there. Writes go by the reach of the
    /// change's author.
    #[must_use]
    pub fn within(&self, reach: &Reach) -> Self {
        Self { reach: reach.clone(), ..self.clone() }
    }

    /// Checks that the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.ensure_ours().await?;
        reading!(self, |queries, c| queries::root_key_check::exists(c).map(drop))
    }

    /// Closes the database: the write that is running ends, later work is refused, and another process may have it.
    ///
    /// # Errors
    /// [`StoreError::File`] or [`StoreError::Unavailable`] when the database's lock cannot be released.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.inner.running.close();
        if tokio::time::timeout(CLOSING, self.inner.running.wait()).await.is_err() {
            tracing::warn!("work on the database was still running when it was closed");
        }
        self.inner.database.close().await
    }

    /// Makes sure that no other server has taken the database since it was opened.
    async fn ensure_ours(&self) -> Result<(), StoreError> {
        match &self.inner.database {
            Database::Postgres(server) => server.lock.ensure(&self.inner.handle).await,
            Database::Sqlite(_) => Ok(()),
        }
    }

    fn sealer(&self) -> Arc<Sealer> {
        self.inner.sealer.clone()
    }

    /// What a unit of work needs to record a change.
    fn recorder(&self, change: Change) -> Recorder {
        let keyed = |once: Idempotency| {
            let fingerprint = self.inner.fingerprints.hash(once.fingerprint).0;
            Idempotency { fingerprint, ..once }
        };
        let change = Change { idempotency: change.idempotency.map(keyed), ..change };
        Recorder::new(change, self.inner.chain.clone())
    }

    async fn run<M, T>(
        &self,
        pool: &Pool<M>,
        work: impl FnOnce(&mut M::Type) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError>
    where
        M: Manager<Error = StoreError> + 'static,
        M::Type: Send,
        T: Send + 'static,
    {
        let handle = &self.inner.handle;
        let work = self.inner.running.track_future(in_the_background(pool.clone(), work));
        open::on(handle, work).await
    }
}

/// Runs a unit of work. In a task of its own, whoever waits for it may go away: the work is done or rolled back all the same.
/// A panic closes the connection, which rolls back.
async fn in_the_background<M, T>(
    pool: Pool<M>,
    work: impl FnOnce(&mut M::Type) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError>
where
    M: Manager<Error = StoreError> + 'static,
    M::Type: Send,
    T: Send + 'static,
{
    let mut connection: Object<M> = pool.get().await.map_err(pool_error)?;
    let working = tokio::task::spawn_blocking(move || work(&mut connection));
    working.await.map_err(StoreError::internal)?
}

fn pool_error(error: PoolError<StoreError>) -> StoreError {
    match error {
        PoolError::Backend(error) => error,
        PoolError::Timeout(_) | PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            StoreError::unavailable(error)
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backend = match &self.inner.database {
            Database::Postgres(_) => "PostgreSQL",
            Database::Sqlite(_) => "SQLite",
        };
        write!(f, "Store({backend})")
    }
}
