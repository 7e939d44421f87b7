//! SQLite: its file, its connections, its transactions, and the query modules compiled for it.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Pool, RecycleError, RecycleResult};
use diesel::connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager as _};
use diesel::sqlite::Sqlite;
use diesel::{Connection as _, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::error::StoreError;
use crate::lock::{FileLock, open_private};
use crate::store::{CREATE_TIMEOUT, WAIT_TIMEOUT};

#[allow(clippy::duplicate_mod, reason = "the queries are compiled once per backend")]
#[path = "queries/aggregates.rs"]
pub(crate) mod queries;

pub(crate) type Backend = Sqlite;
pub(crate) type Conn = SqliteConnection;
pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// A text as a search compares it. Here `LIKE` takes both cases of an ASCII letter for the same, and looks faster without more.
pub(crate) const fn folded<T>(text: T) -> T {
    text
}

/// One statement that is prepared once and carried out for each row is cheaper than a long one that is parsed every time.
pub(crate) const IS_WRITTEN_ROW_BY_ROW: bool = true;

const READERS: usize = 4;
/// With `FULL` a transaction that has ended is on the disk: what the ledger confirms survives a power cut, and nobody else needs to
/// keep it any longer.
///
/// The log is brought into the file when it has 32 MiB: a page that many batches change is then written there once.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                       PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 8000;";

/// Whoever writes keeps 8 MiB of pages: those that every batch of the ledger changes are then at hand.
const WRITER: &str = "PRAGMA cache_size = -8192";
const READER: &str = "PRAGMA query_only = ON";

/// The connections of one file: one writes, several read.
#[derive(Clone)]
pub(crate) struct Pools {
    pub(crate) path: PathBuf,
    pub(crate) write: Pool<Manager>,
    pub(crate) read: Pool<Manager>,
    lock: Arc<FileLock>,
}

impl Pools {
    /// Lets the write that is running end, takes no new work, and lets others have the file.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        let writer = self.write.get().await;
        self.write.close();
        self.read.close();
        drop(writer);
        self.lock.release().map_err(|source| StoreError::File { path: self.path.clone(), source })
    }
}

/// Makes connections, and holds the lock of the file for as long as its pool lives.
pub(crate) struct Manager {
    path: PathBuf,
    is_reader: bool,
    _lock: Arc<FileLock>,
}

/// Locks the file, makes it if it is missing, and opens its pools.
pub(crate) fn pools(path: PathBuf) -> Result<Pools, StoreError> {
    let failed = |source| StoreError::File { path: path.clone(), source };
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(failed)?;
    }
    let lock = Arc::new(FileLock::acquire(&path)?);
    open_private(OpenOptions::new().read(true).write(true).create(true), &path).map_err(failed)?;
    let pool = |is_reader: bool, size: usize| {
        Pool::builder(Manager { path: path.clone(), is_reader, _lock: lock.clone() })
            .runtime(Runtime::Tokio1)
            .max_size(size)
            .wait_timeout(Some(WAIT_TIMEOUT))
            .create_timeout(Some(CREATE_TIMEOUT))
            .build()
            .map_err(StoreError::internal)
    };
    Ok(Pools { write: pool(false, 1)?, read: pool(true, READERS)?, path: path.clone(), lock })
}

impl managed::Manager for Manager {
    type Type = Conn;
    type Error = StoreError;

    async fn create(&self) -> Result<Conn, StoreError> {
        let (path, is_reader) = (self.path.clone(), self.is_reader);
        let connecting = tokio::task::spawn_blocking(move || connect(&path, is_reader));
        connecting.await.map_err(StoreError::internal)?
    }

    /// A panic leaves its transaction open; closing the connection rolls it back.
    async fn recycle(&self, connection: &mut Conn, _: &Metrics) -> RecycleResult<StoreError> {
        if AnsiTransactionManager::is_broken_transaction_manager(connection) {
            return Err(RecycleError::message("the connection is in a transaction"));
        }
        Ok(())
    }
}

fn connect(path: &Path, is_reader: bool) -> Result<Conn, StoreError> {
    let mut connection = Conn::establish(&path.to_string_lossy()).map_err(StoreError::unavailable)?;
    connection.batch_execute(PRAGMAS)?;
    connection.batch_execute(if is_reader { READER } else { WRITER })?;
    Ok(connection)
}

/// Runs a unit of work that writes.
pub(crate) fn write<T>(
    connection: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.immediate_transaction(work)
}

/// Runs a unit of work that reads: everything in it sees the same state.
pub(crate) fn read<T>(
    connection: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.transaction(work)
}

/// Migrates and checks the schema.
pub(crate) fn migrate(connection: &mut Conn) -> Result<(), StoreError> {
    queries::migration::run(connection)
}
