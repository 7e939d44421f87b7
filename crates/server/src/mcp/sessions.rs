//! Sessions with MCP servers. A server may keep things in one, so each belongs to one virtual key, and none is shared with another.
//!
//! They are a matter of speed and of what servers remember, not of rights: those are decided before a session is looked for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use keyward_core::ids::VirtualKeyId;
use keyward_core::mcp_client::McpClient;
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation};
use rmcp::service::{ClientInitializeError, RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, serve_client};
use tokio::sync::OnceCell;

use super::servers::Server;
use super::transport::Wire;
use crate::gateway::UpstreamClient;

/// The most sessions that are kept.
const MOST: usize = 1_000;
/// How long one is kept that nobody uses.
const IDLE: SignedDuration = SignedDuration::from_mins(5);
/// The most requests of one session that are being sent at the same time.
const MOST_AT_ONCE: usize = 64;

/// A session, running.
pub(super) type Session = RunningService<RoleClient, ClientConfig>;

/// Whose a session is, and with which version of which server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Owner {
    /// None is Keyward itself, which asks for lists.
    virtual_key: Option<VirtualKeyId>,
    client: i64,
    version: Timestamp,
}

impl Owner {
    /// Keyward itself.
    pub(super) const fn keyward(client: &McpClient) -> Self {
        Self { virtual_key: None, client: client.id, version: client.updated_at }
    }

    /// A virtual key.
    pub(super) const fn key(key: VirtualKeyId, client: &McpClient) -> Self {
        Self { virtual_key: Some(key), client: client.id, version: client.updated_at }
    }
}

/// Why there is no session, or no answer in one.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    /// The server is none that can be called.
    #[error("the MCP server has no address that can be called")]
    NoAddress,
    /// The session was not opened.
    #[error("no session with the MCP server was opened")]
    Opening(#[source] Box<ClientInitializeError>),
    /// The server did not answer as it should.
    #[error("the MCP server did not answer as it should")]
    Answer(#[from] ServiceError),
}

/// The sessions that are kept.
pub(crate) struct Sessions {
    upstream: UpstreamClient,
    kept: Mutex<HashMap<Owner, Arc<Place>>>,
}

/// The place of a session: it is opened by whoever needs it first.
pub(super) struct Place {
    upstream: UpstreamClient,
    session: OnceCell<Session>,
    /// True once a byte may have left for the server.
    reached: Arc<AtomicBool>,
    last_used: Mutex<Timestamp>,
}

impl Sessions {
    pub(super) fn new(upstream: UpstreamClient) -> Self {
        Self { upstream, kept: Mutex::default() }
    }

    /// The place of the owner's session.
    pub(super) fn of(&self, owner: Owner, now: Timestamp) -> Arc<Place> {
        let mut kept = self.kept();
        if let Some(place) = kept.get(&owner).filter(|place| place.is_of_use()) {
            place.used(now);
            return place.clone();
        }
        kept.retain(|_, place| place.is_of_use() && (place.is_in_use() || now < place.last_used() + IDLE));
        if kept.len() >= MOST {
            let idlest = kept.iter().filter(|(_, place)| !place.is_in_use()).min_by_key(|(_, place)| place.last_used());
            let idlest = idlest.map(|(owner, _)| owner.clone());
            idlest.map(|idlest| kept.remove(&idlest));
        }
        let place = Arc::new(Place {
            upstream: self.upstream.clone(),
            session: OnceCell::new(),
            reached: Arc::default(),
            last_used: Mutex::new(now),
        });
        // When all are in use, this one ends with its use.
        if kept.len() < MOST {
            kept.insert(owner, place.clone());
        }
        place
    }

    /// Ends the sessions with servers that are not registered in that version.
    pub(super) fn keep(&self, is_registered: impl Fn(i64, Timestamp) -> bool) {
        self.kept().retain(|owner, _| is_registered(owner.client, owner.version));
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Owner, Arc<Place>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The session, opened if nobody has opened it yet.
    pub(super) async fn open(&self, server: &Server) -> Result<&Session, SessionError> {
        self.session.get_or_try_init(|| self.opened(server)).await
    }

    /// True once a byte may have left for the server.
    pub(super) fn has_reached(&self) -> bool {
        self.reached.load(Ordering::Acquire)
    }

    async fn opened(&self, server: &Server) -> Result<Session, SessionError> {
        let connection = server.connection.as_ref().ok_or(SessionError::NoAddress)?;
        let headers = connection.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let config = StreamableHttpClientTransportConfig::with_uri(connection.url.as_str())
            .custom_headers(headers)
            .max_concurrent_requests(MOST_AT_ONCE);
        let wire = Wire::new(self.upstream.clone(), self.reached.clone());
        let transport = StreamableHttpClientTransport::with_client(wire, config);
        let name = Implementation::new("keyward", env!("CARGO_PKG_VERSION"));
        // It offers servers nothing: what they ask of it, no person here would be asked for.
        let about = ClientConfig::new(ClientCapabilities::default(), name);
        serve_client(about, transport).await.map_err(|error| SessionError::Opening(Box::new(error)))
    }

    fn is_of_use(&self) -> bool {
        self.session.get().is_none_or(|session| !session.is_closed() && !session.peer().is_transport_closed())
    }

    /// True while somebody besides the collection has it.
    fn is_in_use(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) > 1
    }

    fn used(&self, now: Timestamp) {
        *self.last_used.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    fn last_used(&self) -> Timestamp {
        *self.last_used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
