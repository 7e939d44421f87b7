//! The audit log: who has changed what, with what it was before and after, and whether the log is whole.

use actix_web::{HttpResponse, route, web};
use keyward_core::audit::{AuditEntry, AuditList, AuditQuery, AuditVerification};
use keyward_core::change::ActorKind;
use maud::{Markup, html};
use serde::Deserialize;

use crate::auth::{AuditRead, Authed};
use crate::dashboard::components::badge::{Tone, badge};
use crate::dashboard::components::empty::empty;
use crate::dashboard::components::filter::{choice, text};
use crate::dashboard::components::instants::{from_minute, minute};
use crate::dashboard::components::number::count;
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::instant;
use crate::dashboard::form::said;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Query;
use crate::state::State;

mod difference;
mod kinds;

use difference::difference;
use kinds::kinds;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(audit_list).service(audit_verify);
}

/// What is asked of the log; fields that are empty say nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    action: String,
    resource: String,
    resource_id: String,
    actor: String,
    since: String,
    until: String,
    before: String,
}

impl Asked {
    /// The same, as the API is asked.
    fn query(&self) -> AuditQuery {
        AuditQuery {
            before: said(&self.before),
            action: said(&self.action),
            resource: said(&self.resource),
            resource_id: said(&self.resource_id),
            actor: said(&self.actor),
            since: said(&from_minute(&self.since)),
            until: said(&from_minute(&self.until)),
            ..AuditQuery::default()
        }
    }

    /// The page with all of this asked of it, before an entry.
    fn page(&self, before: &str) -> Link {
        Link::to(Section::Audit.path())
            .with("action", &self.action)
            .with("resource", &self.resource)
            .with("resource_id", &self.resource_id)
            .with("actor", &self.actor)
            .with("since", &self.since)
            .with("until", &self.until)
            .with("before", before)
    }

    fn is_narrowed(&self) -> bool {
        self.page("") != Link::to(Section::Audit.path())
    }
}

#[route("/audit", method = "GET", method = "HEAD")]
pub(super) async fn audit_list(
    caller: Authed<AuditRead>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, asked) = (Visitor::of(&caller, &state), asked.0);
    let listed = state.store.audit_list(asked.query().check()?).await?;
    let content = html! {
        (filters(&asked))
        section.card.flush aria-label="Changes" {
            @if listed.entries.is_empty() { (nothing(&asked)) }
            @else { (table(&listed.entries)) (places(&asked, &listed)) }
        }
    };
    let actions = html! { a.button href=(Link::to(Section::Audit.path()).then("verify")) { "Verify the log" } };
    let (section, title) = (Section::Audit, "Audit log");
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}

#[route("/audit/verify", method = "GET", method = "HEAD")]
pub(super) async fn audit_verify(
    caller: Authed<AuditRead>,
    state: web::Data<State>,
    theme: Theme,
) -> Result<HttpResponse, ApiError> {
    let (visitor, verified) = (Visitor::of(&caller, &state), state.store.audit_verify().await?);
    let crumb = html! { a href=(Section::Audit.path()) { "Audit log" } };
    let (section, title, actions) = (Section::Audit, "Is the log whole?", html! {});
    let content = verification(&verified);
    Ok(Page { visitor: &visitor, theme, section, title, crumb: Some(crumb), actions, content }.respond())
}

fn filters(asked: &Asked) -> Markup {
    html! {
        form.filters role="search" action=(Section::Audit.path()) {
            (text("action", "Action", &asked.action, "virtual_key_update"))
            (choice("resource", "Kind of thing", &kinds(), &asked.resource))
            (text("resource_id", "Thing", &asked.resource_id, "Its id"))
            (text("actor", "Who", &asked.actor, "A name"))
            (minute("since", "Since", &asked.since))
            (minute("until", "Before", &asked.until))
            button.button type="submit" { "Search" }
            @if asked.is_narrowed() { a.button.quiet href=(Section::Audit.path()) { "Show all" } }
        }
    }
}

fn nothing(asked: &Asked) -> Markup {
    if asked.is_narrowed() {
        let all = html! { a.button href=(Section::Audit.path()) { "Show all" } };
        return empty("No change is like this", "Actions are called as the operations of the API are.", &all);
    }
    empty(
        "Nothing has been changed yet",
        "Every change of what is configured is written down here, with who made it.",
        &html! {},
    )
}

fn table(entries: &[AuditEntry]) -> Markup {
    scrolled(
        "Changes",
        &html! { th.number scope="col" { "No." } th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "Action" }
        th scope="col" { "Thing" } th scope="col" { "What changed" } },
        &html! { @for entry in entries { (row(entry)) } },
    )
}

fn row(entry: &AuditEntry) -> Markup {
    let of_kind = Link::to(Section::Audit.path()).with("resource", &entry.resource);
    let of_thing = Link::to(Section::Audit.path()).with("resource_id", &entry.resource_id);
    html! {
        tr {
            td.number { (count(entry.sequence)) }
            td { (instant(entry.at)) }
            td {
                (if entry.actor.name.is_empty() { kind_name(entry.actor.kind) } else { entry.actor.name.as_str() })
                @if !entry.source.is_empty() { div.hint { "from " (entry.source) } }
            }
            th scope="row" { code { (entry.action) } }
            td { a href=(of_kind) { (entry.resource) } div.hint { a href=(of_thing) { code { (entry.resource_id) } } } }
            td.wide { (difference(entry)) }
        }
    }
}

fn places(asked: &Asked, listed: &AuditList) -> Markup {
    html! {
        nav.pager aria-label="Pages" {
            span.number { (count(listed.count)) " entries" }
            div.row {
                @if !asked.before.is_empty() { a.button.small href=(asked.page("")) { "Newest" } }
                @if let Some(next) = listed.next { a.button.small rel="next" href=(asked.page(&next.to_string())) { "Older" } }
            }
        }
    }
}

const fn kind_name(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Local => "A program on the server's machine",
        ActorKind::Admin => "The administrator",
        ActorKind::ManagementKey => "A management key",
        ActorKind::ConfigFile => "The configuration file",
        ActorKind::Server => "The server itself",
    }
}

fn verification(verified: &AuditVerification) -> Markup {
    html! {
        section.card aria-label="Verification" {
            @if verified.intact {
                p.row { (badge(Tone::Good, "Whole")) "Every entry follows from the one before: nothing was changed, and nothing left out in between." }
            } @else {
                p.row { (badge(Tone::Bad, "Broken")) "The chain breaks" @if let Some(at) = verified.broken_at { " at entry " (count(at)) } "." }
                p.muted { "What comes before that entry is as it was written. Compare a backup from then." }
            }
            dl.facts {
                dt { "Entries" } dd.number { (count(verified.entries)) }
                dt { "Head" } dd { code { (verified.head) } }
            }
            p.hint { "Keep the head and the number of entries somewhere else: with them it can be shown later that the end was not cut off." }
        }
    }
}
