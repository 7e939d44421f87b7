//! Events: which limits came near to their caps, once in each window, and whether those who want to be told were.

use actix_web::{HttpResponse, route, web};
use keyward_core::event::{DeliveryState, Event, EventDelivery, EventQuery, ThresholdReached};
use keyward_core::meter::Metric;
use keyward_core::money::NanoUsd;
use keyward_core::permission::Resource;
use keyward_core::refusal::Quantity;
use maud::{Markup, html};

use super::limits::Owners;
use crate::auth::{Authed, EventsRead};
use crate::dashboard::components::badge::{Tone, badge};
use crate::dashboard::components::empty::empty;
use crate::dashboard::components::number::{count, dollars};
use crate::dashboard::components::pager::{Asked, PAGE, pager};
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::{instant, instant_or};
use crate::dashboard::form::said;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Query;
use crate::state::State;
use crate::usage;

#[route("/events", method = "GET", method = "HEAD")]
pub(super) async fn event_list(
    caller: Authed<EventsRead>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let page = EventQuery { limit: Some(PAGE.to_string()), offset: said(&asked.0.offset) }.check()?;
    let listed = usage::events(&state, page.clone()).await?;
    let owners = owners(&state, &visitor, &listed.entries).await?;
    let content = html! {
        section.card.flush aria-label="Events" {
            @if listed.entries.is_empty() { (nothing()) }
            @else {
                (table(&listed.entries, owners.as_ref()))
                (pager(&Link::to(Section::Events.path()), page.offset, i64::try_from(listed.entries.len()).unwrap_or(i64::MAX), listed.total))
            }
        }
    };
    let (section, title, actions) = (Section::Events, "Events", html! {});
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}

/// The owners of the limits, for whoever may see the limits of all.
async fn owners(state: &State, visitor: &Visitor, events: &[Event]) -> Result<Option<Owners>, ApiError> {
    let needed = [Resource::Customers, Resource::Teams, Resource::VirtualKeys, Resource::ModelConfigs];
    match needed.into_iter().all(|resource| visitor.may_read(resource)) {
        true => Ok(Some(Owners::load(&state.store, events.iter().map(|event| event.data.limit.clone())).await?)),
        false => Ok(None),
    }
}

fn nothing() -> Markup {
    let text = "When what is used of a budget or a rate limit comes near to its cap, that is an event, once in each window. The \
                configuration says at which shares, and which webhooks are told.";
    empty("Nothing has come near to its cap", text, &html! {})
}

fn table(events: &[Event], owners: Option<&Owners>) -> Markup {
    let head = html! {
        th scope="col" { "When" } th scope="col" { "Limit of" } th scope="col" { "Reached" } th scope="col" { "Used then" }
        th scope="col" { "Resets" } th scope="col" { "Told to" }
    };
    scrolled("Events", &head, &html! { @for event in events { (row(event, owners)) } })
}

fn row(event: &Event, owners: Option<&Owners>) -> Markup {
    let ThresholdReached { scope, limit, metric, threshold, used, cap, window_start: _, window_end } = &event.data;
    let tone = if threshold.percent() >= 100 { Tone::Bad } else { Tone::Warn };
    html! {
        tr {
            td { (instant(event.at)) div.hint { code { (event.id) } } }
            th scope="row" {
                @match owners {
                    Some(owners) => (owners.shown(limit)),
                    None => { (scope.kind.words()) " " code { (scope.id) } }
                }
            }
            td { (badge(tone, &format!("{} %", threshold.percent()))) " of its " (counted(*metric)) }
            td { (amount(*metric, used)) " of " (amount(*metric, cap)) }
            td { (instant_or(*window_end, "never")) }
            td.wide {
                @if event.deliveries.is_empty() { span.muted { "Nobody" } }
                @for delivery in &event.deliveries { (told(delivery)) }
            }
        }
    }
}

const fn counted(metric: Metric) -> &'static str {
    match metric {
        Metric::Cost => "money",
        Metric::Tokens => "tokens",
        Metric::Requests | Metric::ParallelRequests => "requests",
    }
}

fn amount(metric: Metric, quantity: &Quantity) -> String {
    let text = quantity.to_string();
    match metric {
        Metric::Cost => text.parse::<NanoUsd>().map_or(text, dollars),
        Metric::Tokens | Metric::Requests | Metric::ParallelRequests => text.parse::<i64>().map_or(text, count),
    }
}

/// How far a delivery has come.
fn told(delivery: &EventDelivery) -> Markup {
    let EventDelivery { endpoint, state, attempts, next_at, delivered_at, last_error } = delivery;
    let (tone, word) = match state {
        DeliveryState::Pending => (Tone::Warn, "Being tried"),
        DeliveryState::Delivered => (Tone::Good, "Accepted"),
        DeliveryState::GivenUp => (Tone::Bad, "Given up"),
    };
    html! {
        div.tight {
            div.row { (badge(tone, word)) code { (endpoint) } }
            div.hint {
                @if let Some(at) = delivered_at { (instant(*at)) " · " }
                (count(*attempts)) @if *attempts == 1 { " try" } @else { " tries" }
                @if let Some(at) = next_at { " · next " (instant(*at)) }
                @if let Some(error) = last_error { " · " (error) }
            }
        }
    }
}
