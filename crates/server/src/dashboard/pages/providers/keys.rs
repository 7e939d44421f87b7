//! The keys of a provider, each with how it stands; to edit, switch off and delete.

use jiff::Timestamp;
use keyward_core::allow_list::AllowList;
use keyward_core::change::Versioned as _;
use keyward_core::ids::ProviderName;
use keyward_core::provider::{Provider, ProviderKey};
use maud::{Markup, html};

use super::detail;
use crate::dashboard::components::action::{Call, Look, button, dialog, opener};
use crate::dashboard::components::badge::{Tone, badge};
use crate::dashboard::components::field::{Kind, hidden};
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::state::State;
use crate::upstreams::Condition;

/// The keys of a provider.
pub(super) fn keys(provider: &Provider, state: &State, may_write: bool, now: Timestamp) -> Markup {
    let head = html! {
        th scope="col" { "Key" } th scope="col" { "Secret" } th scope="col" { "Stands" } th.number scope="col" { "Weight" }
        th scope="col" { "Models" } th scope="col" { "Not" } th scope="col" { "Aliases" }
        @if may_write { th scope="col" { span.unseen { "Actions" } } }
    };
    html! {
        section.card.flush aria-labelledby="keys" {
            div.card-head {
                h2 #keys { "Keys" }
                @if may_write { a.button.small href=(page(&provider.name).then("new")) { "Add a key" } }
            }
            @if provider.keys.is_empty() { p.muted.empty { "It has no keys." } }
            @else { (scrolled("Keys", &head, &html! { @for key in &provider.keys { (row(provider, key, state, may_write, now)) } })) }
        }
        @if may_write { @for key in &provider.keys { (deletion(provider, key)) } }
    }
}

/// Where the forms of a provider's keys are.
fn page(provider: &ProviderName) -> Link {
    Link::of(Section::Providers.path(), provider).then("keys")
}

fn row(provider: &Provider, key: &ProviderKey, state: &State, may_write: bool, now: Timestamp) -> Markup {
    let path = api_path(&provider.name, key);
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
                        a.button href=(Link::of(&page(&provider.name).to_string(), &key.id).then("edit")) aria-label={ "Edit " (key.name) } { "Edit" }
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
    let (path, etag) = (api_path(&provider.name, key), key.version().etag());
    let call = Call { etag: &etag, ..Call::new("DELETE", &path) };
    let about = html! { p { "“" (key.name) "” serves nothing from now on, and its secret is gone. Switching it off keeps it." } };
    dialog(&deletion_id(key), "Delete this provider key?", &call, &about, (Look::Danger, "Delete"))
}

/// The path of a provider key in the management API.
pub(super) fn api_path(provider: &ProviderName, key: &ProviderKey) -> String {
    Link::of(&api_path_of_all(provider), &key.id).to_string()
}

/// The path of all keys of a provider there.
pub(super) fn api_path_of_all(provider: &ProviderName) -> String {
    format!("{}/keys", detail::api_path(provider))
}
