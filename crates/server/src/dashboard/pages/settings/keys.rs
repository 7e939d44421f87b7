//! Management keys: what each may do, and on whose things; to rotate, switch off and delete.

use std::collections::HashMap;

use jiff::Timestamp;
use keyward_core::authority::Reach;
use keyward_core::change::Versioned as _;
use keyward_core::list::Page;
use keyward_core::management_key::ManagementKey;
use keyward_core::permission::{Access, Permission, Resource};
use keyward_store::Store;
use maud::{Markup, html};

use super::key_form::resource_name;
use crate::dashboard::components::action::{Call, Look, button, dialog, opener};
use crate::dashboard::components::badge::{Tone, badge};
use crate::dashboard::components::field::{Kind, hidden};
use crate::dashboard::components::number::count;
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::{instant, instant_or};
use crate::dashboard::link::{Link, shortened};
use crate::dashboard::pages::options::Many;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;

/// The most keys that are shown.
const MOST: i64 = 200;

/// The management keys that the visitor may see.
pub(super) struct Keys {
    keys: Vec<ManagementKey>,
    total: i64,
    /// The names of the teams and customers whose things some may only see.
    owners: HashMap<String, String>,
}

impl Keys {
    pub(super) async fn load(store: &Store, visitor: &Visitor) -> Result<Self, ApiError> {
        let listed = store.management_key_list(Page { limit: MOST, ..Page::default() }).await?;
        let mut owners = HashMap::new();
        for key in &listed.entries {
            let (kind, id) = match key.reach() {
                Reach::Everything => continue,
                Reach::Team(id) => (Many::Teams, id.to_string()),
                Reach::Customer(id) => (Many::Customers, id.to_string()),
            };
            if let Some(name) = kind.name(store, visitor, &id).await {
                owners.insert(id, name);
            }
        }
        Ok(Self { keys: listed.entries, total: listed.total, owners })
    }

    pub(super) fn shown(&self, visitor: &Visitor, now: Timestamp) -> Markup {
        let may_write = visitor.may_write(Resource::ManagementKeys);
        let head = html! {
            th scope="col" { "Key" } th scope="col" { "May" } th scope="col" { "On what" } th scope="col" { "Status" }
            th scope="col" { "Expires" }
            @if may_write { th scope="col" { span.unseen { "Actions" } } }
        };
        let left_out = self.total - i64::try_from(self.keys.len()).unwrap_or(i64::MAX);
        html! {
            section.card.flush aria-labelledby="management-keys" {
                div.card-head {
                    h2 #management-keys { "Management keys" }
                    span.hint { "for programs that manage, and for people who may not do everything; they call no models" }
                }
                @if self.keys.is_empty() { p.muted.empty { "There is none." } }
                @else { (scrolled("Management keys", &head, &html! { @for key in &self.keys { (row(key, &self.owners, may_write, now)) } })) }
                @if left_out > 0 { p.pager { (count(left_out)) " more are listed by the API" } }
            }
            @if may_write { @for key in &self.keys { (dialogs(key)) } }
        }
    }
}

fn row(key: &ManagementKey, owners: &HashMap<String, String>, may_write: bool, now: Timestamp) -> Markup {
    let (path, etag) = (api_path(key), key.version().etag());
    let switch = Call { etag: &etag, ..Call::new("PUT", &path) };
    let (turned, text) = if key.is_active { ("false", "Switch off") } else { ("true", "Switch on") };
    html! {
        tr {
            th scope="row" {
                (key.name)
                @if !key.description.is_empty() { div.hint { (key.description) } }
                div.hint { "made " (instant(key.created_at)) }
            }
            td.wide { div.row { @for permission in &key.permissions { (granted(*permission)) } } }
            td { (reach(key, owners)) }
            td { (state(key, now)) }
            td { (instant_or(key.expires_at, "Never")) }
            @if may_write {
                td.actions {
                    div.row {
                        a.button href=(Link::of("/settings/keys", &key.id).then("edit")) aria-label={ "Edit " (key.name) } { "Edit" }
                        (button(&switch, text, &hidden("is_active", turned, Kind::Boolean)))
                        (opener(&format!("rotate-{}", key.id), Look::Plain, "Rotate"))
                        (opener(&format!("delete-{}", key.id), Look::Danger, "Delete"))
                    }
                }
            }
        }
    }
}

fn granted(permission: Permission) -> Markup {
    let name = resource_name(permission.resource);
    match permission.access {
        Access::Read => html! { span.badge.plain { (name) } },
        Access::Write => html! { span.badge.plain.warn { (name) ": change" } },
    }
}

fn reach(key: &ManagementKey, owners: &HashMap<String, String>) -> Markup {
    let (section, kind, id) = match key.reach() {
        Reach::Everything => return html! { "Everybody's" },
        Reach::Team(id) => (Section::Teams, "team", id.to_string()),
        Reach::Customer(id) => (Section::Customers, "customer", id.to_string()),
    };
    html! {
        a href=(Link::of(section.path(), &id)) {
            @match owners.get(&id) { Some(name) => (name), None => code.short title=(id) { (shortened(&id)) } }
        }
        " " span.muted { (kind) }
    }
}

fn state(key: &ManagementKey, now: Timestamp) -> Markup {
    match (key.is_active, key.is_usable(now)) {
        (_, true) => badge(Tone::Good, "Active"),
        (true, false) => badge(Tone::Bad, "Expired"),
        (false, false) => badge(Tone::Calm, "Off"),
    }
}

/// The path of a management key in the API.
pub(super) fn api_path(key: &ManagementKey) -> String {
    Link::of("/api/management-keys", &key.id).to_string()
}

fn dialogs(key: &ManagementKey) -> Markup {
    let (path, etag) = (api_path(key), key.version().etag());
    let rotate_path = format!("{path}/rotate");
    let rotate = Call { etag: &etag, secret: "value", ..Call::new("POST", &rotate_path) };
    let delete = Call { etag: &etag, ..Call::new("DELETE", &path) };
    let about_rotation = html! { p { "“" (key.name) "” gets a new secret, which is shown once. The old one is refused at once, and sessions that it opened end." } };
    let about_deletion = html! { p { "“" (key.name) "” is refused from now on, and its sessions end. What it did stays in the audit log." } };
    html! {
        (dialog(&format!("rotate-{}", key.id), "Rotate this management key?", &rotate, &about_rotation, (Look::Primary, "Rotate")))
        (dialog(&format!("delete-{}", key.id), "Delete this management key?", &delete, &about_deletion, (Look::Danger, "Delete")))
    }
}
