//! Whole lists as streams: page after page is asked for as the entries are taken.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use keyward_core::audit::{AuditEntry, AuditList, AuditQuery};
use keyward_core::budget::Budget;
use keyward_core::event::{Event, EventList, EventQuery};
use keyward_core::ledger::{LedgerList, LedgerQuery, LedgerRecord};
use keyward_core::list::{
    BudgetList, CustomerList, ListQuery, ManagementKeyList, McpClientList, ModelConfigList, PageQuery,
    PricingOverrideList, RateLimitList, RoutingRuleList, TeamList, VirtualKeyList,
};
use keyward_core::management_key::ManagementKey;
use keyward_core::mcp_client::{McpClientEntry, McpClientQuery};
use keyward_core::model_config::{ModelConfig, ModelConfigQuery};
use keyward_core::owner::{Customer, Team, TeamQuery};
use keyward_core::pricing_override::{PricingOverride, PricingOverrideQuery};
use keyward_core::rate_limit::RateLimit;
use keyward_core::routing_rule::{RoutingRule, RoutingRuleQuery};
use keyward_core::virtual_key::{VirtualKey, VirtualKeyQuery};

use crate::client::Client;
use crate::error::Error;

/// The largest page that the server gives.
const PAGE: u32 = 100;

/// The entries of a list, page after page. After an error there is nothing more.
///
/// The pages are read one after the other: what is deleted meanwhile may make another entry be left out, and what is made
/// meanwhile may make one of a list that begins with the newest come twice.
pub struct Pages<T> {
    entries: Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>,
}

impl<T> Stream for Pages<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.entries.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages")
    }
}

/// A page, and how to ask for the next one.
trait Page {
    type Entry;
    type Query: Clone;

    /// What to ask for first.
    fn first(query: Self::Query) -> Self::Query;

    /// The page's entries, and what to ask for next, if there is more.
    fn turn(self, query: Self::Query) -> (Vec<Self::Entry>, Option<Self::Query>);
}

/// What is between two entries.
struct Reader<P: Page> {
    client: Client,
    entries: vec::IntoIter<P::Entry>,
    next: Option<P::Query>,
}

impl<T: Send + 'static> Pages<T> {
    fn new<P, F>(client: &Client, query: P::Query, ask: impl Fn(Client, P::Query) -> F + Send + Sync + 'static) -> Self
    where
        P: Page<Entry = T> + Send + 'static,
        P::Query: Send + 'static,
        F: Future<Output = Result<P, Error>> + Send + 'static,
    {
        let reader =
            Reader::<P> { client: client.clone(), entries: Vec::new().into_iter(), next: Some(P::first(query)) };
        let ask = Arc::new(ask);
        let entries = try_unfold(reader, move |mut reader| {
            let ask = ask.clone();
            async move {
                loop {
                    if let Some(entry) = reader.entries.next() {
                        return Ok(Some((entry, reader)));
                    }
                    let Some(query) = reader.next.take() else { return Ok(None) };
                    let page = ask(reader.client.clone(), query.clone()).await?;
                    let (entries, next) = page.turn(query);
                    (reader.entries, reader.next) = (entries.into_iter(), next);
                }
            }
        });
        Self { entries: Box::pin(entries) }
    }
}

