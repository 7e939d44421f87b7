//! A place to try an expression: on a request that nobody sends, by the code that routes.

use actix_web::{HttpResponse, route, web};
use keyward_core::ids::VirtualKeyId;
use maud::{Markup, html};
use serde::Deserialize;

use super::crumb;
use crate::auth::{Authed, RoutingRulesRead};
use crate::dashboard::components::choice::Choice;
use crate::dashboard::components::filter::{looked_for, text};
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::pages::options::{CALLABLE, Many};
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::gateway::{Sample, trial};
use crate::params::Query;
use crate::state::State;

/// What expressions can speak of.
const VARIABLES: [(&str, &str); 9] = [
    ("model, provider", "what is asked for; provider is empty where none is named"),
    ("request_type", "the kind of request, such as chat_completion"),
    ("headers, params", "maps of texts, without credentials; names of headers are in lower case"),
    ("virtual_key_id, virtual_key_name", "who sends it"),
    ("team_id, team_name", "the key's team; empty without one"),
    ("customer_id, customer_name", "the key's or its team's customer; empty without one"),
    ("budget_used", "how much of the tightest budget is used, in percent"),
    ("tokens_used, request", "the same of limits of tokens and of requests"),
    ("estimated_input_tokens", "a quarter of the body's bytes"),
];

/// What is tried; fields that are empty say nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    expression: String,
    virtual_key_id: String,
    model: String,
    headers: String,
    query: String,
    body_bytes: String,
}

#[route("/routing/try", method = "GET", method = "HEAD")]
pub(super) async fn routing_rule_trial(
    caller: Authed<RoutingRulesRead>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, asked) = (Visitor::of(&caller, &state), asked.0);
    // What is left of a key's limits can be asked of an expression.
    let store = caller.store(&state);
    let keys = Many::VirtualKeys.choice(&store, &visitor, &asked.virtual_key_id).await?;
    let is_asked = Many::VirtualKeys.name(&store, &visitor, &asked.virtual_key_id).await.is_some();
    let outcome = if is_asked { Some(tried(&state, &asked).await) } else { None };
    let content = html! {
        section.card aria-label="Expression and request" {
            @if keys == Choice::Few(Vec::new()) { p.muted { "An expression is tried with a virtual key, and there is none that you may see." } }
            @else { (form(&asked, &keys)) }
            @if let Some(outcome) = &outcome { (said(outcome)) }
        }
        (variables())
    };
    let (section, title, actions) = (Section::Routing, "Try an expression", html! {});
    Ok(Page { visitor: &visitor, theme, section, title, crumb: Some(crumb()), actions, content }.respond())
}

/// Whether it applies, or why that cannot be said.
async fn tried(state: &State, asked: &Asked) -> Result<bool, String> {
    let sample = Sample {
        virtual_key_id: VirtualKeyId::from(asked.virtual_key_id.as_str()),
        model: asked.model.clone(),
        headers: asked.headers.clone(),
        query: asked.query.clone(),
        body_bytes: asked.body_bytes.trim().parse().unwrap_or_default(),
    };
    trial(state, &asked.expression, &sample).await
}

/// Whose request it is. To choose does not try yet: there is more to fill in.
fn key_of(keys: &Choice, chosen: &str) -> Markup {
    html! {
        @match keys {
            Choice::Few(keys) => {
                div.field {
                    label for="virtual_key_id" { "Virtual key" }
                    select #virtual_key_id name="virtual_key_id" {
                        option value="" { "Choose one" }
                        @for (id, name) in keys { option value=(id) selected[id == chosen] { (name) } }
                    }
                }
            }
            Choice::Many { at, chosen: called } => (looked_for("virtual_key_id", "Virtual key", chosen, "Name or id", (at, called))),
        }
    }
}

fn form(asked: &Asked, keys: &Choice) -> Markup {
    html! {
        form.stack action="/routing/try" {
            div.field {
                label for="expression" { "Expression" }
                textarea.mono #expression name="expression" maxlength="1024" spellcheck="false" { "\n" (asked.expression) }
            }
            div.fields {
                (key_of(keys, &asked.virtual_key_id))
                (looked_for("model", "Model", &asked.model, "openai/gpt-4.1", (CALLABLE, "")))
                (text("query", "Parameters", &asked.query, "a=b&c=d"))
                (text("body_bytes", "Bytes of the body", &asked.body_bytes, "2000"))
            }
            div.field {
                label for="headers" { "Headers" }
                textarea.mono #headers name="headers" placeholder="x-tier: gold" spellcheck="false" { "\n" (asked.headers) }
            }
            div.row { button.button.primary type="submit" { "Try it" } }
        }
    }
}

fn said(outcome: &Result<bool, String>) -> Markup {
    html! {
        div role="status" {
            @match outcome {
                Ok(true) => p.note.good #outcome { "It applies: a rule with this expression would decide." },
                Ok(false) => p.note #outcome { "It does not apply: the next rule would be looked at." },
                Err(message) => p.note.bad #outcome { "It cannot be evaluated, and the rule would be passed over: " (message) },
            }
        }
    }
}

fn variables() -> Markup {
    html! {
        section.card aria-labelledby="variables" {
            h2 #variables { "What expressions can speak of" }
            dl.facts { @for (names, about) in VARIABLES { dt { code { (names) } } dd { (about) } } }
        }
    }
}
