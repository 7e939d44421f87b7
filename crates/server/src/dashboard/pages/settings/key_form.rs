//! The forms that make and edit a management key. Nobody makes a key that may do more than they may: the API sees to that.

use actix_web::{HttpResponse, route, web};
use keyward_core::change::Versioned as _;
use keyward_core::ids::ManagementKeyId;
use keyward_core::management_key::ManagementKey;
use keyward_core::permission::{Access, Permission, Resource};
use maud::{Markup, html};

use super::keys::api_path;
use crate::auth::{Authed, ManagementKeysWrite};
use crate::dashboard::components::action::{Call, footer, form};
use crate::dashboard::components::field::{Empty, Field, Kind};
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::pages::options::Owners;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Path;
use crate::state::State;

const ACCESSES: [(&str, &str); 2] = [("read", "Look"), ("write", "Look and change")];

#[route("/settings/keys/new", method = "GET", method = "HEAD")]
pub(super) async fn management_key_new(
    caller: Authed<ManagementKeysWrite>,
    state: web::Data<State>,
    theme: Theme,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let owners = Owners::load(&caller.store(&state), &visitor, "", "").await?;
    let call = Call { then: Section::Settings.path(), secret: "value", ..Call::new("POST", "/api/management-keys") };
    let content = sheet(&call, None, &owners, "Make the key");
    let (section, title, actions) = (Section::Settings, "Make a management key", html! {});
    Ok(Page { visitor: &visitor, theme, section, title, crumb: Some(crumb()), actions, content }.respond())
}

#[route("/settings/keys/{id}/edit", method = "GET", method = "HEAD")]
pub(super) async fn management_key_edit(
    caller: Authed<ManagementKeysWrite>,
    state: web::Data<State>,
    theme: Theme,
    id: Path<ManagementKeyId>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, store) = (Visitor::of(&caller, &state), caller.store(&state));
    let key = store.management_key_get(id.0).await?;
    let (team, customer) = owners_of(Some(&key));
    let owners = Owners::load(&store, &visitor, &team, &customer).await?;
    let (path, etag) = (api_path(&key), key.version().etag());
    let call = Call { etag: &etag, then: Section::Settings.path(), ..Call::new("PUT", &path) };
    let content = sheet(&call, Some(&key), &owners, "Save");
    let (section, title, actions) = (Section::Settings, format!("Edit {}", key.name), html! {});
    Ok(Page { visitor: &visitor, theme, section, title: &title, crumb: Some(crumb()), actions, content }.respond())
}

fn crumb() -> Markup {
    html! { a href=(Section::Settings.path()) { "Settings" } }
}

fn sheet(call: &Call<'_>, key: Option<&ManagementKey>, owners: &Owners, text: &str) -> Markup {
    let content = html! {
        section.card aria-label="The key" { (identity(key)) }
        section.card aria-label="What it may do" { (permissions(key)) }
        section.card aria-label="On whose things" { (reach(key, owners)) }
        (footer(text, Section::Settings.path()))
    };
    html! {
        (form(call, "sheet", &content))
        template #permission-row { (permission("@[0]", None)) }
    }
}

fn identity(key: Option<&ManagementKey>) -> Markup {
    let expires = key.and_then(|key| key.expires_at).map(|at| at.to_string()).unwrap_or_default();
    let empty = if key.is_some() { Empty::Null } else { Empty::Omit };
    html! {
        (Field::new("name", "Name").value(key.map_or("", |key| &key.name)).reads(Kind::Text, Empty::Text).required().input())
        (Field::new("description", "Description").value(key.map_or("", |key| &key.description)).reads(Kind::Text, Empty::Text).area())
        (Field::new("is_active", "Active").hint("Switched off, the key is refused, and its sessions end.").checkbox(key.is_none_or(|key| key.is_active)))
        (Field::new("expires_at", "Expires").value(&expires).reads(Kind::Text, empty).hint("In the time zone of your browser; empty: never.").instant())
    }
}

