//! The forms that make and edit a routing rule.

use actix_web::{HttpResponse, route, web};
use keyward_core::change::Versioned as _;
use keyward_core::ids::RoutingRuleId;
use keyward_core::routing_rule::{RoutingRule, RoutingScope, RoutingTarget};
use keyward_store::Store;
use maud::{Markup, html};

use super::crumb;
use super::list::{api_path, fallback_text};
use crate::auth::{Authed, RoutingRulesWrite};
use crate::dashboard::components::action::{Call, footer, form};
use crate::dashboard::components::choice::Choice;
use crate::dashboard::components::field::{Empty, Field, Kind};
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::pages::options::{CALLABLE, MODELS, Many, OWNERS, choose_provider, choose_provider_key};
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Path;
use crate::state::State;

const SCOPES: [(&str, &str); 4] =
    [("global", "Everybody"), ("customer", "A customer"), ("team", "A team"), ("virtual_key", "A virtual key")];

#[route("/new/routing", method = "GET", method = "HEAD")]
pub(super) async fn routing_rule_new(
    caller: Authed<RoutingRulesWrite>,
    state: web::Data<State>,
    theme: Theme,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let offered = Offered::load(&caller.store(&state), &visitor, None).await?;
    let call = Call { then: Section::Routing.path(), ..Call::new("POST", "/api/routing/rules") };
    let content = sheet(&call, None, &offered, "Make the rule");
    let (section, title) = (Section::Routing, "Make a routing rule");
    let (crumb, actions) = (Some(crumb()), html! {});
    Ok(Page { visitor: &visitor, theme, section, title, crumb, actions, content }.respond())
}

#[route("/routing/{id}/edit", method = "GET", method = "HEAD")]
pub(super) async fn routing_rule_edit(
    caller: Authed<RoutingRulesWrite>,
    state: web::Data<State>,
    theme: Theme,
    id: Path<RoutingRuleId>,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let rule = state.store.routing_rule_get(id.0).await?;
    let offered = Offered::load(&caller.store(&state), &visitor, Some(&rule)).await?;
    let (path, etag) = (api_path(&rule), rule.version().etag());
    let call = Call { etag: &etag, then: Section::Routing.path(), ..Call::new("PUT", &path) };
    let content = sheet(&call, Some(&rule), &offered, "Save");
    let (section, title) = (Section::Routing, format!("Edit {}", rule.name));
    let (crumb, actions) = (Some(crumb()), html! {});
    Ok(Page { visitor: &visitor, theme, section, title: &title, crumb, actions, content }.respond())
}

/// What there is to choose from.
struct Offered {
    providers: Choice,
    keys: Choice,
    /// What the owner of the rule's scope is called.
    owner: String,
}

impl Offered {
    async fn load(store: &Store, visitor: &Visitor, rule: Option<&RoutingRule>) -> Result<Self, ApiError> {
        let owner = match rule.and_then(|rule| Some((kind(rule.scope)?, rule.scope_id.as_deref()?))) {
            Some((kind, id)) => kind.name(store, visitor, id).await,
            None => None,
        };
        Ok(Self {
            providers: choose_provider(store, visitor).await?,
            keys: choose_provider_key(store, visitor).await?,
            owner: owner.unwrap_or_default(),
        })
    }
}

/// What a scope's id is one of.
const fn kind(scope: RoutingScope) -> Option<Many> {
    match scope {
        RoutingScope::Global => None,
        RoutingScope::Customer => Some(Many::Customers),
        RoutingScope::Team => Some(Many::Teams),
        RoutingScope::VirtualKey => Some(Many::VirtualKeys),
    }
}

fn sheet(call: &Call<'_>, rule: Option<&RoutingRule>, offered: &Offered, text: &str) -> Markup {
    let content = html! {
        section.card aria-label="The rule" { (identity(rule, offered)) }
        section.card aria-label="When it applies" { (condition(rule)) }
        section.card aria-label="Where requests go" { (places(rule, offered)) }
        (footer(text, Section::Routing.path()))
    };
    html! {
        (form(call, "sheet", &content))
        template #target-row { (target("@[0]", None, offered)) }
    }
}

