//! What a virtual key has used: its last day, why requests were refused, and its last attempts.

use jiff::Timestamp;
use keyward_core::ledger::{LedgerFilter, LedgerRecord};
use keyward_core::usage::{Filters, UsageReport, UsageReportQuery};
use keyward_core::virtual_key::VirtualKey;
use keyward_store::Store;
use maud::{Markup, html};

use crate::dashboard::components::badge::{Tone, badge};
use crate::dashboard::components::number::{count, dollars, duration, money};
use crate::dashboard::components::refusals::{outcome, refusals};
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::instant;
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::error::ApiError;
use crate::state::State;
use crate::usage;

/// How many attempts are shown.
const ATTEMPTS: i64 = 15;

/// What a key has used.
pub(super) struct Spent {
    day: UsageReport,
    attempts: Vec<LedgerRecord>,
}

impl Spent {
    pub(super) async fn load(state: &State, store: &Store, key: &VirtualKey, now: Timestamp) -> Result<Self, ApiError> {
        let query = UsageReportQuery {
            virtual_key_id: Some(key.id.to_string()),
            group_by: Some("outcome".to_owned()),
            order_by: Some("refusals".to_owned()),
            ..UsageReportQuery::default()
        };
        let day = usage::report(state, store, query.check(now)?).await?;
        let filters = Filters { virtual_key: Some(key.id.to_string()), ..Filters::default() };
        let filter = LedgerFilter { filters, ..LedgerFilter::default() };
        Ok(Self { day, attempts: usage::ledger_page(state, store, filter, ATTEMPTS).await?.entries })
    }

    pub(super) fn shown(&self) -> Markup {
        html! {
            div.columns {
                (self.figures())
                section.card aria-labelledby="refusals" {
                    h2 #refusals { "Refused in the last 24 hours" }
                    (refusals(&self.day.groups))
                }
            }
            section.card.flush #attempts aria-labelledby="attempts-title" {
                div.card-head { h2 #attempts-title { "Last attempts" } span.hint { "each is an entry of the ledger" } }
                @if self.attempts.is_empty() { p.muted.empty { "Nobody has called with this key yet." } }
                @else { (attempts(&self.attempts)) }
            }
        }
    }

    fn figures(&self) -> Markup {
        let total = &self.day.total;
        html! {
            section.card aria-labelledby="day" {
                h2 #day { "The last 24 hours" }
                dl.facts {
                    dt { "Spend" }
                    dd { (money(total.cost)) }
                    dt { "Requests" }
                    dd.number { (count(total.requests)) }
                    dt { "Refused" }
                    dd.number { (count(total.refusals)) }
                    dt { "Tokens" }
                    dd.number { (count(total.tokens.input)) " in, " (count(total.tokens.output)) " out" }
                    dt { "Latency" }
                    dd.number { (total.latency_ms.p50.map_or("–".to_owned(), |median| format!("{} median", duration(median)))) }
                }
            }
        }
    }
}

fn attempts(records: &[LedgerRecord]) -> Markup {
    let head = html! {
        th scope="col" { "Settled" }
        th scope="col" { "Model" }
        th scope="col" { "Outcome" }
        th.number scope="col" { "Tokens" }
        th.number scope="col" { "Latency" }
        th.number scope="col" { "Held" }
        th.number scope="col" { "Cost" }
    };
    scrolled("Last attempts", &head, &html! { @for record in records { (attempt(record)) } })
}

fn attempt(record: &LedgerRecord) -> Markup {
    html! {
        tr {
            td { (instant(record.settled_at)) }
            th scope="row" { a href=(Link::of(Section::Ledger.path(), &record.request_id)) { (record.provider) "/" (record.model) } }
            td {
                (outcome(&record.outcome))
                @if record.usage_source != "provider" { " " (badge(Tone::Calm, &record.usage_source)) }
            }
            td.number { (count(record.input_tokens)) " → " (count(record.output_tokens)) }
            td.number { (duration(u64::try_from(record.latency_ms).unwrap_or_default())) }
            td.number.muted { (dollars(record.held)) }
            td.number { (money(record.cost)) }
        }
    }
}
