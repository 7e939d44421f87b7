//! The registered MCP servers, as the gateway needs them. Replaced whole on every edit; one that was not edited stays as it is.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::header::HeaderMap;
use keyward_core::address::AddressClass;
use keyward_core::mcp_client::{McpClient, McpConnectionType};
use keyward_store::{McpServer as Stored, Store, StoreError};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use url::Url;

use super::lists::Listed;
use super::sessions::Sessions;
use crate::gateway::UpstreamClient;
use crate::upstreams::{extra_header, resolved};

/// How long a tool may take unless it is configured, and at most.
const USUAL_TIMEOUT: Duration = Duration::from_secs(30);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// A registered MCP server.
pub(crate) struct Server {
    /// The client: what it allows, and its prices.
    pub(crate) client: McpClient,
    /// Where it is and what is sent along; none when it cannot be called.
    pub(super) connection: Option<Connection>,
    /// The tools that it has, as far as it was asked.
    pub(super) listed: Mutex<Option<Listed>>,
}

/// How a server is reached.
pub(super) struct Connection {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
}

/// Everything that the door works with.
pub(crate) struct Mcp {
    servers: ArcSwap<Vec<Arc<Server>>>,
    pub(super) sessions: Sessions,
    block_private: bool,
}

impl Mcp {
    pub(crate) fn new(client: UpstreamClient, block_private: bool) -> Self {
        Self { servers: ArcSwap::default(), sessions: Sessions::new(client), block_private }
    }

    /// The servers, by name.
    pub(super) fn servers(&self) -> Arc<Vec<Arc<Server>>> {
        self.servers.load_full()
    }

    /// The server of this name.
    pub(super) fn find(&self, name: &str) -> Option<Arc<Server>> {
        self.servers.load().iter().find(|server| server.client.name == name).cloned()
    }

    /// Reads the servers again. Callers take turns, so that the newest state wins.
    pub(crate) async fn reload(&self, store: &Store) -> Result<(), StoreError> {
        let before = self.servers.load_full();
        let same = |stored: &Stored| {
            let mut before = before.iter();
            before.find(|server| server.client == stored.client && server.connection.is_some()).cloned()
        };
        let stored = store.mcp_servers().await?.into_iter();
        let mut servers: Vec<Arc<Server>> =
            stored.map(|stored| same(&stored).unwrap_or_else(|| Arc::new(self.server(stored)))).collect();
        servers.sort_by(|one, other| one.client.name.cmp(&other.client.name));
        self.sessions.keep(|client, version| {
            servers.iter().any(|server| server.client.id == client && server.client.updated_at == version)
        });
        self.servers.store(Arc::new(servers));
        Ok(())
    }

    fn server(&self, stored: Stored) -> Server {
        let connection = self.connection(&stored);
        Server { client: stored.client, connection, listed: Mutex::default() }
    }

    /// How a server is reached; none for one that is no HTTP server, or whose address is not known or not permitted.
    fn connection(&self, stored: &Stored) -> Option<Connection> {
        let name = format!("mcp:{}", stored.client.name);
        if stored.client.connection_type != McpConnectionType::Http {
            return None;
        }
        let address = resolved(stored.address.clone()?, &name, "connection_string")?;
        let url = Url::parse(address.expose_secret()).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && self.permits(url));
        if url.is_none() {
            tracing::warn!(provider = name, "not called: its address is no http or https URL, or not permitted");
        }
        let headers = stored.headers.clone().into_iter();
        let headers = headers.filter_map(|(header, source)| extra_header(&name, header, source)).collect();
        Some(Connection { url: url?, headers })
    }

    /// An address in place of a name is looked at here, others when the name is resolved.
    fn permits(&self, url: &Url) -> bool {
        match AddressClass::of_host(url) {
            Some(AddressClass::Forbidden) => false,
            Some(AddressClass::Private) => !self.block_private,
            Some(AddressClass::Public) | None => true,
        }
    }
}

impl Server {
    /// How long a tool may take.
    pub(super) fn timeout(&self) -> Duration {
        match u64::try_from(self.client.tool_execution_timeout) {
            Ok(0) | Err(_) => USUAL_TIMEOUT,
            Ok(seconds) => Duration::from_secs(seconds).min(LONGEST_TIMEOUT),
        }
    }
}
