//! What forms and filters offer: owners, virtual keys, providers, provider keys and MCP clients, as far as the visitor may see them.

use keyward_core::list::{Listed, Page};
use keyward_core::mcp_client::McpClientQuery;
use keyward_core::permission::Resource;
use keyward_core::virtual_key::VirtualKeyFilter;
use keyward_store::{Reveal, Store};

use crate::clock;
use crate::dashboard::components::choice::{Choice, Options};
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;

/// The most that a list to choose from has.
const FEW: i64 = 50;
/// The most that it has where it may stand on a page often.
const FEW_OF_MANY: usize = 20;

/// Between a name and what is said with it.
const AND: &str = " · ";

/// The models of the catalogue, to be looked for by a part of their names.
pub(in crate::dashboard::pages) const MODELS: &str = "/choices/models";
/// The same with their providers: those that can be called.
pub(in crate::dashboard::pages) const CALLABLE: &str = "/choices/callable";
/// Customers, teams and virtual keys.
pub(in crate::dashboard::pages) const OWNERS: &str = "/choices/owners";

/// What there may be very many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dashboard::pages) enum Many {
    VirtualKeys,
    Teams,
    Customers,
}

impl Many {
    pub(in crate::dashboard::pages) const ALL: [Self; 3] = [Self::Customers, Self::Teams, Self::VirtualKeys];

    const fn resource(self) -> Resource {
        match self {
            Self::VirtualKeys => Resource::VirtualKeys,
            Self::Teams => Resource::Teams,
            Self::Customers => Resource::Customers,
        }
    }

    /// Where they are looked for by a part of their names.
    const fn at(self) -> &'static str {
        match self {
            Self::VirtualKeys => "/choices/virtual-keys",
            Self::Teams => "/choices/teams",
            Self::Customers => "/choices/customers",
        }
    }

    /// What one is called.
    pub(in crate::dashboard::pages) const fn noun(self) -> &'static str {
        match self {
            Self::VirtualKeys => "key",
            Self::Teams => "team",
            Self::Customers => "customer",
        }
    }

    /// One with its kind, where there are others beside it.
    pub(in crate::dashboard::pages) fn among_others(self, name: &str) -> String {
        format!("{name}{AND}{}", self.noun())
    }

    /// What of a text to look for among these: where it ends with their kind, what it says of the name.
    pub(in crate::dashboard::pages) fn sought(self, text: &str) -> &str {
        text.strip_suffix(self.noun()).and_then(|text| text.strip_suffix(AND)).unwrap_or(text)
    }

    /// As many as a list has of those whose names have this text, and how many there are.
    pub(in crate::dashboard::pages) async fn found(
        self,
        store: &Store,
        visitor: &Visitor,
        search: &str,
    ) -> Result<Listed<(String, String)>, ApiError> {
        if !visitor.may_read(self.resource()) {
            return Ok(Listed { entries: Vec::new(), total: 0 });
        }
        let search = Some(search.to_owned()).filter(|text| !text.is_empty());
        let page = Page { limit: FEW, is_whole: false, search, ..Page::default() };
        let (entries, total): (Options, i64) = match self {
            Self::VirtualKeys => {
                let filter = VirtualKeyFilter { page, ..VirtualKeyFilter::default() };
                let listed = store.virtual_key_list(filter, clock::now(), Reveal::Redacted).await?;
                (listed.entries.into_iter().map(|key| (key.id.to_string(), key.name)).collect(), listed.total)
            }
            Self::Teams => {
                let listed = store.team_list(page.into()).await?;
                (listed.entries.into_iter().map(|team| (team.id.to_string(), team.name)).collect(), listed.total)
            }
            Self::Customers => {
                let listed = store.customer_list(page).await?;
                let named = listed.entries.into_iter().map(|customer| (customer.id.to_string(), customer.name));
                (named.collect(), listed.total)
            }
        };
        Ok(Listed { entries, total })
    }

    /// What the one with this id is called, as far as the visitor may see it.
    pub(in crate::dashboard::pages) async fn name(self, store: &Store, visitor: &Visitor, id: &str) -> Option<String> {
        if id.is_empty() || !visitor.may_read(self.resource()) {
            return None;
        }
        match self {
            Self::VirtualKeys => Some(store.virtual_key_get(id.into(), Reveal::Redacted).await.ok()?.name),
            Self::Teams => Some(store.team_get(id.into(), clock::now()).await.ok()?.name),
            Self::Customers => Some(store.customer_get(id.into(), clock::now()).await.ok()?.name),
        }
    }

    /// A choice among them, where the one with this id may be chosen already.
    pub(in crate::dashboard::pages) async fn choice(
        self,
        store: &Store,
        visitor: &Visitor,
        chosen: &str,
    ) -> Result<Choice, ApiError> {
        let Listed { entries, total } = self.found(store, visitor, "").await?;
        if total > FEW {
            let chosen = self.name(store, visitor, chosen).await.unwrap_or_default();
            return Ok(Choice::Many { at: self.at(), chosen });
        }
        Ok(Choice::Few(entries))
    }
}

