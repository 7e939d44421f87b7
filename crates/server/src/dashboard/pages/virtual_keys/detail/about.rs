//! What a virtual key is and may do, in words.

use jiff::Timestamp;
use keyward_core::provider_config::ProviderConfig;
use keyward_core::virtual_key::VirtualKey;
use maud::{Markup, html};

use crate::dashboard::components::badge::key_state;
use crate::dashboard::components::number::count;
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::{instant, instant_or};
use crate::dashboard::pages::virtual_keys::parts::{allowed, ends, owner};

/// What the key is.
pub(super) fn facts(key: &VirtualKey, now: Timestamp) -> Markup {
    let providers = if key.allow_all_providers { "Every provider" } else { "Those below" };
    let parallel = key
        .max_parallel_requests
        .map_or("Any number of requests".to_owned(), |most| format!("{} requests", count(most.get())));
    let contents = match key.disable_content_logging {
        Some(false) => "Logged, where the server leaves it to each key",
        Some(true) | None => "Not logged",
    };
    html! {
        section.card aria-labelledby="facts" {
            div.card-head { h2 #facts { "About this key" } (key_state(key, now)) }
            dl.facts {
                dt { "Secret" }
                dd { code #secret-shown { (ends(key)) } p #secret-shown-error.error role="alert" {} }
                dt { "Belongs to" }
                dd { (owner(key)) }
                @if !key.description.is_empty() { dt { "Description" } dd { (key.description) } }
                dt { "Expires" }
                dd {
                    (instant_or(key.expires_at, "never"))
                    @if key.delete_after_expire { " " span.muted { "and is deleted then" } }
                }
                dt { "Providers" }
                dd { (providers) }
                dt { "At the same time" }
                dd { (parallel) }
                dt { "Contents" }
                dd { (contents) }
                @if let Some(until) = key.previous_value_expires_at { dt { "Old secret" } dd { "works until " (instant(until)) } }
                @if !key.metadata.is_empty() {
                    dt { "Labels" }
                    dd.row { @for (name, value) in key.metadata.iter() { span.badge.plain { (name) "=" (value) } } }
                }
                dt { "Made" }
                dd { (instant(key.created_at)) }
                dt { "Edited" }
                dd { (instant(key.updated_at)) }
                @if let Some(at) = key.rotated_at { dt { "Rotated" } dd { (instant(at)) } }
                dt { "Id" }
                dd { code { (key.id) } }
            }
        }
    }
}

/// What the key may do at single providers, and with tools.
pub(super) fn configs(key: &VirtualKey) -> Markup {
    let head = html! {
        th scope="col" { "Provider" }
        th.number scope="col" { "Weight" }
        th scope="col" { "Models" }
        th scope="col" { "Not allowed" }
        th scope="col" { "Provider keys" }
    };
    let body = html! { @for config in &key.provider_configs { (config_row(config)) } };
    html! {
        @if !key.provider_configs.is_empty() {
            section.card.flush aria-labelledby="providers" {
                div.card-head { h2 #providers { "Providers" } }
                (scrolled("Providers", &head, &body))
            }
        }
        @if !key.mcp_configs.is_empty() {
            section.card aria-labelledby="tools" {
                h2 #tools { "Tools" }
                dl.facts {
                    @for config in &key.mcp_configs {
                        dt { (config.mcp_client_name) }
                        dd { (allowed(&config.tools_to_execute, "Every tool", "None")) }
                    }
                }
            }
        }
    }
}

fn config_row(config: &ProviderConfig) -> Markup {
    html! {
        tr {
            th scope="row" { (config.provider) }
            td.number {
                @match config.weight {
                    Some(weight) => (weight),
                    None => span.muted { "when named" },
                }
            }
            td { (allowed(&config.allowed_models, "Every model", "None")) }
            td { (allowed(&config.blacklisted_models, "Every model", "–")) }
            td.row {
                @if config.allow_all_keys { "Every key" }
                @else if config.keys.is_empty() { span.muted { "None" } }
                @else { @for key in &config.keys { span.badge.plain { (key.name) } } }
            }
        }
    }
}
