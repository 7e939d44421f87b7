//! PostgreSQL: its connections, its transactions, and the query modules compiled for it.

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Pool, RecycleError, RecycleResult};
use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::sql_types::{Nullable, Text};
use diesel::{Connection as _, RunQueryDsl as _};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::pooled_connection::PoolableConnection as _;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use tokio::runtime::Handle;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::StoreError;
use crate::serving_lock::ServingLock;
use crate::store::{CREATE_TIMEOUT, WAIT_TIMEOUT};
use crate::tls::{Trust, connector};

#[allow(clippy::duplicate_mod, reason = "the queries are compiled once per backend")]
#[path = "queries/aggregates.rs"]
pub(crate) mod queries;

pub(crate) type Backend = Pg;
pub(crate) type Conn = AsyncConnectionWrapper<AsyncPgConnection>;
pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// A text as a search compares it.
pub(crate) use crate::schema::lower as folded;

/// A statement is a journey to the database and back: as many rows as fit go with one.
pub(crate) const IS_WRITTEN_ROW_BY_ROW: bool = false;

const POOL_SIZE: usize = 10;

/// Makes connections and throws dead ones away.
pub(crate) struct Manager {
    config: Config,
    tls: MakeRustlsConnect,
    /// Which of the servers that ever took the database this one is: each connection knows it.
    turn: i64,
}

/// The connections to one database, and the lock that makes it ours.
pub(crate) struct Server {
    pub(crate) pool: Pool<Manager>,
    pub(crate) lock: ServingLock,
}

/// Takes the database's lock and opens its pool.
pub(crate) async fn server(handle: &Handle, config: Config, trust: Trust) -> Result<Server, StoreError> {
    let tls = handle.spawn_blocking(move || connector(trust)).await.map_err(StoreError::internal)??;
    let lock = ServingLock::acquire(handle, config.clone(), tls.clone()).await?;
    let manager = Manager { config, tls, turn: lock.turn() };
    Ok(Server { pool: pool(manager)?, lock })
}

impl Server {
    /// Takes no new work, and lets another server have the database.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        self.pool.close();
        self.lock.release().await
    }
}

fn pool(manager: Manager) -> Result<Pool<Manager>, StoreError> {
    Pool::builder(manager)
        .runtime(Runtime::Tokio1)
        .max_size(POOL_SIZE)
        .wait_timeout(Some(WAIT_TIMEOUT))
        .create_timeout(Some(CREATE_TIMEOUT))
        .recycle_timeout(Some(CREATE_TIMEOUT))
        .build()
        .map_err(StoreError::internal)
}

impl managed::Manager for Manager {
    type Type = Conn;
    type Error = StoreError;

    /// Runs on the store's runtime, which then drives the connection.
    async fn create(&self) -> Result<Conn, StoreError> {
        let connecting = self.config.connect(self.tls.clone());
        let (client, connection) = connecting.await.map_err(StoreError::unavailable)?;
        let connection = AsyncPgConnection::try_from_client_and_connection(client, connection);
        let mut connection = connection.await.map_err(StoreError::unavailable)?;
        let turn = format!("SET {TURN} = '{}'", self.turn);
        diesel_async::SimpleAsyncConnection::batch_execute(&mut connection, &turn)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(connection.into())
    }

    async fn recycle(&self, connection: &mut Conn, _: &Metrics) -> RecycleResult<StoreError> {
        if connection.is_broken() {
            return Err(RecycleError::message("the connection is closed or in a transaction"));
        }
        Ok(())
    }
}

/// Taken by each unit of work that writes, until it ends. An edit and a batch of the ledger lock meters in orders of their own:
/// side by side they could wait for each other. SQLite has one writer in any case.
pub(crate) const ONE_WRITER: &str = "SELECT pg_advisory_xact_lock(7738725088349021185)";

/// The setting of a connection that has this server's turn.
const TURN: &str = "keyward.turn";
/// The database, if it is another server's turn; else null.
const TAKEN: &str = "(SELECT CASE WHEN turn = current_setting('keyward.turn')::bigint THEN NULL \
                     ELSE current_database()::text END FROM serving_turn)";

/// Runs a unit of work that writes.
///
/// # Errors
/// [`StoreError::Locked`] when another server has taken the database.
pub(crate) fn write<T>(
    connection: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.transaction(|connection| {
        connection.batch_execute(ONE_WRITER)?;
        match diesel::select(sql::<Nullable<Text>>(TAKEN)).get_result(connection)? {
            Some(database) => Err(StoreError::Locked { database }),
            None => work(connection),
        }
    })
}

/// Runs a unit of work that reads: everything in it sees the same state.
pub(crate) fn read<T>(
    connection: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.transaction(|connection| {
        connection.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")?;
        work(connection)
    })
}

/// Migrates and checks the schema. The database's lock keeps others from doing the same.
pub(crate) fn migrate(connection: &mut Conn) -> Result<(), StoreError> {
    queries::migration::run(connection)
}
