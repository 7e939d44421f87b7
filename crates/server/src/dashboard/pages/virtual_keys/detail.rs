//! One virtual key: what it may do, what is used of its limits now, its last attempts, and why requests of it were refused.

use actix_web::{HttpRequest, HttpResponse, route, web};
use jiff::Timestamp;
use keyward_core::change::Versioned as _;
use keyward_core::ids::VirtualKeyId;
use keyward_core::ledger::{LedgerFilter, LedgerRecord};
use keyward_core::permission::Resource;
use keyward_core::provider_config::ProviderConfig;
use keyward_core::usage::{Filters, UsageReport, UsageReportQuery};
use keyward_core::virtual_key::VirtualKey;
use keyward_store::{Reveal, Store};
use maud::{Markup, html};

use super::actions::{actions, dialogs};
use super::overrides::overrides;
use super::parts::{allowed, owner};
use crate::auth::{Authed, VirtualKeysRead};
use crate::clock;
use crate::dashboard::components::badge::{Tone, badge, key_state};
use crate::dashboard::components::limits::meters;
use crate::dashboard::components::number::{count, dollars, duration, money};
use crate::dashboard::components::refusals::{outcome, refusals};
use crate::dashboard::components::time::{instant, instant_or};
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::live;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Path;
use crate::state::State;
use crate::usage;

/// How many attempts are shown.
const ATTEMPTS: i64 = 15;

#[route("/virtual-keys/{id}", method = "GET", method = "HEAD")]
pub(super) async fn virtual_key_detail(
    caller: Authed<VirtualKeysRead>,
    state: web::Data<State>,
    theme: Theme,
    id: Path<VirtualKeyId>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now) = (Visitor::of(&caller, &state), clock::now());
    let store = caller.store(&state);
    let key = store.virtual_key_get(id.0, Reveal::Redacted).await?.observed(&state.read(), now);
    let spent = match visitor.may_read(Resource::Usage) {
        true => Some(Spent::load(&state, &store, &key, now).await?),
        false => None,
    };
    let (etag, may_write) = (key.version().etag(), visitor.may_write(Resource::VirtualKeys));
    let link = Link::of(Section::VirtualKeys.path(), &key.id);
    let content = html! {
        div.columns {
            section.card aria-labelledby="meters" {
                div.card-head {
                    h2 #meters { "Limits now" }
                    span.live #meters-light { "As of this page" }
                }
                div data-live=(link.clone().then("meters")) data-light="meters-light" { (limits_now(&key, &state, now)) }
            }
            (facts(&key, now))
        }
        @if let Some(spent) = &spent { (spent.shown()) }
        (configs(&key))
        @if may_write {
            (overrides(&key))
            (dialogs(&key, &etag))
        }
    };
    let actions = html! { @if may_write { (actions(&key, &etag, link)) } };
    let crumb = html! { a href=(Section::VirtualKeys.path()) { "Virtual keys" } };
    let (section, title) = (Section::VirtualKeys, key.name.as_str());
    Ok(Page { visitor: &visitor, theme, section, title, crumb: Some(crumb), actions, content }.respond())
}

/// The meters of a key, again whenever they change.
#[route("/virtual-keys/{id}/meters", method = "GET")]
pub(super) async fn virtual_key_meters(
    caller: Authed<VirtualKeysRead>,
    request: HttpRequest,
    state: web::Data<State>,
    id: Path<VirtualKeyId>,
) -> Result<HttpResponse, ApiError> {
    caller.store(&state).virtual_key_get(id.0.clone(), Reveal::Redacted).await?;
    let look = async move |caller: &Authed<VirtualKeysRead>, state: &State| {
        let now = clock::now();
        let key = caller.store(state).virtual_key_get(id.0.clone(), Reveal::Redacted).await?;
        Ok(limits_now(&key.observed(&state.read(), now), state, now))
    };
    Ok(live::stream(request, state, look))
}

fn limits_now(key: &VirtualKey, state: &State, now: Timestamp) -> Markup {
    let holds = |id: &keyward_core::meter::MeterId| state.engine.held(id, now);
    let parallel = key.parallel_meter().map(|meter| (holds(&meter.id), meter.cap));
    html! {
        div.stack {
            (meters(&key.limits(), &holds, now))
            @if let Some((running, cap)) = parallel {
                p { b { (count(running)) } " of " (count(cap)) " requests at the same time are running." }
            }
            @for (config, limits) in with_limits(key) {
                h3 { "At " (config.provider) }
                (meters(&limits, &holds, now))
            }
            @for config in &key.provider_configs {
                @for model in &config.model_budgets {
                    h3 { "At " (config.provider) ", model " (model.model) }
                    (meters(&model.limits(), &holds, now))
                }
            }
        }
    }
}

/// The provider configs that have limits.
fn with_limits(key: &VirtualKey) -> impl Iterator<Item = (&ProviderConfig, keyward_core::limits::Limits)> {
    let configs = key.provider_configs.iter().map(|config| (config, config.limits()));
    configs.filter(|(_, limits)| !limits.budgets.is_empty() || limits.rate_limit.is_some())
}

