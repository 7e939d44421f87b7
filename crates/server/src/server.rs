//! The server: built from settings, started, and stopped without losing anything.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{HttpServer, web};
use keyward_core::catalogue::InvalidCatalogue;
use keyward_engine::JournalError;
use keyward_store::{RootKey, StoreError};
use tokio::task::JoinHandle;

use crate::config::{ConfigError, Settings};
use crate::error::ApiError;
use crate::ledger_writer::NotDurable;
use crate::state::State;
use crate::usage;

mod parts;

pub(crate) use parts::Parts;

/// How long a connection may be idle: longer than load balancers usually keep theirs, so that it is they who close.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
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
    pub async fn start(settings: Settings, root_key: Option<RootKey>) -> Result<Self, ServerError> {
        settings.check()?;
        let failed = |address| move |error| ServerError::Serving(address, error);
        let listener = TcpListener::bind(settings.listen).map_err(failed(settings.listen))?;
        let address = listener.local_addr().map_err(failed(settings.listen))?;
        let (parts, exporting) = Parts::begin(settings, root_key).await?;
        let state = parts.state.clone();
        let prices = state.catalogue.version().to_owned();
        let server = HttpServer::new(move || parts.app())
            .workers(state.settings.workers)
            // Else a piece of a stream waits until the client has acknowledged the one before.
            .tcp_nodelay(true)
            .keep_alive(KEEP_ALIVE)
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
