//! Opening a store: connect, migrate, check the schema, check the root key.

use std::sync::Arc;

use keyward_core::authority::Reach;
use keyward_core::crash_point::Probe;
use keyward_core::event::EventPolicy;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::{Database, Inner, Store, StoreOptions, in_the_background};
use crate::address::Address;
use crate::error::StoreError;
use crate::recorder::AuditChain;
use crate::root_key::{KeyHasher, RootKey};
use crate::seal::Sealer;
use crate::{key_file, postgres, sqlite};

impl Store {
    /// Opens the database, and makes or migrates it where that is due.
    ///
    /// Units of work run on the current runtime, which must be a multi-thread one.
    ///
    /// # Errors
    /// [`StoreError::Address`] for a URL of neither backend, [`StoreError::Locked`] for a database that another process
    /// serves, [`StoreError::SchemaNewer`] and [`StoreError::SchemaDamaged`] for a database that this version cannot
    /// work with, [`StoreError::WrongRootKey`], [`StoreError::RootKeyMissing`] and [`StoreError::RootKeyLost`], and [`StoreError::Unavailable`].
    pub async fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let StoreOptions { url, root_key } = options;
        let handle = Handle::current();
        let address = Address::parse(&url)?;
        if matches!((&address, &root_key), (Address::Postgres(..), None)) {
            // Before anything is touched.
            return Err(StoreError::RootKeyMissing);
        }
        let database = Database::connect(&handle, address).await?;
        let opened = Self::prepare(handle, database.clone(), root_key).await;
        if opened.is_err() {
            // The error at hand says more than one of closing would.
            let _ = database.close().await;
        }
        opened
    }

    /// Opens a database that is there already: nothing is made where there is none.
    ///
    /// # Errors
    /// Those of [`Store::open`], and [`StoreError::NoDatabase`].
    pub async fn open_existing(options: StoreOptions) -> Result<Self, StoreError> {
        if let Address::Sqlite(path) = Address::parse(&options.url)?
            && !path.is_file()
        {
            return Err(StoreError::NoDatabase { path });
        }
        Self::open(options).await
    }

    /// Brings a connected database to this version's schema, and checks that the root key is its own.
    async fn prepare(handle: Handle, database: Database, root_key: Option<RootKey>) -> Result<Self, StoreError> {
        database.migrate(&handle).await?;
        let root = database.root_key(&handle, root_key).await?;
        let sealer = Arc::new(Sealer::new(&root)?);
        let mark = database.mark(&handle, sealer.clone()).await?;
        let inner = Inner {
            hasher: KeyHasher::new(&root, "virtual-key-lookup")?,
            tokens: KeyHasher::new(&root, "management-token-lookup")?,
            fingerprints: KeyHasher::new(&root, "idempotency-fingerprint")?,
            definitions: KeyHasher::new(&root, "config-definition")?,
            sealer,
            chain: AuditChain::new(&root)?,
            mark,
            events_written: watch::Sender::new(0),
            running: TaskTracker::new(),
            handle,
            database,
        };
        let (policy, probe) = (Arc::new(EventPolicy::silent()), Probe::default());
        let store = Self { inner: Arc::new(inner), reach: Reach::Everything, policy, probe };
        writing!(&store, |queries, c| queries::meter::purge(c))?;
        Ok(store)
    }
}

impl Database {
    /// Files and certificates are read where that may take a while: not on a thread that serves requests.
    async fn connect(handle: &Handle, address: Address) -> Result<Self, StoreError> {
        match address {
            Address::Sqlite(path) => {
                let opening = handle.spawn_blocking(move || sqlite::pools(path));
                opening.await.map_err(StoreError::internal)?.map(Self::Sqlite)
            }
            Address::Postgres(config, trust) => {
                let server = postgres::server(handle, *config, trust).await?;
                Ok(Self::Postgres(Arc::new(server)))
            }
        }
    }

    /// Takes no new work, and lets others have the database.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(server) => server.close().await,
            Self::Sqlite(pools) => pools.close().await,
        }
    }

    async fn migrate(&self, handle: &Handle) -> Result<(), StoreError> {
        match self {
            Self::Postgres(server) => on(handle, in_the_background(server.pool.clone(), postgres::migrate)).await,
            Self::Sqlite(pools) => on(handle, in_the_background(pools.write.clone(), sqlite::migrate)).await,
        }
    }

    /// Makes sure that the root key is the database's own. Returns the database's mark.
    async fn mark(&self, handle: &Handle, sealer: Arc<Sealer>) -> Result<[u8; 16], StoreError> {
        match self {
            Self::Postgres(server) => {
                let check = move |c: &mut postgres::Conn| {
                    postgres::write(c, |c| postgres::queries::root_key_check::verify(c, &sealer))
                };
                on(handle, in_the_background(server.pool.clone(), check)).await
            }
            Self::Sqlite(pools) => {
                let check = move |c: &mut sqlite::Conn| {
                    sqlite::write(c, |c| sqlite::queries::root_key_check::verify(c, &sealer))
                };
                on(handle, in_the_background(pools.write.clone(), check)).await
            }
        }
    }

    /// The given root key, else the one beside a SQLite file. One is generated only for a database without secrets.
    async fn root_key(&self, handle: &Handle, given: Option<RootKey>) -> Result<RootKey, StoreError> {
        match (given, self) {
            (Some(key), _) => Ok(key),
            (None, Self::Postgres(_)) => Err(StoreError::RootKeyMissing),
            (None, Self::Sqlite(pools)) => {
                let path = pools.path.clone();
                let find = move |c: &mut sqlite::Conn| match key_file::read(&path)? {
                    Some(key) => Ok(key),
                    None if sqlite::queries::root_key_check::exists(c)? => {
                        Err(StoreError::RootKeyLost { database: path.display().to_string() })
                    }
                    None => key_file::generate(&path),
                };
                on(handle, in_the_background(pools.write.clone(), find)).await
            }
        }
    }
}

/// Runs on the store's own runtime, which then drives the connections that are made.
pub(super) async fn on<T: Send + 'static>(
    handle: &Handle,
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    handle.spawn(work).await.map_err(StoreError::internal)?
}