fn facts(key: &VirtualKey, now: Timestamp) -> Markup {
    html! {
        section.card aria-labelledby="facts" {
            div.card-head { h2 #facts { "About this key" } (key_state(key, now)) }
            dl.facts {
                dt { "Secret" } dd { code #secret-shown { (key.value.expose()) } p #secret-shown-error.error role="alert" {} }
                dt { "Belongs to" } dd { (owner(key)) }
                @if !key.description.is_empty() { dt { "Description" } dd { (key.description) } }
                dt { "Expires" } dd { (instant_or(key.expires_at, "never")) @if key.delete_after_expire { " " span.muted { "and is deleted then" } } }
                dt { "Providers" } dd { (if key.allow_all_providers { "Every provider" } else { "Those below" }) }
                dt { "At the same time" } dd { @match key.max_parallel_requests { Some(most) => { (count(most.get())) " requests" }, None => "Any number of requests" } }
                dt { "Contents" } dd { (if key.disable_content_logging == Some(false) { "Logged, where the server leaves it to each key" } else { "Not logged" }) }
                @if let Some(until) = key.previous_value_expires_at { dt { "Old secret" } dd { "works until " (instant(until)) } }
                @if !key.metadata.is_empty() { dt { "Labels" } dd.row { @for (name, value) in key.metadata.iter() { span.badge.plain { (name) "=" (value) } } } }
                dt { "Made" } dd { (instant(key.created_at)) }
                dt { "Edited" } dd { (instant(key.updated_at)) }
                @if let Some(at) = key.rotated_at { dt { "Rotated" } dd { (instant(at)) } }
                dt { "Id" } dd { code { (key.id) } }
            }
        }
    }
}

fn configs(key: &VirtualKey) -> Markup {
    html! {
        @if !key.provider_configs.is_empty() {
            section.card.flush aria-labelledby="providers" {
                div.card-head { h2 #providers { "Providers" } }
                div.scroll tabindex="0" role="region" aria-label="Providers" {
                    table {
                        thead { tr {
                            th scope="col" { "Provider" } th.number scope="col" { "Weight" } th scope="col" { "Models" }
                            th scope="col" { "Not allowed" } th scope="col" { "Provider keys" }
                        } }
                        tbody {
                            @for config in &key.provider_configs {
                                tr {
                                    th scope="row" { (config.provider) }
                                    td.number { @match config.weight { Some(weight) => (weight), None => span.muted { "when named" } } }
                                    td { (allowed(&config.allowed_models, "Every model", "None")) }
                                    td { (allowed(&config.blacklisted_models, "Every model", "–")) }
                                    td { @if config.allow_all_keys { "Every key" } @else { @for key in &config.keys { span.badge.plain { (key.name) } " " } } }
                                }
                            }
                        }
                    }
                }
            }
        }
        @if !key.mcp_configs.is_empty() {
            section.card aria-labelledby="tools" {
                h2 #tools { "Tools" }
                dl.facts { @for config in &key.mcp_configs { dt { (config.mcp_client_name) } dd { (allowed(&config.tools_to_execute, "Every tool", "None")) } } }
            }
        }
    }
}

/// What a key has used.
struct Spent {
    day: UsageReport,
    attempts: Vec<LedgerRecord>,
}

impl Spent {
    async fn load(state: &State, store: &Store, key: &VirtualKey, now: Timestamp) -> Result<Self, ApiError> {
        let query = UsageReportQuery {
            virtual_key_id: Some(key.id.to_string()),
            group_by: Some("outcome".to_owned()),
            order_by: Some("refusals".to_owned()),
            ..UsageReportQuery::default()
        };
        let day = usage::report(state, store, query.check(now)?).await?;
        let filters = Filters { virtual_key: Some(key.id.to_string()), ..Filters::default() };
        let filter = LedgerFilter { filters, ..LedgerFilter::default() };
        Ok(Self { day, attempts: usage::ledger_page(store, filter, ATTEMPTS).await?.entries })
    }

    fn shown(&self) -> Markup {
        let total = &self.day.total;
        html! {
            div.columns {
                section.card aria-labelledby="day" {
                    h2 #day { "The last 24 hours" }
                    dl.facts {
                        dt { "Spend" } dd { (money(total.cost)) }
                        dt { "Requests" } dd.number { (count(total.requests)) }
                        dt { "Refused" } dd.number { (count(total.refusals)) }
                        dt { "Tokens" } dd.number { (count(total.tokens.input)) " in, " (count(total.tokens.output)) " out" }
                        dt { "Latency" } dd.number { @match total.latency_ms.p50 { Some(median) => { (duration(median)) " median" }, None => "–" } }
                    }
                }
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
}

fn attempts(records: &[LedgerRecord]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Last attempts" {
            table {
                thead { tr {
                    th scope="col" { "Settled" } th scope="col" { "Model" } th scope="col" { "Outcome" }
                    th.number scope="col" { "Tokens" } th.number scope="col" { "Latency" } th.number scope="col" { "Held" }
                    th.number scope="col" { "Cost" }
                } }
                tbody {
                    @for record in records {
                        tr {
                            td { (instant(record.settled_at)) }
                            th scope="row" { (record.provider) "/" (record.model) }
                            td { (outcome(&record.outcome)) @if record.usage_source != "provider" { " " (badge(Tone::Calm, &record.usage_source)) } }
                            td.number { (count(record.input_tokens)) " → " (count(record.output_tokens)) }
                            td.number { (duration(u64::try_from(record.latency_ms).unwrap_or_default())) }
                            td.number.muted { (dollars(record.held)) }
                            td.number { (money(record.cost)) }
                        }
                    }
                }
            }
        }
    }
}
