//! The lock that keeps two servers from serving one PostgreSQL database: each would admit up to the whole cap.
//!
//! It is an advisory lock of a session of its own. When that session breaks, the lock is gone. It is taken again before the
//! next write, unless another server had it in between: what this one counts by is then stale, and it writes no more. A server whose
//! session broke unnoticed learns it from its next write: whoever takes the lock takes the next turn, and each write asks whose turn it is.

use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::StoreError;
use crate::postgres::ONE_WRITER;

/// Identifies the lock in the database.
const KEY: i64 = 0x6b65_7977_6172_6400;

/// How long to wait for it: PostgreSQL takes a moment to notice that a process which was killed is gone.
const PATIENCE: &str = "SET lock_timeout = '5s'";

/// Where it is counted who took the lock. A sequence would not do: PostgreSQL skips numbers of it when it recovers.
const TURNS: &str =
    "CREATE TABLE IF NOT EXISTS serving_turn (one BOOLEAN PRIMARY KEY CHECK (one), turn BIGINT NOT NULL)";
const NEXT_TURN: &str = "INSERT INTO serving_turn (one, turn) VALUES (TRUE, 1) \
                         ON CONFLICT (one) DO UPDATE SET turn = serving_turn.turn + 1 RETURNING turn";
const WHOSE_TURN: &str = "SELECT turn FROM serving_turn";

/// Held until it is released, its process dies, or its session breaks.
pub(crate) struct ServingLock {
    config: Config,
    tls: MakeRustlsConnect,
    session: Mutex<Session>,
    /// Which of the servers that ever took the lock this one is.
    turn: i64,
}

struct Session {
    client: Client,
    driving: JoinHandle<()>,
}

impl ServingLock {
    /// Takes the lock.
    pub(crate) async fn acquire(handle: &Handle, config: Config, tls: MakeRustlsConnect) -> Result<Self, StoreError> {
        let mut session = Session::open(handle, &config, &tls).await?;
        let turn = session.next_turn().await.map_err(StoreError::unavailable)?;
        Ok(Self { config, tls, session: Mutex::new(session), turn })
    }

    /// Which of the servers that ever took the lock this one is.
    pub(crate) const fn turn(&self) -> i64 {
        self.turn
    }

    /// Makes sure that the lock is held, and takes it again if its session broke.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another server has the lock or had it since.
    pub(crate) async fn ensure(&self, handle: &Handle) -> Result<(), StoreError> {
        let mut session = self.session.lock().await;
        if session.client.is_closed() {
            let again = Session::open(handle, &self.config, &self.tls).await?;
            if again.whose_turn().await.map_err(StoreError::unavailable)? != self.turn {
                again.unlock().await?;
                return Err(locked(&self.config));
            }
            *session = again;
        }
        Ok(())
    }

    /// Lets another server have the database.
    pub(crate) async fn release(&self) -> Result<(), StoreError> {
        let session = self.session.lock().await;
        if session.client.is_closed() {
            return Ok(());
        }
        session.unlock().await
    }
}

impl Session {
    async fn open(handle: &Handle, config: &Config, tls: &MakeRustlsConnect) -> Result<Self, StoreError> {
        let (client, connection) = config.connect(tls.clone()).await.map_err(StoreError::unavailable)?;
        let driving = handle.spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "the session that holds the database's lock broke");
            }
        });
        let session = Self { client, driving };
        session.client.batch_execute(PATIENCE).await.map_err(StoreError::unavailable)?;
        match session.client.execute("SELECT pg_advisory_lock($1)", &[&KEY]).await {
            Ok(_) => Ok(session),
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Err(locked(config)),
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    async fn unlock(&self) -> Result<(), StoreError> {
        let released = self.client.execute("SELECT pg_advisory_unlock($1)", &[&KEY]).await;
        released.map(drop).map_err(StoreError::unavailable)
    }

    /// Takes the next turn, behind what another server is writing just now: what that one writes later finds that its turn is over.
    async fn next_turn(&mut self) -> Result<i64, tokio_postgres::Error> {
        self.client.batch_execute(TURNS).await?;
        let unit = self.client.transaction().await?;
        unit.batch_execute(ONE_WRITER).await?;
        let turn = unit.query_one(NEXT_TURN, &[]).await?.try_get(0)?;
        unit.commit().await?;
        Ok(turn)
    }

    async fn whose_turn(&self) -> Result<i64, tokio_postgres::Error> {
        self.client.query_one(WHOSE_TURN, &[]).await?.try_get(0)
    }
}

fn locked(config: &Config) -> StoreError {
    StoreError::Locked { database: config.get_dbname().unwrap_or("the database").to_owned() }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driving.abort();
    }
}
