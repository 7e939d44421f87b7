//! What forms and filters offer: owners, providers, provider keys and MCP clients, as far as the visitor may see them.

use keyward_core::list::Page;
use keyward_core::mcp_client::McpClientQuery;
use keyward_core::permission::Resource;
use keyward_store::Store;

use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;

/// Ids and names.
pub(in crate::dashboard::pages) type Options = Vec<(String, String)>;

/// The most owners of a kind that are offered.
const MOST: i64 = 200;

/// Teams and customers.
pub(in crate::dashboard::pages) struct Owners {
    pub(in crate::dashboard::pages) teams: Options,
    pub(in crate::dashboard::pages) customers: Options,
}

impl Owners {
    pub(in crate::dashboard::pages) async fn load(store: &Store, visitor: &Visitor) -> Result<Self, ApiError> {
        let page = Page { limit: MOST, ..Page::default() };
        let teams = match visitor.may_read(Resource::Teams) {
            true => store.team_list(page.clone()).await?.entries,
            false => Vec::new(),
        };
        let customers = match visitor.may_read(Resource::Customers) {
            true => store.customer_list(page).await?.entries,
            false => Vec::new(),
        };
        Ok(Self {
            teams: teams.into_iter().map(|team| (team.id.to_string(), team.name)).collect(),
            customers: customers.into_iter().map(|customer| (customer.id.to_string(), customer.name)).collect(),
        })
    }
}

/// Everything that a form offers.
pub(in crate::dashboard::pages) struct Offered {
    pub(in crate::dashboard::pages) owners: Owners,
    pub(in crate::dashboard::pages) providers: Vec<String>,
    /// Provider keys, with the provider in their name.
    pub(in crate::dashboard::pages) keys: Options,
    pub(in crate::dashboard::pages) mcp_clients: Vec<String>,
}

impl Offered {
    pub(in crate::dashboard::pages) async fn load(store: &Store, visitor: &Visitor) -> Result<Self, ApiError> {
        let (providers, keys) = match visitor.may_read(Resource::Providers) {
            true => (store.provider_list().await?, store.key_list().await?),
            false => (Vec::new(), Vec::new()),
        };
        let clients = match visitor.may_read(Resource::McpClients) {
            true => store.mcp_client_list(McpClientQuery::default().check()?).await?.entries,
            false => Vec::new(),
        };
        let named = |key: keyward_core::provider_config::AttachedKey| {
            (key.key_id.to_string(), format!("{} · {}", key.provider, key.name))
        };
        Ok(Self {
            owners: Owners::load(store, visitor).await?,
            providers: providers.into_iter().map(|provider| provider.name.to_string()).collect(),
            keys: keys.into_iter().map(named).collect(),
            mcp_clients: clients.into_iter().map(|client| client.config.name).collect(),
        })
    }
}
