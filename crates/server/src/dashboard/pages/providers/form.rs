//! The forms that make and edit a provider.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, route, web};
use keyward_core::change::Versioned as _;
use keyward_core::ids::ProviderName;
use keyward_core::operation::Operation;
use keyward_core::provider::{CustomProviderConfig, KnownProvider, NetworkConfig, Provider};
use maud::{Markup, html};

use super::detail::api_path;
use crate::auth::{Authed, ProvidersWrite};
use crate::dashboard::components::action::{Call, footer, form};
use crate::dashboard::components::field::{Empty, Field, Kind};
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Path;
use crate::state::State;

#[route("/new/providers", method = "GET", method = "HEAD")]
pub(super) async fn provider_new(
    caller: Authed<ProvidersWrite>,
    state: web::Data<State>,
    theme: Theme,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let call = Call { then: "/providers/{name}", ..Call::new("POST", "/api/providers") };
    let content = sheet(&call, None, "Make the provider", Section::Providers.path());
    let crumb = html! { a href=(Section::Providers.path()) { "Providers" } };
    let (section, title, actions) = (Section::Providers, "Make a provider", html! {});
    Ok(Page { visitor: &visitor, theme, section, title, crumb: Some(crumb), actions, content }.respond())
}

#[route("/providers/{name}/edit", method = "GET", method = "HEAD")]
pub(super) async fn provider_edit(
    caller: Authed<ProvidersWrite>,
    state: web::Data<State>,
    theme: Theme,
    name: Path<ProviderName>,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let provider = state.store.provider_get(name.0).await?;
    let back = Link::of(Section::Providers.path(), &provider.name).to_string();
    let (path, etag) = (api_path(&provider.name), provider.version().etag());
    let call = Call { etag: &etag, then: &back, ..Call::new("PUT", &path) };
    let content = sheet(&call, Some(&provider), "Save", &back);
    let (section, title, actions) = (Section::Providers, format!("Edit {}", provider.name), html! {});
    let crumb = Some(crumb(&provider.name));
    Ok(Page { visitor: &visitor, theme, section, title: &title, crumb, actions, content }.respond())
}

/// The way back to a provider.
pub(super) fn crumb(provider: &ProviderName) -> Markup {
    let page = Link::of(Section::Providers.path(), provider);
    html! { a href=(Section::Providers.path()) { "Providers" } " / " a href=(page) { (provider) } }
}

fn sheet(call: &Call<'_>, provider: Option<&Provider>, text: &str, back: &str) -> Markup {
    let network = provider.map(|provider| provider.network_config.clone()).unwrap_or_default();
    let may_be_own = provider.is_none_or(|provider| KnownProvider::find(provider.name.as_str()).is_none());
    let content = html! {
        section.card aria-label="The provider" { (identity(provider)) (address(&network)) }
        section.card aria-label="How it is reached" { (patience(&network)) (headers(&network)) (sizes(provider)) }
        @if may_be_own { section.card aria-labelledby="own" { (own(provider)) } }
        (footer(text, back))
    };
    form(call, "sheet", &content)
}

fn identity(provider: Option<&Provider>) -> Markup {
    let description = provider.map_or("", |provider| &provider.description);
    html! {
        @if provider.is_none() {
            (Field::new("name", "Name").reads(Kind::Text, Empty::Text).required().suggesting("known-providers").placeholder("openai")
                .hint("A known one, or any other for one of your own. It is the first part of provider/model, and stays.").input())
            datalist #known-providers { @for name in KnownProvider::names() { option value=(name) {} } }
        }
        (Field::new("description", "Description").value(description).reads(Kind::Text, Empty::Text).area())
    }
}

fn address(network: &NetworkConfig) -> Markup {
    let address = network.base_url.as_ref().map_or("", |address| address.as_str());
    Field::new("network_config.base_url", "Address")
        .value(address)
        .reads(Kind::Text, Empty::Null)
        .placeholder("https://api.openai.com")
        .hint("Its origin; empty: the usual one of a known provider.")
        .input()
}

