//! Settings: how the server is, what it is configured with, who may manage it, and who does at the moment. Each part is shown to
//! whoever may see it.

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, route, web};
use keyward_core::permission::Resource;
use maud::{Markup, html};

use crate::auth::{Anything, Authed, Sessions};
use crate::clock;
use crate::dashboard::components::badge::{Tone, badge};
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::health;
use crate::state::State;

mod administrator;
mod client;
mod key_form;
mod keys;
mod sessions;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(settings).service(key_form::management_key_new).service(key_form::management_key_edit);
}

#[route("/settings", method = "GET", method = "HEAD")]
async fn settings(
    caller: Authed<Anything>,
    request: HttpRequest,
    state: web::Data<State>,
    theme: Theme,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now) = (Visitor::of(&caller, &state), clock::now());
    let in_force = state.access.in_force();
    let config = Some(in_force.shown()).filter(|_| visitor.may_read(Resource::Config));
    let keys = match visitor.may_read(Resource::ManagementKeys) {
        true => Some(keys::Keys::load(&caller.store(&state), &visitor).await?),
        false => None,
    };
    let sessions = match Authed::<Sessions>::of(&request).await {
        Ok(manager) => Some(sessions::Opened::load(&manager, &state, now).await?),
        Err(_) => None,
    };
    let content = html! {
        div.columns {
            (server(&state).await)
            @if let Some(config) = &config { (client::card(config, &visitor, sessions.is_some())) }
            @if let Some(config) = &config { (administrator::card(config, sessions.is_some())) }
        }
        @if let Some(keys) = &keys { (keys.shown(&visitor, now)) }
        @if let Some(sessions) = &sessions { (sessions.shown()) }
    };
    let actions = html! {
        @if visitor.may_write(Resource::ManagementKeys) { a.button.primary href="/settings/keys/new" { "Make a management key" } }
    };
    let (section, title) = (Section::Settings, "Settings");
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}

/// What runs here, and whether it can serve.
async fn server(state: &State) -> Markup {
    let ready = health::ready(state).await;
    html! {
        section.card aria-labelledby="server" {
            div.card-head {
                h2 #server { "Server" }
                @match &ready { Ok(()) => (badge(Tone::Good, "Can serve")), Err(_) => (badge(Tone::Bad, "Cannot serve")) }
            }
            @if let Err(error) = &ready { p.note.bad { (error.to_string()) } }
            dl.facts {
                dt { "Version" } dd { (env!("CARGO_PKG_VERSION")) }
                dt { "Prices" } dd { (state.catalogue.version()) }
                dt { "Reference" } dd { a href="/docs/" { "Both APIs, to read and to try" } }
                dt { "Health" } dd { a href="/readyz" { code { "/readyz" } } " · " a href="/livez" { code { "/livez" } } }
                dt { "Figures" } dd { a href="/metrics" { code { "/metrics" } } " " span.muted { "for Prometheus" } }
            }
        }
    }
}
