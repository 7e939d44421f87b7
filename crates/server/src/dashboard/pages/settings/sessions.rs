//! The sessions that are open, for whoever may end them.

use jiff::Timestamp;
use keyward_core::change::Grounds;
use keyward_core::session::Session;
use maud::{Markup, html};

use crate::auth::{Authed, Sessions};
use crate::dashboard::components::action::{Call, Look, dialog, opener};
use crate::dashboard::components::badge::{Tone, badge};
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::instant;
use crate::dashboard::link::Link;
use crate::error::ApiError;
use crate::state::State;

/// The open sessions.
pub(super) struct Opened {
    sessions: Vec<Session>,
    /// The one that looks.
    own: Option<String>,
}

impl Opened {
    pub(super) async fn load(caller: &Authed<Sessions>, state: &State, now: Timestamp) -> Result<Self, ApiError> {
        let sessions = match state.access.session_terms() {
            Some(terms) => state.store.session_list(terms, now).await?.sessions,
            None => Vec::new(),
        };
        let own = match &caller.author().grounds {
            Grounds::Session(id) => Some(id.to_string()),
            Grounds::Server | Grounds::Configured(_) | Grounds::ManagementKey(_) => None,
        };
        Ok(Self { sessions, own })
    }

    pub(super) fn shown(&self) -> Markup {
        let head = html! {
            th scope="col" { "Who" } th scope="col" { "From" } th scope="col" { "Opened" } th scope="col" { "Last used" }
            th scope="col" { "Ends" } th scope="col" { span.unseen { "Actions" } }
        };
        html! {
            section.card.flush aria-labelledby="sessions" {
                div.card-head { h2 #sessions { "Sessions" } span.hint { "logins that are open" } }
                @if self.sessions.is_empty() { p.muted.empty { "None. While managing needs no credential, there are no sessions." } }
                @else { (scrolled("Sessions", &head, &html! { @for session in &self.sessions { (self.row(session)) } })) }
            }
            @for session in &self.sessions { (ending(session)) }
        }
    }

    fn row(&self, session: &Session) -> Markup {
        html! {
            tr {
                th scope="row" {
                    (session.username)
                    @if self.own.as_deref() == Some(session.id.as_str()) { " " (badge(Tone::Good, "this one")) }
                    div.hint { (if session.management_key_id.is_some() { "with a management key" } else { "with the password" }) }
                }
                td { code { (session.source) } @if !session.from_dashboard { " " span.muted { "over the API" } } }
                td { (instant(session.created_at)) }
                td { (instant(session.last_used_at)) }
                td { (instant(session.expires_at)) }
                td.actions { div.row { (opener(&dialog_id(session), Look::Danger, "End")) } }
            }
        }
    }
}

fn dialog_id(session: &Session) -> String {
    format!("end-{}", session.id)
}

fn ending(session: &Session) -> Markup {
    let path = Link::of("/api/sessions", &session.id).to_string();
    let about = html! { p { "Whoever has it must sign in again. What “" (session.username) "” changed stays in the audit log." } };
    dialog(&dialog_id(session), "End this session?", &Call::new("DELETE", &path), &about, (Look::Danger, "End it"))
}