/// Pages that are found by how many entries come before them.
macro_rules! pages_by_offset {
    ($($(#[$doc:meta])* $method:ident($query:ident) = $list:ident: $page:ident, $member:ident: $entry:ident;)+) => {
        $(
            impl Page for $page {
                type Entry = $entry;
                type Query = $query;

                fn first(query: $query) -> $query {
                    let limit = query.limit.clone().or_else(|| Some(PAGE.to_string()));
                    $query { limit, ..query }
                }

                fn turn(self, query: $query) -> (Vec<$entry>, Option<$query>) {
                    let before = query.offset.as_deref().and_then(|offset| offset.parse::<i64>().ok()).unwrap_or(0);
                    let offset = before.saturating_add(i64::try_from(self.$member.len()).unwrap_or(i64::MAX));
                    let is_last = self.$member.is_empty() || offset >= self.total_count;
                    let next = (!is_last).then(|| $query { offset: Some(offset.to_string()), ..query });
                    (self.$member, next)
                }
            }
        )+

        impl Client {
            $(
                $(#[$doc])*
                pub fn $method(&self, query: &$query) -> Pages<$entry> {
                    Pages::new(self, query.clone(), |client, query| async move { client.$list(&query).await })
                }
            )+
        }
    };
}

pages_by_offset! {
    /// Lists all virtual keys that match, from the query's offset on, in pages of its limit or of 100.
    virtual_key_list_all(VirtualKeyQuery) = virtual_key_list: VirtualKeyList, virtual_keys: VirtualKey;
    /// Lists all teams that match, from the query's offset on, in pages of its limit or of 100.
    team_list_all(TeamQuery) = team_list: TeamList, teams: Team;
    /// Lists all customers that match, from the query's offset on, in pages of its limit or of 100.
    customer_list_all(ListQuery) = customer_list: CustomerList, customers: Customer;
    /// Lists all management keys that match, from the query's offset on, in pages of its limit or of 100.
    management_key_list_all(ListQuery) = management_key_list: ManagementKeyList, management_keys: ManagementKey;
    /// Lists all MCP clients that match, from the query's offset on, in pages of its limit or of 100.
    mcp_client_list_all(McpClientQuery) = mcp_client_list: McpClientList, clients: McpClientEntry;
    /// Lists all model configs that match, from the query's offset on, in pages of its limit or of 100.
    model_config_list_all(ModelConfigQuery) = model_config_list: ModelConfigList, model_configs: ModelConfig;
    /// Lists all pricing overrides that match, from the query's offset on, in pages of its limit or of 100.
    pricing_override_list_all(PricingOverrideQuery) = pricing_override_list: PricingOverrideList, pricing_overrides: PricingOverride;
    /// Lists all routing rules that match, from the query's offset on, in pages of its limit or of 100.
    routing_rule_list_all(RoutingRuleQuery) = routing_rule_list: RoutingRuleList, rules: RoutingRule;
    /// Lists the budgets of all owners, from the query's offset on, in pages of its limit or of 100.
    budget_list_all(PageQuery) = budget_list: BudgetList, budgets: Budget;
    /// Lists the rate limits of all owners, from the query's offset on, in pages of its limit or of 100.
    rate_limit_list_all(PageQuery) = rate_limit_list: RateLimitList, rate_limits: RateLimit;
    /// Lists all events, newest first, from the query's offset on, in pages of its limit or of 100.
    event_list_all(EventQuery) = event_list: EventList, events: Event;
}

/// The audit log is paged by place: it only grows, so no entry is left out and none comes twice.
impl Page for AuditList {
    type Entry = AuditEntry;
    type Query = AuditQuery;

    fn first(query: AuditQuery) -> AuditQuery {
        let limit = query.limit.clone().or_else(|| Some(PAGE.to_string()));
        AuditQuery { limit, ..query }
    }

    fn turn(self, query: AuditQuery) -> (Vec<AuditEntry>, Option<AuditQuery>) {
        let next = self.next.map(|before| AuditQuery { before: Some(before.to_string()), ..query });
        (self.entries, next)
    }
}

/// The ledger is paged by place: what is settled meanwhile makes no entry be left out, and none come twice.
impl Page for LedgerList {
    type Entry = LedgerRecord;
    type Query = LedgerQuery;

    fn first(query: LedgerQuery) -> LedgerQuery {
        let limit = query.limit.clone().or_else(|| Some(PAGE.to_string()));
        LedgerQuery { limit, ..query }
    }

    fn turn(self, query: LedgerQuery) -> (Vec<LedgerRecord>, Option<LedgerQuery>) {
        let next = self.next.map(|after| LedgerQuery { after: Some(after), ..query });
        (self.entries, next)
    }
}

impl Client {
    /// Lists all attempts that match, in pages of the query's limit or of 100.
    pub fn ledger_list_all(&self, query: &LedgerQuery) -> Pages<LedgerRecord> {
        Pages::new(self, query.clone(), |client, query| async move { client.ledger_list(&query).await })
    }

    /// Lists all changes that match, newest first, in pages of the query's limit or of 100.
    pub fn audit_list_all(&self, query: &AuditQuery) -> Pages<AuditEntry> {
        Pages::new(self, query.clone(), |client, query| async move { client.audit_list(&query).await })
    }
}
