//! One provider: how it is reached, and each of its keys with how it stands.

use actix_web::{HttpResponse, route, web};
use jiff::Timestamp;
use keyward_core::allow_list::AllowList;
use keyward_core::change::Versioned as _;
use keyward_core::ids::ProviderName;
use keyward_core::permission::Resource;
use keyward_core::provider::{KnownProvider, Provider, ProviderKey};
use maud::{Markup, html};

use super::list::{limits, status};
use crate::auth::{Authed, ProvidersRead};
use crate::clock;
use crate::dashboard::components::action::{Call, Look, button, dialog, opener};
use crate::dashboard::components::badge::{Tone, badge};
use crate::dashboard::components::field::{Kind, hidden};
use crate::dashboard::components::limits::meters;
use crate::dashboard::components::number::count;
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::instant;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Path;
use crate::state::State;
use crate::upstreams::Condition;

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
        @if may_write { @for key in &provider.keys { (deletion(&provider, key)) } }
    };
    let crumb = html! { a href=(Section::Providers.path()) { "Providers" } };
    let (section, title, actions) = (Section::Providers, provider.name.to_string(), html! {});
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

fn keys(provider: &Provider, state: &State, may_write: bool, now: Timestamp) -> Markup {
    html! {
        section.card.flush aria-labelledby="keys" {
            div.card-head { h2 #keys { "Keys" } }
            @if provider.keys.is_empty() { p.muted.empty { "It has no keys." } }
            @else {
                (scrolled("Keys", &html! { th scope="col" { "Key" } th scope="col" { "Secret" } th scope="col" { "Stands" } th.number scope="col" { "Weight" }
                            th scope="col" { "Models" } th scope="col" { "Not" } th scope="col" { "Aliases" }
                            @if may_write { th scope="col" { span.unseen { "Actions" } } } }, &html! { @for key in &provider.keys { (row(provider, key, state, may_write, now)) } }))
            }
        }
    }
}

fn row(provider: &Provider, key: &ProviderKey, state: &State, may_write: bool, now: Timestamp) -> Markup {
    let path = api_path(provider, key);
    let etag = key.version().etag();
    let switch = Call { etag: &etag, ..Call::new("PUT", &path) };
    let (turned, text) = if key.enabled { ("false", "Switch off") } else { ("true", "Switch on") };
    let secret = if key.value.from_env { &key.value.env_var } else { &key.value.value };
    html! {
        tr {
            th scope="row" {
                (key.name)
                @if key.use_for_batch_api { " " (badge(Tone::Calm, "batches")) }
                @if !key.description.is_empty() { div.hint { (key.description) } }
            }
            td { @if secret.is_empty() { span.muted { "none" } } @else { code { (secret) } } }
            td { (stands(provider, key, state, now)) }
            td.number { (key.weight) }
            td { (allowed(&key.models, "Every model", "None")) }
            td { (allowed(&key.blacklisted_models, "Every model", "–")) }
            td { @for (asked, served) in key.aliases.iter() { div { code { (asked) } " → " code { (served) } } } }
            @if may_write {
                td.actions {
                    div.row {
                        (button(&switch, text, &hidden("enabled", turned, Kind::Boolean)))
                        (opener(&deletion_id(key), Look::Danger, "Delete"))
                    }
                }
            }
        }
    }
}

/// How a key stands, by what its provider has said and how its attempts have ended.
fn stands(provider: &Provider, key: &ProviderKey, state: &State, now: Timestamp) -> Markup {
    if !key.enabled {
        return badge(Tone::Calm, "Off");
    }
    match state.upstreams.find(&provider.name).and_then(|upstream| upstream.condition(&key.id, now)) {
        Some(Condition::Usable) => badge(Tone::Good, "Usable"),
        Some(Condition::Limited) => badge(Tone::Warn, "Limited by its provider"),
        Some(Condition::Rejected) => badge(Tone::Bad, "Not accepted by its provider"),
        Some(Condition::Open) => badge(Tone::Bad, "Failed too often, and is passed over"),
        Some(Condition::HalfOpen) => badge(Tone::Warn, "Failed, and is tried again"),
        None => badge(Tone::Bad, "Cannot serve: look at its secret and its settings"),
    }
}

fn allowed(list: &AllowList, everything: &str, nothing: &str) -> Markup {
    html! {
        @if list.is_everything() { (everything) }
        @else if list.entries().is_empty() { span.muted { (nothing) } }
        @else { span.row { @for entry in list.entries() { code { (entry) } } } }
    }
}

fn deletion_id(key: &ProviderKey) -> String {
    format!("delete-{}", key.id)
}

fn deletion(provider: &Provider, key: &ProviderKey) -> Markup {
    let (path, etag) = (api_path(provider, key), key.version().etag());
    let call = Call { etag: &etag, ..Call::new("DELETE", &path) };
    let about = html! { p { "“" (key.name) "” serves nothing from now on, and its secret is gone. Switching it off keeps it." } };
    dialog(&deletion_id(key), "Delete this provider key?", &call, &about, (Look::Danger, "Delete"))
}

/// The path of a provider key in the management API.
fn api_path(provider: &Provider, key: &ProviderKey) -> String {
    let keys = Link::of("/api/providers", &provider.name).then("keys").to_string();
    Link::of(&keys, &key.id).to_string()
}