/// All providers.
pub(in crate::dashboard::pages) async fn providers(store: &Store, visitor: &Visitor) -> Result<Options, ApiError> {
    let listed = match visitor.may_read(Resource::Providers) {
        true => store.provider_list().await?,
        false => Vec::new(),
    };
    Ok(listed.into_iter().map(|provider| (provider.name.to_string(), provider.name.to_string())).collect())
}

/// All provider keys, with the provider in their name.
pub(in crate::dashboard::pages) async fn provider_keys(store: &Store, visitor: &Visitor) -> Result<Options, ApiError> {
    let listed = match visitor.may_read(Resource::Providers) {
        true => store.key_list().await?,
        false => Vec::new(),
    };
    Ok(listed.into_iter().map(|key| (key.key_id.to_string(), format!("{}{AND}{}", key.provider, key.name))).collect())
}

/// Those of a list whose names have this text, or whose id it is: as many as are offered.
pub(in crate::dashboard::pages) fn fitting(all: Options, search: &str) -> Options {
    let wanted = search.to_lowercase();
    let fits = |(id, name): &(String, String)| name.to_lowercase().contains(&wanted) || id == search;
    all.into_iter().filter(fits).take(usize::try_from(FEW).unwrap_or_default()).collect()
}

/// A choice among the providers: a short list, since it may stand on a page often.
pub(in crate::dashboard::pages) async fn choose_provider(store: &Store, visitor: &Visitor) -> Result<Choice, ApiError> {
    Ok(short(providers(store, visitor).await?, "/choices/providers"))
}

/// A choice among the provider keys.
pub(in crate::dashboard::pages) async fn choose_provider_key(
    store: &Store,
    visitor: &Visitor,
) -> Result<Choice, ApiError> {
    Ok(short(provider_keys(store, visitor).await?, "/choices/provider-keys"))
}

fn short(all: Options, at: &'static str) -> Choice {
    if all.len() <= FEW_OF_MANY { Choice::Few(all) } else { Choice::Many { at, chosen: String::new() } }
}

/// Teams and customers, of which one each may be chosen already.
pub(in crate::dashboard::pages) struct Owners {
    pub(in crate::dashboard::pages) teams: Choice,
    pub(in crate::dashboard::pages) customers: Choice,
}

impl Owners {
    pub(in crate::dashboard::pages) async fn load(
        store: &Store,
        visitor: &Visitor,
        team: &str,
        customer: &str,
    ) -> Result<Self, ApiError> {
        let teams = Many::Teams.choice(store, visitor, team).await?;
        Ok(Self { teams, customers: Many::Customers.choice(store, visitor, customer).await? })
    }
}

/// The names of MCP clients.
pub(in crate::dashboard::pages) async fn mcp_clients(
    store: &Store,
    visitor: &Visitor,
) -> Result<Vec<String>, ApiError> {
    let listed = match visitor.may_read(Resource::McpClients) {
        true => store.mcp_client_list(McpClientQuery::default().check()?).await?.entries,
        false => Vec::new(),
    };
    Ok(listed.into_iter().map(|client| client.config.name).collect())
}
