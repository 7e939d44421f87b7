//! The playground: a request is explained, or sent as an application would send it. The page says what there is to choose from; the
//! browser does the rest, by the management API and the gateway.

use actix_web::{HttpResponse, route, web};
use keyward_core::error_code::ErrorCode;
use keyward_core::permission::Resource;
use keyward_core::provider::DEMO_PROVIDER;
use keyward_store::{Reveal, Store};
use maud::{Markup, html};
use serde::Deserialize;

use crate::auth::{Authed, VirtualKeysRead};
use crate::dashboard::components::choice::{Choice, fitting};
use crate::dashboard::components::refusals::explained;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::pages::options::Many;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Query;
use crate::state::State;

/// The most models that are suggested.
const MOST_MODELS: usize = 500;

/// What is chosen before anybody has chosen. A secret is never in an address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    virtual_key_id: String,
    model: String,
}

#[route("/playground", method = "GET", method = "HEAD")]
pub(super) async fn playground(
    caller: Authed<VirtualKeysRead>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, store) = (Visitor::of(&caller, &state), caller.store(&state));
    let offered = Offered::load(&state, &store, &visitor, asked.0).await?;
    let may_reveal = caller.reveal(&state) == Reveal::Full;
    let content = html! {
        noscript { p.note.warn { "The playground sends requests from your browser, and needs JavaScript. The commands that “keyward demo” prints do the same without." } }
        form #playground.stack data-usage[visitor.may_read(Resource::Usage)] data-revealing[may_reveal] autocomplete="off" {
            div.columns {
                (request(&offered, may_reveal))
                (answer())
            }
        }
        (plan())
        (moved())
        (advice())
    };
    let (section, title, actions) = (Section::Playground, "Playground", html! {});
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}

/// What there is to choose from.
struct Offered {
    keys: Choice,
    models: Vec<String>,
    asked: Asked,
}

impl Offered {
    async fn load(state: &State, store: &Store, visitor: &Visitor, asked: Asked) -> Result<Self, ApiError> {
        let mut keys = Many::VirtualKeys.choice(store, visitor, &asked.virtual_key_id).await?;
        // One that there is no more is said at once.
        if !asked.virtual_key_id.is_empty() {
            let key = store.virtual_key_get(asked.virtual_key_id.as_str().into(), Reveal::Redacted).await?;
            if let Choice::Few(listed) = &mut keys
                && !listed.iter().any(|(id, _)| *id == asked.virtual_key_id)
            {
                listed.push((key.id.to_string(), key.name));
            }
        }
        let providers: Vec<String> = match visitor.may_read(Resource::Providers) {
            true => store.provider_list().await?.into_iter().map(|provider| provider.name.to_string()).collect(),
            false => Vec::new(),
        };
        let cards = state.catalogue.cards().into_iter();
        let callable = cards.filter(|(provider, _, _)| providers.iter().any(|one| one == provider));
        let models = callable.map(|(provider, model, _)| format!("{provider}/{model}")).take(MOST_MODELS).collect();
        Ok(Self { keys, models, asked })
    }

    /// The model that is written already: the one that was asked for, or that of the demo where there is one.
    fn model(&self) -> &str {
        let of_demo = |model: &&String| model.split('/').next() == Some(DEMO_PROVIDER);
        match self.asked.model.as_str() {
            "" => self.models.iter().find(of_demo).map_or("", String::as_str),
            asked => asked,
        }
    }
}

fn request(offered: &Offered, may_reveal: bool) -> Markup {
    html! {
        section.card aria-labelledby="request-title" {
            h2 #request-title { "Request" }
            (key(offered, may_reveal))
            div.field {
                label for="playground-model" { "Model" }
                input #playground-model list="playground-models" value=(offered.model()) placeholder="openai/gpt-4.1" required
                    autocomplete="off" spellcheck="false";
                datalist #playground-models { @for model in &offered.models { option value=(model) {} } }
            }
            div.field {
                label for="playground-message" { "Message" }
                textarea #playground-message required { "\nHello, Keyward!" }
            }
            div.fields {
                div.field {
                    label for="playground-most" { "Output tokens at most" }
                    input #playground-most type="number" min="1" step="1" aria-describedby="playground-most-hint";
                    p.hint #playground-most-hint { "Empty: as many as the model gives. It is held for them." }
                }
                div.check {
                    input #playground-stream type="checkbox";
                    div { label for="playground-stream" { "Stream the answer" } }
                }
            }
            div.row {
                button.button.primary type="submit" data-needs-script disabled { "Send" }
                button #playground-explain.button type="button" data-needs-script disabled { "Explain" }
                button #playground-stop.button.quiet type="button" disabled { "Hang up" }
            }
            p.hint { "“Explain” says what would become of it, and changes nothing. “Send” calls the gateway: with a real provider it costs real money." }
        }
    }
}

fn key(offered: &Offered, may_reveal: bool) -> Markup {
    let hint = match may_reveal {
        true => {
            "Left empty, “Send” asks the server for the chosen key's secret, and the audit log says that you saw it."
        }
        false => "It is needed to send. A chosen key is enough to explain.",
    };
    html! {
        div.field {
            label for="playground-key" { "Virtual key" }
            @match &offered.keys {
                Choice::Few(keys) => select #playground-key {
                    option value="" { "The one whose secret I paste" }
                    @for (id, name) in keys { option value=(id) selected[*id == offered.asked.virtual_key_id] { (name) } }
                },
                Choice::Many { at, chosen } => {
                    input #playground-key list="playground-key-fitting" data-choices=(at) value=(offered.asked.virtual_key_id)
                        placeholder="Empty: the one whose secret I paste" autocomplete="off" spellcheck="false" aria-describedby="playground-key-chosen";
                    (fitting("playground-key", chosen))
                }
            }
        }
        div.field {
            label for="playground-secret" { "Its secret" }
            input #playground-secret.mono type="password" placeholder="sk-bf-…" autocomplete="off" spellcheck="false"
                aria-describedby="playground-secret-hint";
            p.hint #playground-secret-hint { "A pasted secret goes before the choice. It stays in the memory of this page. " (hint) }
        }
    }
}

fn answer() -> Markup {
    html! {
        section.card aria-labelledby="answer-title" {
            h2 #answer-title { "Answer" }
            div #playground-answer.stack role="status" { p.muted { "Nothing has been sent yet." } }
            div #playground-facts {}
        }
    }
}

fn plan() -> Markup {
    html! {
        section.card aria-labelledby="plan-title" {
            div.card-head { h2 #plan-title { "What would become of it" } span.hint { "the gateway's own way, up to where something would be held" } }
            div #playground-plan role="status" { p.muted { "“Explain” tells which provider and key would serve it, what would be held on each limit, and whether all have room." } }
        }
    }
}

fn moved() -> Markup {
    html! {
        section.card aria-labelledby="moved-title" {
            div.card-head { h2 #moved-title { "Limits before and after" } span.hint { "every limit that covers the request" } }
            div #playground-moved role="status" { p.muted { "“Send” shows here what the request has moved." } }
        }
    }
}

/// What to do about each refusal, for the script.
fn advice() -> Markup {
    html! {
        template #playground-advice {
            @for code in ErrorCode::ALL { p data-code=(code.as_str()) { (explained(code.as_str()).2) } }
        }
    }
}
