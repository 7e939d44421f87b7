//! The forms that make and edit the limits of a model or of a provider.

use actix_web::{HttpResponse, route, web};
use keyward_core::change::Versioned as _;
use keyward_core::ids::ModelConfigId;
use keyward_core::model_config::ModelConfig;
use keyward_store::Store;
use maud::{Markup, html};

use super::list::{api_path, covered};
use crate::auth::{Authed, ModelConfigsWrite};
use crate::dashboard::components::action::{Call, footer, form};
use crate::dashboard::components::choice::Choice;
use crate::dashboard::components::field::{Empty, Field, Kind};
use crate::dashboard::components::limits_form::{limits, templates};
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::pages::options::{MODELS, Many, choose_provider};
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Path;
use crate::state::State;

const SCOPES: [(&str, &str); 2] = [("global", "Everybody"), ("virtual_key", "One virtual key")];

#[route("/new/limits", method = "GET", method = "HEAD")]
pub(super) async fn model_config_new(
    caller: Authed<ModelConfigsWrite>,
    state: web::Data<State>,
    theme: Theme,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let offered = Offered::load(&caller.store(&state), &visitor).await?;
    let call = Call { then: Section::Limits.path(), ..Call::new("POST", "/api/governance/model-configs") };
    let content = sheet(&call, None, &offered, "Make the limits");
    let (section, title, actions) = (Section::Limits, "Limit a model or a provider", html! {});
    Ok(Page { visitor: &visitor, theme, section, title, crumb: Some(crumb()), actions, content }.respond())
}

#[route("/limits/{id}/edit", method = "GET", method = "HEAD")]
pub(super) async fn model_config_edit(
    caller: Authed<ModelConfigsWrite>,
    state: web::Data<State>,
    theme: Theme,
    id: Path<ModelConfigId>,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let config = state.store.model_config_get(id.0).await?;
    let offered = Offered::load(&caller.store(&state), &visitor).await?;
    let (path, etag) = (api_path(&config), config.version().etag());
    let call = Call { etag: &etag, then: Section::Limits.path(), ..Call::new("PUT", &path) };
    let content = sheet(&call, Some(&config), &offered, "Save");
    let (section, title, actions) = (Section::Limits, format!("Edit the limits of {}", covered(&config)), html! {});
    Ok(Page { visitor: &visitor, theme, section, title: &title, crumb: Some(crumb()), actions, content }.respond())
}

fn crumb() -> Markup {
    html! { a href=(Section::Limits.path()) { "Limits" } }
}

/// What there is to choose from.
struct Offered {
    providers: Choice,
    keys: Choice,
}

impl Offered {
    async fn load(store: &Store, visitor: &Visitor) -> Result<Self, ApiError> {
        let keys = Many::VirtualKeys.choice(store, visitor, "").await?;
        Ok(Self { providers: choose_provider(store, visitor).await?, keys })
    }
}

fn sheet(call: &Call<'_>, config: Option<&ModelConfig>, offered: &Offered, text: &str) -> Markup {
    let own = config.map(ModelConfig::limits).unwrap_or_default();
    let content = html! {
        section.card aria-label="What is limited" { (place(config, offered)) }
        section.card aria-label="Limits" {
            (limits("", &own))
            (Field::new("calendar_aligned", "New limits follow the calendar").checkbox(config.is_some_and(|config| config.calendar_aligned)))
        }
        (footer(text, Section::Limits.path()))
    };
    html! { (form(call, "sheet", &content)) (templates()) }
}

fn place(config: Option<&ModelConfig>, offered: &Offered) -> Markup {
    let model = config.map_or("*", |config| config.model_name.as_str());
    let provider = config.and_then(|config| config.provider.as_ref()).map(ToString::to_string).unwrap_or_default();
    let empty = if config.is_some() { Empty::Null } else { Empty::Omit };
    html! {
        div.fields {
            (Field::new("model_name", "Model").value(model).required().hint("As its provider calls it; * is every model.").looked_for(MODELS, ""))
            (Field::new("provider", "Provider").value(&provider).reads(Kind::Text, empty).hint("Every model of one provider: that is the provider's own limit.").choose(&offered.providers, "Any"))
        }
        @if config.is_none() {
            div.fields {
                (Field::new("scope", "For").value("global").select(&SCOPES))
                (Field::new("scope_id", "Virtual key").hint("Where it is for one key.").choose(&offered.keys, "None"))
            }
        }
    }
}
