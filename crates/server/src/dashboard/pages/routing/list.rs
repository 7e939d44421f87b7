//! The list of routing rules, in the order in which they are looked at.

use actix_web::{HttpResponse, route, web};
use keyward_core::change::Versioned as _;
use keyward_core::list::Page as Part;
use keyward_core::permission::Resource;
use keyward_core::routing_rule::{Fallback, RoutingRule, RoutingRuleFilter, RoutingScope, RoutingTarget};
use maud::{Markup, html};

use crate::auth::{Authed, RoutingRulesRead};
use crate::dashboard::components::action::{Call, Look, dialog, opener};
use crate::dashboard::components::badge::{Tone, badge};
use crate::dashboard::components::empty::empty;
use crate::dashboard::components::number::count;
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::instant;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::state::State;

/// The most rules that are shown.
const MOST: i64 = 500;

#[route("/routing", method = "GET", method = "HEAD")]
pub(super) async fn routing_rule_list(
    caller: Authed<RoutingRulesRead>,
    state: web::Data<State>,
    theme: Theme,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let filter = RoutingRuleFilter { page: Part { limit: MOST, ..Part::default() }, ..RoutingRuleFilter::default() };
    let listed = state.store.routing_rule_list(filter).await?;
    let mut rules: Vec<_> = listed.entries.into_iter().map(|rule| state.routing_rules.observed(rule)).collect();
    rules.sort_by(|one, other| one.order().cmp(&other.order()));
    let may_write = visitor.may_write(Resource::RoutingRules);
    let content = html! {
        p.muted { "The rules of the narrowest scope come first, then those with the lowest priority. The first enabled rule that applies decides; without one, the weights of the virtual key do." }
        @if rules.is_empty() { section.card aria-label="Rules" { (nothing(may_write)) } }
        @for scope in RoutingScope::ALL {
            @let of_scope: Vec<&RoutingRule> = rules.iter().filter(|rule| rule.scope == scope).collect();
            @if !of_scope.is_empty() { (card(scope, &of_scope, may_write)) }
        }
        @if may_write { @for rule in &rules { (deletion(rule)) } }
    };
    let actions = html! {
        a.button href="/routing/try" { "Try an expression" }
        @if may_write { a.button.primary href="/new/routing" { "Make a rule" } }
    };
    let (section, title) = (Section::Routing, "Routing rules");
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}

fn nothing(may_write: bool) -> Markup {
    let make = html! { @if may_write { a.button.primary href="/new/routing" { "Make the first rule" } } };
    let text = "A rule sends requests that its expression applies to somewhere else than they ask for: to one of several targets by weight, \
                and to fallbacks when that fails.";
    empty("No routing rules yet", text, &make)
}

fn card(scope: RoutingScope, rules: &[&RoutingRule], may_write: bool) -> Markup {
    let title = match scope {
        RoutingScope::VirtualKey => "Of virtual keys",
        RoutingScope::Team => "Of teams",
        RoutingScope::Customer => "Of customers",
        RoutingScope::Global => "Of everybody",
    };
    html! {
        section.card.flush aria-label=(title) {
            div.card-head { h2 { (title) } }
            (scrolled(&format!("Rules: {}", title), &html! { th.number scope="col" { "Priority" } th scope="col" { "Rule" } th scope="col" { "Applies" } th scope="col" { "Goes to" }
                        th scope="col" { "Then" }
                        @if may_write { th scope="col" { span.unseen { "Actions" } } } }, &html! { @for rule in rules { (row(rule, may_write)) } }))
        }
    }
}

fn row(rule: &RoutingRule, may_write: bool) -> Markup {
    html! {
        tr {
            td.number { (count(rule.priority)) }
            th scope="row" {
                (rule.name)
                @if !rule.enabled { " " (badge(Tone::Calm, "off")) }
                @if rule.chain_rule { " " (badge(Tone::Calm, "chained")) }
                @if !rule.description.is_empty() { div.hint { (rule.description) } }
                (whose(rule))
                @if let Some(failure) = &rule.last_error { p.error { "Passed over at " (instant(failure.at)) ": " (failure.message) } }
            }
            td { @if rule.cel_expression.trim().is_empty() { span.muted { "always" } } @else { code { (rule.cel_expression) } } }
            td { ul.plain { @for target in &rule.targets { li { (place(target)) } } } }
            td { @if rule.fallbacks.is_empty() { span.muted { "–" } } @else { ol.plain { @for fallback in &rule.fallbacks { li { code { (fallback_text(fallback)) } } } } } }
            @if may_write {
                td.actions {
                    div.row {
                        a.button href=(Link::of(Section::Routing.path(), &rule.id).then("edit")) aria-label={ "Edit " (rule.name) } { "Edit" }
                        (opener(&deletion_id(rule), Look::Danger, "Delete"))
                    }
                }
            }
        }
    }
}

fn whose(rule: &RoutingRule) -> Markup {
    let section = match rule.scope {
        RoutingScope::VirtualKey => Section::VirtualKeys,
        RoutingScope::Team => Section::Teams,
        RoutingScope::Customer => Section::Customers,
        RoutingScope::Global => return html! {},
    };
    html! { @if let Some(id) = &rule.scope_id { div.hint { a href=(Link::of(section.path(), id)) { code { (id) } } } } }
}

fn place(target: &RoutingTarget) -> Markup {
    let provider = target.provider.as_ref().map_or("as asked", |provider| provider.as_str());
    let model = target.model.as_ref().map_or("as asked", |model| model.as_str());
    html! {
        code { (provider) "/" (model) }
        @if target.weight < 1.0 { " " span.muted { "weight " (target.weight) } }
        @if let Some(key) = &target.key_id { " " span.muted { "with the key " (key) } }
    }
}

/// A fallback, as it is written.
pub(super) fn fallback_text(fallback: &Fallback) -> String {
    match fallback {
        Fallback::Text(text) => text.clone(),
        Fallback::Parts(parts) => format!("{}/{}", parts.provider, parts.model),
    }
}

fn deletion_id(rule: &RoutingRule) -> String {
    format!("delete-{}", rule.id)
}

fn deletion(rule: &RoutingRule) -> Markup {
    let (path, etag) = (api_path(rule), rule.version().etag());
    let call = Call { etag: &etag, ..Call::new("DELETE", &path) };
    let about = html! { p { "“" (rule.name) "” decides nothing from now on. Switching it off keeps it." } };
    dialog(&deletion_id(rule), "Delete this rule?", &call, &about, (Look::Danger, "Delete"))
}

/// The path of a rule in the management API.
pub(super) fn api_path(rule: &RoutingRule) -> String {
    Link::of("/api/routing/rules", &rule.id).to_string()
}
