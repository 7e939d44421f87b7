//! One request: each of its attempts with what it used, why it cost that, and what it did to each limit.

use actix_web::{HttpResponse, route, web};
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::RequestId;
use keyward_core::ledger::{LedgerFilter, LedgerOrder, LedgerRecord, Posting};
use maud::{Markup, html};
use serde_json::Value;

use super::postings::{Limits, postings};
use crate::auth::{Authed, UsageRead};
use crate::dashboard::components::number::{count, duration, money, per_million, picos};
use crate::dashboard::components::refusals::{explained, outcome};
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::{instant, instant_or};
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Path;
use crate::state::State;

/// The most attempts of a request that are shown.
const ATTEMPTS: i64 = 50;

#[route("/ledger/{request_id}", method = "GET", method = "HEAD")]
pub(super) async fn ledger_entry(
    caller: Authed<UsageRead>,
    state: web::Data<State>,
    theme: Theme,
    id: Path<RequestId>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, store) = (Visitor::of(&caller, &state), caller.store(&state));
    let filter =
        LedgerFilter { request_id: Some(id.0.to_string()), order: LedgerOrder::Asc, ..LedgerFilter::default() };
    let entries = store.ledger_list(filter, ATTEMPTS).await?;
    if entries.is_empty() {
        return Err(ApiError::new(ErrorCode::NotFound, "No attempt of this request is in the ledger"));
    }
    let mut shown = Vec::with_capacity(entries.len());
    for entry in &entries {
        let postings = store.ledger_postings(entry.request_id.clone(), entry.attempt).await?;
        let limits = Limits::load(&store, &visitor, entry).await?;
        shown.push(attempt(entry, &postings, &limits));
    }
    let crumb = html! { a href=(Section::Ledger.path()) { "Ledger" } };
    let (section, title) = (Section::Ledger, format!("Request {}", id.0));
    let (actions, content) = (html! {}, html! { @for attempt in shown { (attempt) } });
    Ok(Page { visitor: &visitor, theme, section, title: &title, crumb: Some(crumb), actions, content }.respond())
}

fn attempt(entry: &LedgerRecord, posted: &[Posting], limits: &Limits) -> Markup {
    let id = format!("attempt-{}", entry.attempt);
    html! {
        div.columns {
            section.card aria-labelledby=(id) {
                div.card-head { h2 id=(id) { "Attempt " (entry.attempt + 1) } (outcome(&entry.outcome)) }
                p.muted { (explained(&entry.outcome).2) }
                (facts(entry))
            }
            section.card aria-label={ "Cost of attempt " (entry.attempt + 1) } {
                h2 { "Why it cost " (money(entry.cost)) }
                (cost(entry))
            }
        }
        (postings(posted, limits, entry.attempt))
    }
}

fn facts(entry: &LedgerRecord) -> Markup {
    let milliseconds = |of: i64| duration(u64::try_from(of).unwrap_or_default());
    let key = Link::of(Section::VirtualKeys.path(), &entry.virtual_key_id);
    html! {
        dl.facts {
            dt { "Virtual key" } dd { a href=(key) { code { (entry.virtual_key_id) } } }
            @if let Some(team) = &entry.team_id { dt { "Team then" } dd { a href=(Link::of(Section::Teams.path(), team)) { code { (team) } } } }
            @if let Some(customer) = &entry.customer_id { dt { "Customer then" } dd { a href=(Link::of(Section::Customers.path(), customer)) { code { (customer) } } } }
            dt { "Model" } dd { (entry.provider) "/" (entry.model) @if entry.model_served != entry.model { " " span.muted { "served as " (entry.model_served) } } }
            dt { "Provider key" } dd { code { (entry.provider_key_id) } }
            dt { "Kind" } dd { (entry.request_type.as_deref().unwrap_or("free by declaration")) " · " (entry.service_tier) }
            dt { "Admitted" } dd { (instant(entry.admitted_at)) }
            dt { "First byte" } dd { (instant_or(entry.first_byte_at, "none")) @if let Some(after) = entry.time_to_first_byte_ms { " · after " (milliseconds(after)) } }
            dt { "Settled" } dd { (instant(entry.settled_at)) " · after " (milliseconds(entry.latency_ms)) }
            dt { "Tokens" } dd.number { (count(entry.input_tokens)) " in, " (count(entry.output_tokens)) " out" }
            dt { "Counted by" } dd { (source(&entry.usage_source)) }
            dt { "Held" } dd { (money(entry.held)) }
            @if entry.adjusted.nanos() != 0 { dt { "Adjusted since" } dd { (money(entry.adjusted)) } }
        }
    }
}

fn source(source: &str) -> &str {
    match source {
        "provider" => "The provider",
        "counted" => "Keyward: the provider did not say",
        "estimated" => "Nobody: what was held is charged",
        other => other,
    }
}

/// The cost of each class, as the breakdown has it.
fn cost(entry: &LedgerRecord) -> Markup {
    let Some(pricing) = &entry.pricing else {
        return html! { p.muted { "The model had no price, and no budget covered the attempt." } };
    };
    let version = pricing.get("version").and_then(Value::as_str).unwrap_or_default();
    let classes = pricing.get("pico_usd").and_then(Value::as_object).into_iter().flatten();
    let rate =
        |class: &str| pricing.get("pico_usd_per_unit").and_then(|rates| rates.get(class)).and_then(Value::as_i64);
    html! {
        p.muted { "Prices of " (version) ". Rates are US dollars per million." }
        (scrolled(&format!("Classes of attempt {}", entry.attempt + 1), &html! { th scope="col" { "Class" } th.number scope="col" { "Used" } th.number scope="col" { "Rate" } th.number scope="col" { "Cost" } }, &html! { @for (class, pico) in classes {
                        tr {
                            th scope="row" { (class.replace('_', " ")) }
                            td.number { (entry.usage.set().find(|(of, _)| of.as_str() == class).map_or_else(String::new, |(_, used)| count(used))) }
                            td.number { @if let Some(rate) = rate(class) { (per_million(rate)) } }
                            td.number { @if let Some(pico) = pico.as_i64() { (picos(pico)) } }
                        }
                    } }))
    }
}
