//! What runs out next: budgets that are used up first at the present pace.

use std::collections::HashMap;

use keyward_core::ids::{CustomerId, TeamId, VirtualKeyId};
use keyward_core::permission::Resource;
use keyward_core::usage::{BudgetForecast, BudgetScope, ForecastList, ForecastQuery};
use keyward_store::{Reveal, Store};
use maud::{Markup, html};

use crate::clock;
use crate::dashboard::components::bar::{Level, bar};
use crate::dashboard::components::number::dollars;
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::instant;
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;

/// How many budgets are shown.
const SHOWN: &str = "8";

pub(super) fn query() -> ForecastQuery {
    ForecastQuery { limit: Some(SHOWN.to_owned()), ..ForecastQuery::default() }
}

/// What the owners of budgets are called.
#[derive(Default)]
pub(super) struct Names {
    owners: HashMap<String, String>,
    /// Whether the visitor may see the limits of models and providers.
    has_limits: bool,
}

impl Names {
    /// The names of those that the visitor may see.
    pub(super) async fn load(store: &Store, visitor: &Visitor, forecast: &ForecastList) -> Result<Self, ApiError> {
        let mut names = Self { has_limits: visitor.may_read(Resource::ModelConfigs), ..Self::default() };
        for BudgetForecast { scope, .. } in &forecast.forecasts {
            names.learn(store, visitor, scope).await;
        }
        Ok(names)
    }

    /// An owner that is gone has no name.
    async fn learn(&mut self, store: &Store, visitor: &Visitor, scope: &BudgetScope) {
        let BudgetScope { customer_id, team_id, virtual_key_id, .. } = scope;
        if let Some(id) = virtual_key_id.clone().filter(|_| visitor.may_read(Resource::VirtualKeys)) {
            let found = store.virtual_key_get(id.clone(), Reveal::Redacted).await;
            self.owners.extend(found.ok().map(|key| (id.to_string(), key.name)));
        } else if let Some(id) = team_id.clone().filter(|_| visitor.may_read(Resource::Teams)) {
            let found = store.team_get(id.clone(), clock::now()).await;
            self.owners.extend(found.ok().map(|team| (id.to_string(), team.name)));
        } else if let Some(id) = customer_id.clone().filter(|_| visitor.may_read(Resource::Customers)) {
            let found = store.customer_get(id.clone(), clock::now()).await;
            self.owners.extend(found.ok().map(|customer| (id.to_string(), customer.name)));
        }
    }

    /// What a budget covers, with a link to its owner.
    fn owner(&self, scope: &BudgetScope) -> Markup {
        let BudgetScope { customer_id, team_id, virtual_key_id, provider, model } = scope;
        let key = virtual_key_id.as_ref().map(VirtualKeyId::as_str).map(|id| (Section::VirtualKeys, "key", id));
        let team = team_id.as_ref().map(TeamId::as_str).map(|id| (Section::Teams, "team", id));
        let customer = customer_id.as_ref().map(CustomerId::as_str).map(|id| (Section::Customers, "customer", id));
        let place = [provider.as_ref().map(ToString::to_string), model.as_ref().map(ToString::to_string)];
        let place = place.into_iter().flatten().collect::<Vec<_>>().join("/");
        let named = |name: Option<String>| name.unwrap_or_default();
        let limit = Link::to(Section::Limits.path())
            .with("search", named(model.as_ref().map(ToString::to_string)))
            .with("provider", named(provider.as_ref().map(ToString::to_string)));
        html! {
            @match key.or(team).or(customer) {
                Some((section, kind, id)) => {
                    @match self.owners.get(id) {
                        Some(name) => a href=(Link::of(section.path(), id)) { (name) },
                        None => span { (id) },
                    }
                    " " span.muted { (kind) @if !place.is_empty() { " at " (place) } }
                }
                None if self.has_limits => a href=(limit) { (if place.is_empty() { "Everything" } else { &place }) },
                None => span { (if place.is_empty() { "Everything" } else { &place }) },
            }
        }
    }
}

/// The card of what runs out next.
pub(super) fn card(forecast: &ForecastList, names: &Names) -> Markup {
    let head = html! { th scope="col" { "Budget of" } th scope="col" { "Used" } th scope="col" { "Used up" } };
    let body = html! { @for forecast in &forecast.forecasts { (row(forecast, names)) } };
    html! {
        section.card.flush aria-labelledby="forecast" {
            div.card-head {
                h2 #forecast { "What runs out next" }
                span.hint { "at the pace since " (instant(forecast.since)) }
            }
            @if forecast.forecasts.is_empty() {
                p.muted.empty {
                    "There is no budget. A budget of a key, a team or a customer is never exceeded: what a request can cost is "
                    "reserved before it is sent."
                }
            } @else {
                (scrolled("What runs out next", &head, &body))
            }
        }
    }
}

fn row(forecast: &BudgetForecast, names: &Names) -> Markup {
    let level = Level { used: forecast.current_usage.nanos(), held: 0, cap: forecast.max_limit.nanos() };
    html! {
        tr {
            th scope="row" { (names.owner(&forecast.scope)) }
            td.wide {
                div.meter {
                    div.meter-text {
                        span { (dollars(forecast.current_usage)) " of " (dollars(forecast.max_limit)) }
                        span { (level.percent()) "%" }
                    }
                    (bar(level))
                }
            }
            td {
                @match forecast.exhausts_at {
                    Some(_) if level.is_used_up() => span.bad { "now" },
                    Some(at) => span.warn { (instant(at)) },
                    None => span.muted { "not before it resets" },
                }
            }
        }
    }
}