fn permissions(key: Option<&ManagementKey>) -> Markup {
    let existing = key.map(|key| key.permissions.as_slice()).unwrap_or_default();
    html! {
        fieldset.stack data-list="permissions" {
            legend { "Permissions" }
            @for (place, one) in existing.iter().enumerate() { (permission(&format!("permissions[{place}]"), Some(*one))) }
            @if existing.is_empty() { (permission("permissions[0]", None)) }
            div.row { button.button.small type="button" data-add="permission-row" data-needs-script disabled { "Add a permission" } }
        }
    }
}

fn permission(at: &str, permission: Option<Permission>) -> Markup {
    let path = |name: &str| format!("{at}.{name}");
    let resources = Resource::ALL.map(|resource| (resource_value(resource), resource_name(resource)));
    let chosen = permission.map(|permission| resource_value(permission.resource)).unwrap_or_default();
    let access = match permission.map(|permission| permission.access) {
        Some(Access::Write) => "write",
        Some(Access::Read) | None => "read",
    };
    html! {
        div.item data-item {
            div.fields {
                (Field::new(&path("resource"), "What").value(chosen).select(&resources))
                (Field::new(&path("access"), "May").value(access).select(&ACCESSES))
            }
            div.row { button.button.quiet.small type="button" data-remove data-needs-script disabled { "Remove this permission" } }
        }
    }
}

/// The team and the customer whose things a key may look at.
fn owners_of(key: Option<&ManagementKey>) -> (String, String) {
    let team = key.and_then(|key| key.team_id.as_ref()).map(ToString::to_string);
    let customer = key.and_then(|key| key.customer_id.as_ref()).map(ToString::to_string);
    (team.unwrap_or_default(), customer.unwrap_or_default())
}

fn reach(key: Option<&ManagementKey>, owners: &Owners) -> Markup {
    let (team, customer) = owners_of(key);
    let empty = if key.is_some() { Empty::Null } else { Empty::Omit };
    html! {
        div.fields {
            (Field::new("team_id", "Only a team's").value(&team).reads(Kind::Text, empty).choose(&owners.teams, "Everybody's"))
            (Field::new("customer_id", "Only a customer's").value(&customer).reads(Kind::Text, empty).hint("With its teams. Only one of the two can be chosen.").choose(&owners.customers, "Everybody's"))
        }
    }
}

/// What a kind of resource is called in the API.
const fn resource_value(resource: Resource) -> &'static str {
    match resource {
        Resource::VirtualKeys => "virtual_keys",
        Resource::Teams => "teams",
        Resource::Customers => "customers",
        Resource::Providers => "providers",
        Resource::RoutingRules => "routing_rules",
        Resource::ModelConfigs => "model_configs",
        Resource::PricingOverrides => "pricing_overrides",
        Resource::McpClients => "mcp_clients",
        Resource::Audit => "audit",
        Resource::Events => "events",
        Resource::Usage => "usage",
        Resource::Config => "config",
        Resource::Metrics => "metrics",
        Resource::ManagementKeys => "management_keys",
    }
}

/// What a kind of resource is called here.
pub(super) const fn resource_name(resource: Resource) -> &'static str {
    match resource {
        Resource::VirtualKeys => "Virtual keys",
        Resource::Teams => "Teams",
        Resource::Customers => "Customers",
        Resource::Providers => "Providers",
        Resource::RoutingRules => "Routing rules",
        Resource::ModelConfigs => "Limits of models",
        Resource::PricingOverrides => "Prices",
        Resource::McpClients => "MCP clients",
        Resource::Audit => "Audit log",
        Resource::Events => "Events",
        Resource::Usage => "Usage and ledger",
        Resource::Config => "Configuration",
        Resource::Metrics => "Metrics",
        Resource::ManagementKeys => "Management keys",
    }
}
