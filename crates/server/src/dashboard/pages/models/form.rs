//! The forms that make and edit a pricing override.

use actix_web::{HttpResponse, route, web};
use keyward_core::change::Versioned as _;
use keyward_core::ids::PricingOverrideId;
use keyward_core::pricing_override::{PricingOverride, PricingScopeKind, RequestType};
use keyward_store::Store;
use maud::{Markup, html};

use super::overrides::{api_path, prices};
use crate::auth::{Authed, PricingWrite};
use crate::dashboard::components::action::{Call, footer, form};
use crate::dashboard::components::choice::Choice;
use crate::dashboard::components::field::{Empty, Field, Kind};
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::pages::options::{MODELS, Many, choose_provider, choose_provider_key};
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Path;
use crate::state::State;

/// The prices that are mostly overridden; others are shown where an override has them.
const USUAL: [(&str, &str); 4] = [
    ("input_cost_per_token", "Input token"),
    ("output_cost_per_token", "Output token"),
    ("cache_read_input_token_cost", "Token read from the cache"),
    ("cache_creation_input_token_cost", "Token written to the cache"),
];
const MATCHES: [(&str, &str); 2] = [("exact", "This model"), ("wildcard", "What begins so: name*")];

#[route("/models/overrides/new", method = "GET", method = "HEAD")]
pub(super) async fn pricing_override_new(
    caller: Authed<PricingWrite>,
    state: web::Data<State>,
    theme: Theme,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let offered = Offered::load(&caller.store(&state), &visitor, None).await?;
    let call = Call { then: Section::Models.path(), ..Call::new("POST", "/api/governance/pricing-overrides") };
    let content = sheet(&call, None, &offered, "Make the override");
    let (section, title) = (Section::Models, "Override prices");
    let (crumb, actions) = (Some(crumb()), html! {});
    Ok(Page { visitor: &visitor, theme, section, title, crumb, actions, content }.respond())
}

#[route("/models/overrides/{id}/edit", method = "GET", method = "HEAD")]
pub(super) async fn pricing_override_edit(
    caller: Authed<PricingWrite>,
    state: web::Data<State>,
    theme: Theme,
    id: Path<PricingOverrideId>,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let entry = state.store.pricing_override_get(id.0).await?;
    let (path, etag) = (api_path(&entry), entry.version().etag());
    let call = Call { etag: &etag, then: Section::Models.path(), ..Call::new("PUT", &path) };
    let offered = Offered::load(&caller.store(&state), &visitor, Some(&entry)).await?;
    let content = sheet(&call, Some(&entry), &offered, "Save");
    let (section, title) = (Section::Models, format!("Edit {}", entry.name));
    let (crumb, actions) = (Some(crumb()), html! {});
    Ok(Page { visitor: &visitor, theme, section, title: &title, crumb, actions, content }.respond())
}

fn crumb() -> Markup {
    html! { a href=(Section::Models.path()) { "Models and prices" } }
}

/// What there is to choose from.
struct Offered {
    providers: Choice,
    keys: Choice,
    provider_keys: Choice,
}

impl Offered {
    async fn load(store: &Store, visitor: &Visitor, entry: Option<&PricingOverride>) -> Result<Self, ApiError> {
        let key = entry.and_then(|entry| entry.virtual_key_id.as_ref()).map(ToString::to_string).unwrap_or_default();
        Ok(Self {
            providers: choose_provider(store, visitor).await?,
            keys: Many::VirtualKeys.choice(store, visitor, &key).await?,
            provider_keys: choose_provider_key(store, visitor).await?,
        })
    }
}

fn sheet(call: &Call<'_>, entry: Option<&PricingOverride>, offered: &Offered, text: &str) -> Markup {
    let content = html! {
        section.card aria-label="The override" { (subject(entry, offered)) }
        section.card aria-label="Prices" { (patch(entry)) }
        (footer(text, Section::Models.path()))
    };
    form(call, "sheet", &content)
}

fn subject(entry: Option<&PricingOverride>, offered: &Offered) -> Markup {
    let scopes = PricingScopeKind::ALL.map(|kind| (kind.as_str(), scope_name(kind)));
    let text = |id: Option<String>| id.unwrap_or_default();
    let key = text(entry.and_then(|entry| entry.virtual_key_id.as_ref()).map(ToString::to_string));
    let provider = text(entry.and_then(|entry| entry.provider_id.as_ref()).map(ToString::to_string));
    let provider_key = text(entry.and_then(|entry| entry.provider_key_id.as_ref()).map(ToString::to_string));
    let kinds = entry.map_or_else(
        || RequestType::ChatCompletion.as_str().to_owned(),
        |entry| entry.request_types.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join("\n"),
    );
    let empty = if entry.is_some() { Empty::Null } else { Empty::Omit };
    html! {
        (Field::new("name", "Name").value(entry.map_or("", |entry| &entry.name)).reads(Kind::Text, Empty::Text).required().input())
        div.fields {
            (Field::new("pattern", "Model").value(entry.map_or("", |entry| &entry.pattern)).reads(Kind::Text, Empty::Text).required().looked_for(MODELS, ""))
            (Field::new("match_type", "Means").value(entry.map_or("exact", |entry| entry.match_type.as_str())).select(&MATCHES))
        }
        (Field::new("request_types", "Kinds of requests").value(&kinds).reads(Kind::List, Empty::List).hint("One in a line, such as chat_completion or embedding; a kind has its streams with it.").area())
        div.fields {
            (Field::new("scope_kind", "Whose requests").value(entry.map_or("global", |entry| entry.scope_kind.as_str())).select(&scopes))
            (Field::new("provider_id", "Provider").value(&provider).reads(Kind::Text, empty).hint("Where the scope has one.").choose(&offered.providers, "None"))
            (Field::new("virtual_key_id", "Virtual key").value(&key).reads(Kind::Text, empty).hint("Where the scope has one.").choose(&offered.keys, "None"))
            (Field::new("provider_key_id", "Provider key").value(&provider_key).reads(Kind::Text, empty).hint("Where the scope has one.").choose(&offered.provider_keys, "None"))
        }
    }
}

const fn scope_name(kind: PricingScopeKind) -> &'static str {
    match kind {
        PricingScopeKind::Global => "Everybody's",
        PricingScopeKind::Provider => "Those to one provider",
        PricingScopeKind::ProviderKey => "Those of one provider key",
        PricingScopeKind::VirtualKey => "Those of one virtual key",
        PricingScopeKind::VirtualKeyProvider => "Those of one virtual key to one provider",
        PricingScopeKind::VirtualKeyProviderKey => "Those of one virtual key by one provider key",
    }
}

/// All prices of an override: it is replaced as a whole.
fn patch(entry: Option<&PricingOverride>) -> Markup {
    let there = entry.map(prices).unwrap_or_default();
    let price_of = |field: &str| there.iter().find(|(name, _)| name == field).map_or("", |(_, price)| price.as_str());
    let others = there.iter().filter(|(name, _)| !USUAL.iter().any(|(usual, _)| usual == name));
    html! {
        p.hint { "US dollars for one, such as 0.0000025; 0 is free. What is empty costs what the catalogue says." }
        div.fields data-group="patch" {
            @for (field, label) in USUAL { (price_field(field, label, price_of(field))) }
            @for (field, price) in others { (price_field(field, field, price)) }
        }
    }
}

fn price_field(field: &str, label: &str, price: &str) -> Markup {
    Field::new(&format!("patch.{field}"), label).value(price).reads(Kind::Number, Empty::Omit).input()
}