fn patience(network: &NetworkConfig) -> Markup {
    let NetworkConfig {
        base_url: _,
        extra_headers: _,
        default_request_timeout_in_seconds: timeout,
        max_retries,
        retry_backoff_initial: first,
        retry_backoff_max: most,
    } = network;
    let number = |name: &str, label: &str, value: Option<u32>, hint: &str| {
        let (path, value) = (format!("network_config.{name}"), value.map(|value| value.to_string()));
        let field = Field::new(&path, label).value(value.as_deref().unwrap_or_default());
        field.reads(Kind::Number, Empty::Null).hint(hint).input()
    };
    let wait = "Milliseconds, or such as 2s. Empty:";
    html! {
        div.fields {
            (number("default_request_timeout_in_seconds", "Patience, in seconds", timeout.map(u32::from), "For the first byte, and between two pieces of a stream. Empty: 300."))
            (number("max_retries", "Retries", max_retries.map(u32::from), "At most 10. Each try is charged on its own. Empty: none."))
            (number("retry_backoff_initial", "Wait before the first retry", first.map(|wait| wait.count()), &format!("{wait} 500. It doubles with each.")))
            (number("retry_backoff_max", "Longest wait", most.map(|wait| wait.count()), &format!("{wait} 5000.")))
        }
    }
}

fn headers(network: &NetworkConfig) -> Markup {
    let lines: Vec<String> = network.extra_headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Field::new("network_config.extra_headers", "Headers that every request gets")
        .value(&lines.join("\n"))
        .reads(Kind::Pairs, Empty::Pairs)
        .placeholder("x-team=platform")
        .hint("name=value in each line; env.NAME is a variable of the server's environment. A secret is shown redacted, and stays where its line does.")
        .area()
}

/// What only the compatible product makes use of.
fn sizes(provider: Option<&Provider>) -> Markup {
    let sizes = provider.and_then(|provider| provider.concurrency_and_buffer_size);
    let field = |name: &str, label: &str, value: Option<u32>| {
        let (path, value) = (format!("concurrency_and_buffer_size.{name}"), value.map(|value| value.to_string()));
        let field = Field::new(&path, label).value(value.as_deref().unwrap_or_default());
        field.reads(Kind::Number, Empty::Null).input()
    };
    html! {
        details.more {
            summary { "Queue of the compatible product" }
            div.stack {
                p.hint { "Kept for its clients: there is no queue here. Limit a key's requests at the same time instead." }
                div.fields data-group="concurrency_and_buffer_size" data-empty="null" {
                    (field("concurrency", "Requests in flight", sizes.map(|sizes| sizes.concurrency)))
                    (field("buffer_size", "Requests in the queue", sizes.map(|sizes| sizes.buffer_size)))
                }
            }
        }
    }
}

/// What a provider of one's own is like.
fn own(provider: Option<&Provider>) -> Markup {
    let own = provider.and_then(|provider| provider.custom_provider_config.as_ref());
    let like = own.map_or("", |own| &own.base_provider_type);
    let options: Vec<(&str, &str)> = std::iter::once(("", "Nobody: as OpenAI does"))
        .chain(KnownProvider::dialects().map(|name| (name, name)))
        .collect();
    html! {
        h2 #own { "A provider of your own" }
        p.hint { "Leave this as it is for a known provider." }
        div.stack data-group="custom_provider_config" data-empty="null" {
            (Field::new("custom_provider_config.base_provider_type", "It does as").value(like).reads(Kind::Text, Empty::Null)
                .hint("The known provider whose paths it has.").select(&options))
            (Field::new("custom_provider_config.is_key_less", "It needs no key").hint("It gets none, then.").checkbox(own.is_some_and(|own| own.is_key_less)))
            (kinds(own))
        }
    }
}

/// Which kinds of requests it takes: every kind, unless some are chosen.
fn kinds(own: Option<&CustomProviderConfig>) -> Markup {
    let known: BTreeSet<&str> = Operation::ALL.iter().flat_map(|operation| operation.kinds()).collect();
    let every = ("*".to_owned(), "Every kind".to_owned());
    let options: Vec<_> =
        std::iter::once(every).chain(known.into_iter().map(|kind| (kind.to_owned(), kind.to_owned()))).collect();
    let chosen = match own.and_then(|own| own.allowed_requests.as_ref()) {
        Some(kinds) => kinds.iter().filter(|(_, takes)| **takes).map(|(kind, _)| kind.clone()).collect(),
        None => vec!["*".to_owned()],
    };
    Field::new("custom_provider_config.allowed_requests", "Kinds of requests that it takes")
        .reads(Kind::Flags, Empty::Omit)
        .hint("None chosen: it takes none.")
        .choices(&options, &chosen)
}
