//! The list of providers.

use std::collections::HashMap;

use actix_web::{HttpResponse, route, web};
use jiff::Timestamp;
use keyward_core::ids::ProviderName;
use keyward_core::model_config::ModelConfig;
use keyward_core::permission::Resource;
use keyward_core::provider::{Provider, ProviderStatus};
use maud::{Markup, html};

use crate::auth::{Authed, ProvidersRead};
use crate::clock;
use crate::dashboard::components::badge::{Tone, badge};
use crate::dashboard::components::empty::empty;
use crate::dashboard::components::limits::meters;
use crate::dashboard::components::number::count;
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::state::State;

#[route("/providers", method = "GET", method = "HEAD")]
pub(super) async fn provider_list(
    caller: Authed<ProvidersRead>,
    state: web::Data<State>,
    theme: Theme,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now) = (Visitor::of(&caller, &state), clock::now());
    let providers = state.store.provider_list().await?.into_iter();
    let providers: Vec<Provider> = providers.map(|provider| state.upstreams.observed(provider)).collect();
    let limits = limits(&state, &visitor, now).await?;
    let may_write = visitor.may_write(Resource::Providers);
    let make = |text: &str| html! { @if may_write { a.button.primary href="/new/providers" { (text) } } };
    let content = html! {
        section.card.flush aria-label="Providers" {
            @if providers.is_empty() { (empty("No providers yet", "A provider is where requests go, with the real keys for it.", &make("Make the first"))) }
            @else { (table(&providers, &limits, &state, now)) }
        }
    };
    let (section, title, actions) = (Section::Providers, "Providers", make("Make a provider"));
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}

/// The providers' own limits, as far as the visitor may see them.
pub(super) async fn limits(
    state: &State,
    visitor: &Visitor,
    now: Timestamp,
) -> Result<HashMap<ProviderName, ModelConfig>, ApiError> {
    let configs = match visitor.may_read(Resource::ModelConfigs) {
        true => state.store.provider_governance_list().await?,
        false => Vec::new(),
    };
    let observed = configs.into_iter().map(|config| config.observed(&state.read(), now));
    Ok(observed.filter_map(|config| Some((config.provider.clone()?, config))).collect())
}

fn table(providers: &[Provider], limits: &HashMap<ProviderName, ModelConfig>, state: &State, now: Timestamp) -> Markup {
    scrolled(
        "Providers",
        &html! { th scope="col" { "Provider" } th scope="col" { "Status" } th scope="col" { "Keys" } th scope="col" { "Limits now" } },
        &html! { @for provider in providers {
            tr {
                th scope="row" {
                    a href=(Link::of(Section::Providers.path(), &provider.name)) { (provider.name) }
                    @if !provider.description.is_empty() { div.hint { (provider.description) } }
                }
                td { (status(provider)) }
                td { (keys(provider)) }
                td.wide {
                    @match limits.get(&provider.name) {
                        Some(config) => (meters(&config.limits(), &|id| state.engine.held(id, now), now)),
                        None => span.muted { "None of its own" },
                    }
                }
            }
        } },
    )
}

/// Whether requests can be sent to a provider.
pub(super) fn status(provider: &Provider) -> Markup {
    match provider.provider_status {
        ProviderStatus::Active => badge(Tone::Good, "Callable"),
        ProviderStatus::Error => badge(Tone::Bad, "Not callable"),
    }
}

fn keys(provider: &Provider) -> Markup {
    let enabled = provider.keys.iter().filter(|key| key.enabled).count();
    let number = |of: usize| count(i64::try_from(of).unwrap_or(i64::MAX));
    html! {
        @if enabled == provider.keys.len() { (number(enabled)) }
        @else { (number(enabled)) " of " (number(provider.keys.len())) " enabled" }
    }
}
