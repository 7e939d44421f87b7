//! The forms that make and edit a provider key. Its secrets are written and never shown: a field that stays empty leaves them as they
//! are.

use actix_web::{HttpResponse, route, web};
use keyward_core::allow_list::AllowList;
use keyward_core::change::Versioned as _;
use keyward_core::ids::{ProviderKeyId, ProviderName};
use keyward_core::provider::ProviderKey;
use keyward_core::secret::EnvVar;
use maud::{Markup, html};

use super::clouds::settings;
use super::form::crumb;
use super::keys::{api_path, api_path_of_all};
use crate::auth::{Authed, ProvidersWrite};
use crate::dashboard::components::action::{Call, footer, form};
use crate::dashboard::components::field::{Empty, Field, Kind};
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::pages::options::MODELS;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Path;
use crate::state::State;

#[route("/providers/{name}/keys/new", method = "GET", method = "HEAD")]
pub(super) async fn provider_key_new(
    caller: Authed<ProvidersWrite>,
    state: web::Data<State>,
    theme: Theme,
    name: Path<ProviderName>,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let provider = state.store.provider_get(name.0).await?.name;
    let (path, back) = (api_path_of_all(&provider), Link::of(Section::Providers.path(), &provider).to_string());
    let call = Call { then: &back, ..Call::new("POST", &path) };
    let content = sheet(&call, &provider, None, "Make the key", &back);
    let (section, title, actions) = (Section::Providers, format!("Make a key for {provider}"), html! {});
    let crumb = Some(crumb(&provider));
    Ok(Page { visitor: &visitor, theme, section, title: &title, crumb, actions, content }.respond())
}

#[route("/providers/{name}/keys/{key}/edit", method = "GET", method = "HEAD")]
pub(super) async fn provider_key_edit(
    caller: Authed<ProvidersWrite>,
    state: web::Data<State>,
    theme: Theme,
    path: Path<(ProviderName, ProviderKeyId)>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, (provider, id)) = (Visitor::of(&caller, &state), path.0);
    let key = state.store.provider_key_get(provider.clone(), id).await?;
    let back = Link::of(Section::Providers.path(), &provider).to_string();
    let (path, etag) = (api_path(&provider, &key), key.version().etag());
    let call = Call { etag: &etag, then: &back, ..Call::new("PUT", &path) };
    let content = sheet(&call, &provider, Some(&key), "Save", &back);
    let (section, title, actions) = (Section::Providers, format!("Edit {}", key.name), html! {});
    let crumb = Some(crumb(&provider));
    Ok(Page { visitor: &visitor, theme, section, title: &title, crumb, actions, content }.respond())
}

fn sheet(call: &Call<'_>, provider: &ProviderName, key: Option<&ProviderKey>, text: &str, back: &str) -> Markup {
    let content = html! {
        section.card aria-label="The key" { (identity(key)) (secret(key)) }
        (settings(provider.as_str(), key))
        section.card aria-label="What it serves" { (serves(key)) }
        (footer(text, back))
    };
    form(call, "sheet", &content)
}

fn identity(key: Option<&ProviderKey>) -> Markup {
    html! {
        (Field::new("name", "Name").value(key.map_or("", |key| &key.name)).reads(Kind::Text, Empty::Text).required().hint("No two provider keys have the same.").input())
        (Field::new("description", "Description").value(key.map_or("", |key| &key.description)).reads(Kind::Text, Empty::Text).area())
        (Field::new("enabled", "Enabled").hint("Switched off, the key serves nothing.").checkbox(key.is_none_or(|key| key.enabled)))
    }
}

fn secret(key: Option<&ProviderKey>) -> Markup {
    let now = stored(key.map(|key| &key.value));
    let hint = match now.as_str() {
        "" => "Or env.NAME, for a variable of the server's environment. It is stored encrypted, and never shown again.",
        now => now,
    };
    html! {
        div.tight {
            (Field::new("value", "Secret").hint(hint).secret())
            @if !now.is_empty() { (Field::new("value", "Take it away").within("no-").clearing()) }
        }
    }
}

/// What is said of a secret that is kept: its two ends, or where it comes from. Empty: none is kept.
pub(super) fn stored(value: Option<&EnvVar>) -> String {
    match value.map(EnvVar::text) {
        None | Some("") => String::new(),
        Some(shown) => format!("Now {shown}. Empty: it stays. Another one, or env.NAME, takes its place."),
    }
}

fn serves(key: Option<&ProviderKey>) -> Markup {
    let everything = AllowList::everything();
    let models = key.map_or(&everything, |key| &key.models).entries().join("\n");
    let blocked = key.map(|key| key.blacklisted_models.entries().join("\n")).unwrap_or_default();
    let aliases =
        key.map(|key| key.aliases.iter().map(|(asked, served)| format!("{asked}={served}")).collect::<Vec<_>>());
    let weight = key.map_or(1.0, |key| key.weight).to_string();
    html! {
        div.fields {
            (Field::new("models", "Models").value(&models).reads(Kind::List, Empty::List).hint("One in a line. * is every model; empty is none.").gathered(MODELS))
            (Field::new("blacklisted_models", "Models that it does not serve").value(&blocked).reads(Kind::List, Empty::List).gathered(MODELS))
            (Field::new("aliases", "Aliases").value(&aliases.unwrap_or_default().join("\n")).reads(Kind::Pairs, Empty::Pairs).placeholder("gpt-4.1=my-deployment")
                .hint("asked=served in each line: the provider's own model by the name that requests use.").area())
            (Field::new("weight", "Weight").value(&weight).reads(Kind::Number, Empty::Omit).hint("Its share among the provider's keys.").input())
        }
        (Field::new("use_for_batch_api", "It serves batches").checkbox(key.is_some_and(|key| key.use_for_batch_api)))
    }
}
