//! The limits of models and providers.

use actix_web::{HttpResponse, route, web};
use jiff::Timestamp;
use keyward_core::change::Versioned as _;
use keyward_core::model_config::{ModelConfig, ModelConfigQuery};
use keyward_core::permission::Resource;
use maud::{Markup, html};
use serde::Deserialize;

use super::{MODELS, parts};
use crate::auth::{Authed, ModelConfigsRead};
use crate::clock;
use crate::dashboard::components::action::{Call, Look, dialog, opener};
use crate::dashboard::components::choice::Choice;
use crate::dashboard::components::empty::empty;
use crate::dashboard::components::filter::{choice, text};
use crate::dashboard::components::limits::meters;
use crate::dashboard::components::pager::{PAGE, pager};
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::form::said;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::pages::options::choose_provider;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Query;
use crate::state::State;

/// What is asked of the list; fields that are empty say nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    search: String,
    provider: String,
    offset: String,
}

impl Asked {
    fn query(&self) -> ModelConfigQuery {
        ModelConfigQuery {
            limit: Some(PAGE.to_string()),
            offset: said(&self.offset),
            search: said(&self.search),
            provider: said(&self.provider),
            ..ModelConfigQuery::default()
        }
    }

    fn link(&self) -> Link {
        Link::to(Section::Limits.path()).with("search", &self.search).with("provider", &self.provider)
    }

    fn is_narrowed(&self) -> bool {
        !self.search.is_empty() || !self.provider.is_empty()
    }
}

#[route("/limits", method = "GET", method = "HEAD")]
pub(super) async fn model_config_list(
    caller: Authed<ModelConfigsRead>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now, asked) = (Visitor::of(&caller, &state), clock::now(), asked.0);
    let filter = asked.query().check()?;
    let listed = state.store.model_config_list(filter.clone()).await?;
    let configs: Vec<_> = listed.entries.into_iter().map(|config| config.observed(&state.read(), now)).collect();
    let may_write = visitor.may_write(Resource::ModelConfigs);
    let content = html! {
        (parts(&visitor, MODELS))
        (filters(&asked, &choose_provider(&state.store, &visitor).await?))
        section.card.flush aria-label="Limits of models and providers" {
            @if configs.is_empty() { (nothing(&asked, may_write)) }
            @else {
                (table(&configs, &state, may_write, now))
                (pager(&asked.link(), filter.page.offset, i64::try_from(configs.len()).unwrap_or(i64::MAX), listed.total))
            }
        }
        @if may_write { @for config in &configs { (deletion(config)) } }
    };
    let actions = html! { @if may_write { a.button.primary href="/new/limits" { "Limit a model or a provider" } } };
    let (section, title) = (Section::Limits, "Limits");
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}

fn filters(asked: &Asked, providers: &Choice) -> Markup {
    html! {
        form.filters role="search" action=(Section::Limits.path()) {
            (text("search", "Model", &asked.search, "Part of its name"))
            (choice("provider", "Provider", providers, &asked.provider))
            button.button type="submit" { "Search" }
            @if asked.is_narrowed() { a.button.quiet href=(Section::Limits.path()) { "Show all" } }
        }
    }
}

fn nothing(asked: &Asked, may_write: bool) -> Markup {
    if asked.is_narrowed() {
        let all = html! { a.button href=(Section::Limits.path()) { "Show all" } };
        return empty(
            "No limit is like this",
            "Search for another part of a model's name, or for another provider.",
            &all,
        );
    }
    let make = html! { @if may_write { a.button.primary href="/new/limits" { "Make the first" } } };
    let text = "A limit here covers a model, or everything at a provider, for everybody or for one virtual key. It holds beside the limits \
                of keys, teams and customers.";
    empty("No model and no provider is limited", text, &make)
}

fn table(configs: &[ModelConfig], state: &State, may_write: bool, now: Timestamp) -> Markup {
    scrolled(
        "Limits of models and providers",
        &html! { th scope="col" { "Covers" } th scope="col" { "For" } th scope="col" { "Limits now" }
        @if may_write { th scope="col" { span.unseen { "Actions" } } } },
        &html! { @for config in configs { (row(config, state, may_write, now)) } },
    )
}

fn row(config: &ModelConfig, state: &State, may_write: bool, now: Timestamp) -> Markup {
    html! {
        tr {
            th scope="row" { (covered(config)) }
            td { (whose(config)) }
            td.wide { (meters(&config.limits(), &|id| state.engine.held(id, now), now)) }
            @if may_write {
                td.actions {
                    div.row {
                        a.button href=(Link::of(Section::Limits.path(), &config.id).then("edit")) aria-label={ "Edit the limits of " (covered(config)) } { "Edit" }
                        (opener(&deletion_id(config), Look::Danger, "Delete"))
                    }
                }
            }
        }
    }
}

/// What a model config covers, in words.
pub(super) fn covered(config: &ModelConfig) -> String {
    let model = if config.is_every_model() { "Every model" } else { config.model_name.as_str() };
    match &config.provider {
        Some(provider) => format!("{model} at {provider}"),
        None => model.to_owned(),
    }
}

fn whose(config: &ModelConfig) -> Markup {
    html! {
        @match &config.scope_id {
            Some(id) => a href=(Link::of(Section::VirtualKeys.path(), id)) { (config.scope_name.as_deref().unwrap_or("A virtual key")) },
            None => "Everybody",
        }
    }
}

fn deletion_id(config: &ModelConfig) -> String {
    format!("delete-{}", config.id)
}

fn deletion(config: &ModelConfig) -> Markup {
    let (path, etag) = (api_path(config), config.version().etag());
    let call = Call { etag: &etag, ..Call::new("DELETE", &path) };
    let about =
        html! { p { "“" (covered(config)) "” is limited by this no more. What was charged stays in the ledger." } };
    dialog(&deletion_id(config), "Delete these limits?", &call, &about, (Look::Danger, "Delete"))
}

/// The path of a model config in the management API.
pub(super) fn api_path(config: &ModelConfig) -> String {
    Link::of("/api/governance/model-configs", &config.id).to_string()
}
