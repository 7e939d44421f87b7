//! The list of entries, and what was refused in the same time.

use actix_web::{HttpResponse, route, web};
use keyward_core::ledger::{LedgerList, LedgerRecord, Outcome};
use keyward_core::usage::UsageReport;
use keyward_store::Store;
use maud::{Markup, html};

use super::asked::Asked;
use crate::auth::{Authed, UsageRead};
use crate::clock;
use crate::dashboard::components::badge::{Tone, badge};
use crate::dashboard::components::choice::Choice;
use crate::dashboard::components::empty::empty;
use crate::dashboard::components::filter::{choice, looked_for, text};
use crate::dashboard::components::instants::minute;
use crate::dashboard::components::number::{count, dollars, duration, money};
use crate::dashboard::components::refusals::{explained, outcome, refusals};
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::instant;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::{Link, shortened};
use crate::dashboard::pages::options::{MODELS, Many, Owners, choose_provider};
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Query;
use crate::state::State;
use crate::usage;

#[route("/ledger", method = "GET", method = "HEAD")]
pub(super) async fn ledger_list(
    caller: Authed<UsageRead>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, store, asked) = (Visitor::of(&caller, &state), caller.store(&state), asked.0);
    let (filter, limit, _) = asked.entries().check()?;
    let listed = usage::ledger_page(&state, &store, filter, limit.unwrap_or_default()).await?;
    let refused = usage::report(&state, &store, asked.refusals().check(clock::now())?).await?;
    let offered = Offered::load(&store, &visitor, &asked).await?;
    let content = html! {
        (filters(&asked, &offered))
        section.card.flush aria-label="Entries" {
            @if listed.entries.is_empty() { (nothing(&asked)) }
            @else { (table(&listed.entries)) (places(&asked, &listed)) }
        }
        (refusals_card(&asked, &refused))
    };
    let actions = html! {
        a.button href=(asked.file("csv")) download="ledger.csv" { "Download as CSV" }
        a.button href=(asked.file("ndjson")) download="ledger.ndjson" { "as NDJSON" }
    };
    let (section, title) = (Section::Ledger, "Ledger");
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}

/// What filters offer.
struct Offered {
    owners: Owners,
    keys: Choice,
    providers: Choice,
}

impl Offered {
    async fn load(store: &Store, visitor: &Visitor, asked: &Asked) -> Result<Self, ApiError> {
        Ok(Self {
            owners: Owners::load(store, visitor, &asked.team_id, &asked.customer_id).await?,
            keys: Many::VirtualKeys.choice(store, visitor, &asked.virtual_key_id).await?,
            providers: choose_provider(store, visitor).await?,
        })
    }
}

fn filters(asked: &Asked, offered: &Offered) -> Markup {
    let outcomes = Outcome::ALL.map(|outcome| (outcome.as_str().to_owned(), explained(outcome.as_str()).1.to_owned()));
    let outcomes = Choice::Few(outcomes.to_vec());
    html! {
        form.filters role="search" action=(Section::Ledger.path()) {
            (text("request_id", "Request", &asked.request_id, "Its id"))
            (choice("virtual_key_id", "Virtual key", &offered.keys, &asked.virtual_key_id))
            (looked_for("model", "Model", &asked.model, "Without its provider", (MODELS, "")))
            (choice("provider", "Provider", &offered.providers, &asked.provider))
            (choice("outcome", "Outcome", &outcomes, &asked.outcome))
            (choice("team_id", "Team", &offered.owners.teams, &asked.team_id))
            (choice("customer_id", "Customer", &offered.owners.customers, &asked.customer_id))
            (minute("from", "Since", &asked.from))
            (minute("to", "Before", &asked.to))
            button.button type="submit" { "Search" }
            @if asked.is_narrowed() { a.button.quiet href=(Section::Ledger.path()) { "Show all" } }
        }
    }
}

fn nothing(asked: &Asked) -> Markup {
    if asked.is_narrowed() {
        let all = html! { a.button href=(Section::Ledger.path()) { "Show all" } };
        return empty(
            "No entry is like this",
            "An entry is written when an attempt is settled. Requests that were refused are below.",
            &all,
        );
    }
    let text = "Every attempt that the gateway admits becomes one entry: what it used, what it cost and why, and which limits it was \
                counted in.";
    empty("Nothing has been settled yet", text, &html! {})
}

fn table(entries: &[LedgerRecord]) -> Markup {
    scrolled(
        "Entries",
        &html! { th scope="col" { "Settled" } th scope="col" { "Request" } th scope="col" { "Virtual key" }
        th scope="col" { "Model" } th scope="col" { "Outcome" } th.number scope="col" { "Tokens" }
        th.number scope="col" { "Latency" } th.number scope="col" { "Held" } th.number scope="col" { "Cost" } },
        &html! { @for entry in entries { (row(entry)) } },
    )
}

fn row(entry: &LedgerRecord) -> Markup {
    let key = Link::of(Section::VirtualKeys.path(), &entry.virtual_key_id);
    html! {
        tr {
            td { (instant(entry.settled_at)) }
            th scope="row" {
                a href=(Link::of(Section::Ledger.path(), &entry.request_id)) { code.short { (shortened(entry.request_id.as_str())) } }
                @if entry.attempt > 0 { " " (badge(Tone::Calm, "fallback")) }
            }
            td { a href=(key) { code.short { (shortened(entry.virtual_key_id.as_str())) } } }
            td.breaks { (entry.provider) "/" (entry.model) }
            td { (outcome(&entry.outcome)) @if entry.usage_source != "provider" { " " (badge(Tone::Calm, &entry.usage_source)) } }
            td.number { (count(entry.input_tokens)) " → " (count(entry.output_tokens)) }
            td.number { (duration(u64::try_from(entry.latency_ms).unwrap_or_default())) }
            td.number.muted { (dollars(entry.held)) }
            td.number { (money(entry.cost)) }
        }
    }
}

/// The way to older entries. Newer ones may have come meanwhile, so the way back is to the newest.
fn places(asked: &Asked, listed: &LedgerList) -> Markup {
    html! {
        nav.pager aria-label="Pages" {
            span.number { (count(listed.count)) " entries" }
            div.row {
                @if !asked.after.is_empty() { a.button.small href=(asked.page("")) { "Newest" } }
                @if let Some(next) = &listed.next { a.button.small rel="next" href=(asked.page(next)) { "Older" } }
            }
        }
    }
}

fn refusals_card(asked: &Asked, report: &UsageReport) -> Markup {
    let since = if asked.from.is_empty() { "in the last 24 hours" } else { "in this time" };
    html! {
        section.card aria-labelledby="refused" {
            div.card-head { h2 #refused { "Refused " (since) } span.hint { "A refused request is no entry: it cost nothing, and changed nothing." } }
            (refusals(&report.groups))
        }
    }
}
