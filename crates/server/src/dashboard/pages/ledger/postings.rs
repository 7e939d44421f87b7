//! What an attempt did to each limit that covered it.

use std::collections::HashMap;

use keyward_core::ids::LimitId;
use keyward_core::ledger::{LedgerRecord, Posting};
use keyward_core::meter::Metric;
use keyward_core::model_config::ModelConfigQuery;
use keyward_core::money::NanoUsd;
use keyward_core::permission::Resource;
use keyward_store::{Reveal, Store};
use maud::{Markup, html};

use crate::clock;
use crate::dashboard::components::badge::{Tone, badge};
use crate::dashboard::components::number::{count, dollars};
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::{instant, instant_or};
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;

/// Whose limits those are that may cover an attempt. An owner that is gone has none.
#[derive(Default)]
pub(super) struct Limits(HashMap<LimitId, String>);

impl Limits {
    /// Those of its owners, as far as the visitor may see them.
    pub(super) async fn load(store: &Store, visitor: &Visitor, entry: &LedgerRecord) -> Result<Self, ApiError> {
        let mut found = Self::default();
        if visitor.may_read(Resource::VirtualKeys)
            && let Ok(key) = store.virtual_key_get(entry.virtual_key_id.clone(), Reveal::Redacted).await
        {
            found.learn(key.limits().ids(), "The virtual key");
            for config in &key.provider_configs {
                found.learn(config.limits().ids(), &format!("The virtual key at {}", config.provider));
                for model in &config.model_budgets {
                    found.learn(
                        model.limits().ids(),
                        &format!("The virtual key at {}, model {}", config.provider, model.model),
                    );
                }
            }
        }
        if let Some(id) = entry.team_id.clone().filter(|_| visitor.may_read(Resource::Teams))
            && let Ok(team) = store.team_get(id, clock::now()).await
        {
            found.learn(team.limits().ids(), &format!("Team {}", team.name));
        }
        if let Some(id) = entry.customer_id.clone().filter(|_| visitor.may_read(Resource::Customers))
            && let Ok(customer) = store.customer_get(id, clock::now()).await
        {
            found.learn(customer.limits().ids(), &format!("Customer {}", customer.name));
        }
        if visitor.may_read(Resource::ModelConfigs) {
            for config in store.model_config_list(ModelConfigQuery::default().check()?).await?.entries {
                let provider = config.provider.as_ref().map_or_else(String::new, |provider| format!(" at {provider}"));
                let model = if config.is_every_model() {
                    "Every model".to_owned()
                } else {
                    format!("Model {}", config.model_name)
                };
                found.learn(config.limits().ids(), &format!("{model}{provider}"));
            }
        }
        Ok(found)
    }

    fn learn<'a>(&mut self, ids: impl Iterator<Item = &'a LimitId>, owner: &str) {
        self.0.extend(ids.map(|id| (id.clone(), owner.to_owned())));
    }
}

/// The postings of an attempt, in the order in which the limits were checked.
pub(super) fn postings(postings: &[Posting], limits: &Limits, attempt: i32) -> Markup {
    let title = format!("Limits of attempt {}", attempt + 1);
    html! {
        section.card.flush aria-label=(title) {
            div.card-head { h2 { "Limits that covered it" } span.hint { "in the order in which they were checked" } }
            @if postings.is_empty() { p.muted.empty { "No limit covered this attempt." } }
            @else {
                (scrolled(&title, &html! { th scope="col" { "Limit of" } th scope="col" { "Counts" } th scope="col" { "Window" }
                            th.number scope="col" { "Cap then" } th.number scope="col" { "Held" } th.number scope="col" { "Used" } }, &html! { @for posting in postings { (row(posting, limits)) } }))
            }
        }
    }
}

fn row(posting: &Posting, limits: &Limits) -> Markup {
    let Posting { meter, window, cap, held, amount, would_refuse } = posting;
    let shown = |number: i64| amount_of(meter.metric, number);
    let end = (window.end < keyward_core::window::FOREVER).then_some(window.end);
    html! {
        tr {
            th scope="row" title=(meter.limit) {
                @match limits.0.get(&meter.limit) {
                    Some(owner) => (owner),
                    None => span.muted { "A limit that is gone" },
                }
                @if *would_refuse { " " (badge(Tone::Warn, "would have refused")) }
            }
            td { (name(meter.metric)) }
            td { (instant(window.start)) " – " (instant_or(end, "for ever")) }
            td.number { (shown(*cap)) }
            td.number.muted { (shown(*held)) }
            td.number { (shown(*amount)) }
        }
    }
}

const fn name(metric: Metric) -> &'static str {
    match metric {
        Metric::ParallelRequests => "Requests at the same time",
        Metric::Requests => "Requests",
        Metric::Tokens => "Tokens",
        Metric::Cost => "Money",
    }
}

fn amount_of(metric: Metric, number: i64) -> String {
    match metric {
        Metric::Cost => dollars(NanoUsd::from_nanos(number)),
        Metric::ParallelRequests | Metric::Requests | Metric::Tokens => count(number),
    }
}