fn identity(rule: Option<&RoutingRule>, offered: &Offered) -> Markup {
    let priority = rule.map_or_else(|| "0".to_owned(), |rule| rule.priority.to_string());
    let scope = rule.map_or("global", |rule| rule.scope.as_str());
    let scope_id = rule.and_then(|rule| rule.scope_id.as_deref()).unwrap_or_default();
    let empty = if rule.is_some() { Empty::Null } else { Empty::Omit };
    html! {
        (Field::new("name", "Name").value(rule.map_or("", |rule| &rule.name)).reads(Kind::Text, Empty::Text).required().input())
        (Field::new("description", "Description").value(rule.map_or("", |rule| &rule.description)).reads(Kind::Text, Empty::Text).area())
        (Field::new("enabled", "Enabled").hint("Switched off, the rule is passed over.").checkbox(rule.is_none_or(|rule| rule.enabled)))
        div.fields {
            (Field::new("scope", "Whose requests").value(scope).select(&SCOPES))
            (Field::new("scope_id", "Of which").value(scope_id).reads(Kind::Text, empty).placeholder("A part of a name, or an id").hint("The customer, team or key; empty for everybody.").looked_for(OWNERS, &offered.owner))
            (Field::new("priority", "Priority").value(&priority).reads(Kind::Number, Empty::Omit).hint("Lower ones are looked at first.").input())
        }
    }
}

fn condition(rule: Option<&RoutingRule>) -> Markup {
    let expression = rule.map_or("", |rule| &rule.cel_expression);
    let hint = "In the Common Expression Language, such as model == \"gpt-4.1\" && budget_used > 80.0. Empty: always.";
    html! {
        (Field::new("cel_expression", "Expression").value(expression).reads(Kind::Text, Empty::Text).hint(hint).area())
        p.hint { a href="/routing/try" { "Try an expression" } " on a request that is not sent." }
    }
}

fn places(rule: Option<&RoutingRule>, offered: &Offered) -> Markup {
    let existing = rule.map(|rule| rule.targets.as_slice()).unwrap_or_default();
    let fallbacks = rule.map(|rule| rule.fallbacks.iter().map(fallback_text).collect::<Vec<_>>().join("\n"));
    let patience = rule.and_then(|rule| rule.ttft_timeout_ms).map(|most| most.to_string()).unwrap_or_default();
    html! {
        fieldset.stack data-list="targets" {
            legend { "Targets" }
            p.hint { "One is drawn by weight; together the weights are 1." }
            @for (place, one) in existing.iter().enumerate() { (target(&format!("targets[{place}]"), Some(one), offered)) }
            @if existing.is_empty() { (target("targets[0]", None, offered)) }
            div.row { button.button.small type="button" data-add="target-row" data-needs-script disabled { "Add a target" } }
        }
        (Field::new("fallbacks", "Fallbacks").value(fallbacks.as_deref().unwrap_or_default()).reads(Kind::List, Empty::List)
            .placeholder("openai/gpt-4.1-mini").hint("provider/model in each line, tried in this order when the target fails.").gathered(CALLABLE))
        (Field::new("ttft_timeout_ms", "Patience, in milliseconds").value(&patience).reads(Kind::Number, Empty::Null)
            .hint("How long to wait for the first byte; empty: as long as for the provider.").input())
        (Field::new("chain_rule", "All rules look at what it chose once more").checkbox(rule.is_some_and(|rule| rule.chain_rule)))
    }
}

fn target(at: &str, target: Option<&RoutingTarget>, offered: &Offered) -> Markup {
    let path = |name: &str| format!("{at}.{name}");
    let provider = target.and_then(|target| target.provider.as_ref()).map(ToString::to_string).unwrap_or_default();
    let model = target.and_then(|target| target.model.as_ref()).map(ToString::to_string).unwrap_or_default();
    let key = target.and_then(|target| target.key_id.as_ref()).map(ToString::to_string).unwrap_or_default();
    let weight = target.map_or_else(|| "1".to_owned(), |target| target.weight.to_string());
    html! {
        div.item data-item {
            div.fields {
                (Field::new(&path("provider"), "Provider").value(&provider).choose(&offered.providers, "As it is asked for"))
                (Field::new(&path("model"), "Model").value(&model).hint("Empty: as it is asked for.").looked_for(MODELS, ""))
                (Field::new(&path("weight"), "Weight").value(&weight).reads(Kind::Number, Empty::Omit).input())
                (Field::new(&path("key_id"), "Provider key").value(&key).choose(&offered.keys, "Any"))
            }
            div.row { button.button.quiet.small type="button" data-remove data-needs-script disabled { "Remove this target" } }
        }
    }
}
