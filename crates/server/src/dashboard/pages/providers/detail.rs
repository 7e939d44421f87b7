//! One provider: how it is reached, what limits it, and its keys.

use actix_web::{HttpResponse, route, web};
use keyward_core::change::Versioned as _;
use keyward_core::ids::ProviderName;
use keyward_core::permission::Resource;
use keyward_core::provider::{KnownProvider, Provider};
use maud::{Markup, html};

use super::keys::keys;
use super::list::{limits, status};
use crate::auth::{Authed, ProvidersRead};
use crate::clock;
use crate::dashboard::components::action::{Call, Look, dialog, opener};
use crate::dashboard::components::limits::meters;
use crate::dashboard::components::number::count;
use crate::dashboard::components::time::instant;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Path;
use crate::state::State;

#[route("/providers/{name}", method = "GET", method = "HEAD")]
pub(super) async fn provider_detail(
    caller: Authed<ProvidersRead>,
    state: web::Data<State>,
    theme: Theme,
    name: Path<ProviderName>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now) = (Visitor::of(&caller, &state), clock::now());
    let provider = state.upstreams.observed(state.store.provider_get(name.0).await?);
    let limits = limits(&state, &visitor, now).await?;
    let may_write = visitor.may_write(Resource::Providers);
    let content = html! {
        div.columns {
            (facts(&provider))
            section.card aria-labelledby="limits" {
                h2 #limits { "Limits now" }
                @match limits.get(&provider.name) {
                    Some(config) => (meters(&config.limits(), &|id| state.engine.held(id, now), now)),
                    None => p.muted { "No limits of its own." },
                }
            }
        }
        (keys(&provider, &state, may_write, now))
        @if may_write { (deletion(&provider)) }
    };
    let crumb = html! { a href=(Section::Providers.path()) { "Providers" } };
    let actions = html! {
        @if may_write {
            a.button href=(Link::of(Section::Providers.path(), &provider.name).then("edit")) { "Edit" }
            (opener("delete", Look::Danger, "Delete"))
        }
    };
    let (section, title) = (Section::Providers, provider.name.to_string());
    Ok(Page { visitor: &visitor, theme, section, title: &title, crumb: Some(crumb), actions, content }.respond())
}

fn facts(provider: &Provider) -> Markup {
    let network = &provider.network_config;
    let own = provider.custom_provider_config.as_ref().map(|custom| custom.base_provider_type.as_str());
    html! {
        section.card aria-labelledby="facts" {
            div.card-head { h2 #facts { "About this provider" } (status(provider)) }
            dl.facts {
                @if !provider.description.is_empty() { dt { "Description" } dd { (provider.description) } }
                dt { "Address" } dd {
                    @match &network.base_url {
                        Some(address) => code { (address.as_str()) },
                        None => span.muted { (if KnownProvider::needs_no_address(provider.name.as_str()) { "its usual one" } else { "none" }) },
                    }
                }
                @if let Some(dialect) = own { dt { "Speaks like" } dd { (dialect) } }
                dt { "Patience" } dd { (count(network.default_request_timeout_in_seconds.unwrap_or(300))) " s for the first byte, and between two pieces" }
                dt { "Retries" } dd { (count(network.max_retries.unwrap_or(0))) }
                @if !network.extra_headers.is_empty() {
                    dt { "Headers" } dd { @for (name, value) in &network.extra_headers { div { code { (name) ": " (value) } } } }
                }
                dt { "Made" } dd { (instant(provider.created_at)) }
                dt { "Edited" } dd { (instant(provider.updated_at)) }
            }
        }
    }
}

fn deletion(provider: &Provider) -> Markup {
    let (path, etag) = (api_path(&provider.name), provider.version().etag());
    let call = Call { etag: &etag, then: Section::Providers.path(), ..Call::new("DELETE", &path) };
    let about = html! {
        p { "“" (provider.name) "” is called no more, and its keys with their secrets are gone. Virtual keys that name it stay, and may use nothing there." }
    };
    dialog("delete", "Delete this provider?", &call, &about, (Look::Danger, "Delete"))
}

/// The path of a provider in the management API.
pub(super) fn api_path(provider: &ProviderName) -> String {
    Link::of("/api/providers", provider).to_string()
}
