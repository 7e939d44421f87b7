//! The forms that make and edit a virtual key, with every field that the management API knows.

use actix_web::{HttpResponse, route, web};
use keyward_core::change::Versioned as _;
use keyward_core::ids::VirtualKeyId;
use keyward_core::limits::Limits;
use keyward_core::virtual_key::VirtualKey;
use keyward_store::{Reveal, Store};
use maud::{Markup, html};

use super::actions::api_path;
use crate::auth::{Authed, VirtualKeysWrite};
use crate::dashboard::components::action::{Call, footer, form};
use crate::dashboard::components::choice::Choice;
use crate::dashboard::components::field::{Empty, Field, Kind};
use crate::dashboard::components::limits_form::{limits, templates};
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::pages::options::{Owners, choose_provider, choose_provider_key, mcp_clients};
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Path;
use crate::state::State;

mod configs;

use configs::{config_row, configs, mcp_configs, mcp_row, model_row};

/// How long keys often live, in hours.
const PRESETS: [(&str, &str); 6] = [
    ("", "Never"),
    ("24", "In a day"),
    ("168", "In a week"),
    ("720", "In 30 days"),
    ("2160", "In 90 days"),
    ("8760", "In a year"),
];

#[route("/new/virtual-keys", method = "GET", method = "HEAD")]
pub(super) async fn virtual_key_new(
    caller: Authed<VirtualKeysWrite>,
    state: web::Data<State>,
    theme: Theme,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let offered = Offered::load(&caller.store(&state), &visitor, None).await?;
    let call = Call {
        then: "/virtual-keys/{virtual_key.id}",
        secret: "virtual_key.value",
        ..Call::new("POST", "/api/governance/virtual-keys")
    };
    let content = sheet(&call, None, &offered, "Make the key", "/virtual-keys");
    let crumb = html! { a href=(Section::VirtualKeys.path()) { "Virtual keys" } };
    let (section, title, actions) = (Section::VirtualKeys, "Make a virtual key", html! {});
    Ok(Page { visitor: &visitor, theme, section, title, crumb: Some(crumb), actions, content }.respond())
}

#[route("/virtual-keys/{id}/edit", method = "GET", method = "HEAD")]
pub(super) async fn virtual_key_edit(
    caller: Authed<VirtualKeysWrite>,
    state: web::Data<State>,
    theme: Theme,
    id: Path<VirtualKeyId>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, store) = (Visitor::of(&caller, &state), caller.store(&state));
    let key = store.virtual_key_get(id.0, Reveal::Redacted).await?;
    let offered = Offered::load(&store, &visitor, Some(&key)).await?;
    let back = Link::of(Section::VirtualKeys.path(), &key.id).to_string();
    let (path, etag) = (api_path(&key), key.version().etag());
    let call = Call { etag: &etag, then: &back, ..Call::new("PUT", &path) };
    let content = sheet(&call, Some(&key), &offered, "Save", &back);
    let crumb = html! { a href=(Section::VirtualKeys.path()) { "Virtual keys" } " / " a href=(back) { (key.name) } };
    let title = format!("Edit {}", key.name);
    let (section, actions) = (Section::VirtualKeys, html! {});
    Ok(Page { visitor: &visitor, theme, section, title: &title, crumb: Some(crumb), actions, content }.respond())
}

/// What there is to choose from.
struct Offered {
    owners: Owners,
    providers: Choice,
    keys: Choice,
    mcp_clients: Vec<String>,
}

impl Offered {
    async fn load(store: &Store, visitor: &Visitor, key: Option<&VirtualKey>) -> Result<Self, ApiError> {
        let (team, customer) = owners_of(key);
        Ok(Self {
            owners: Owners::load(store, visitor, &team, &customer).await?,
            providers: choose_provider(store, visitor).await?,
            keys: choose_provider_key(store, visitor).await?,
            mcp_clients: mcp_clients(store, visitor).await?,
        })
    }
}

fn sheet(call: &Call<'_>, key: Option<&VirtualKey>, offered: &Offered, text: &str, back: &str) -> Markup {
    let own = key.map(VirtualKey::limits).unwrap_or_default();
    let content = html! {
        section.card aria-label="The key" { (identity(key)) (owner(key, offered)) }
        section.card aria-label="Limits" { (key_limits(key, &own)) }
        section.card aria-label="Providers" { (configs(key, offered)) }
        section.card aria-label="Tools" { (mcp_configs(key, offered)) }
        section.card aria-label="Labels and logging" { (rest(key)) }
        (footer(text, back))
    };
    html! {
        (form(call, "sheet", &content))
        (templates())
        template #config-row { (config_row("@[0]", None, offered)) }
        template #model-row { (model_row("@[0]", None)) }
        template #mcp-row { (mcp_row("@[0]", None, offered)) }
    }
}

fn identity(key: Option<&VirtualKey>) -> Markup {
    let expires = key.and_then(|key| key.expires_at).map(|at| at.to_string()).unwrap_or_default();
    html! {
        (Field::new("name", "Name").value(key.map_or("", |key| &key.name)).reads(Kind::Text, Empty::Text).required().input())
        (Field::new("description", "Description").value(key.map_or("", |key| &key.description)).reads(Kind::Text, Empty::Text).area())
        (Field::new("is_active", "Active").hint("Switched off, the gateway refuses the key.").checkbox(key.is_none_or(|key| key.is_active)))
        div.fields {
            div.field {
                label for="expiry-preset" { "Expires" }
                select #expiry-preset data-preset-for="f-expires_at" {
                    @if key.is_some() { option value="keep" selected { "As it is" } }
                    @for (hours, name) in PRESETS { option value=(hours) { (name) } }
                }
            }
            (Field::new("expires_at", "At").value(&expires).reads(Kind::Text, if key.is_some() { Empty::Null } else { Empty::Omit })
                .hint("In the time zone of your browser; empty: never.").instant())
        }
        (Field::new("delete_after_expire", "Delete it when it has expired").checkbox(key.is_some_and(|key| key.delete_after_expire)))
    }
}

/// The team and the customer of a key.
fn owners_of(key: Option<&VirtualKey>) -> (String, String) {
    let team = key.and_then(|key| key.team_id.as_ref()).map(ToString::to_string);
    let customer = key.and_then(|key| key.customer_id.as_ref()).map(ToString::to_string);
    (team.unwrap_or_default(), customer.unwrap_or_default())
}

fn owner(key: Option<&VirtualKey>, offered: &Offered) -> Markup {
    let (team, customer) = owners_of(key);
    let empty = if key.is_some() { Empty::Null } else { Empty::Omit };
    html! {
        div.fields {
            (Field::new("team_id", "Team").value(&team).reads(Kind::Text, empty).hint("Its limits, and those of its customer, hold too.").choose(&offered.owners.teams, "None"))
            (Field::new("customer_id", "Customer").value(&customer).reads(Kind::Text, empty).hint("A key belongs to a team or to a customer.").choose(&offered.owners.customers, "None"))
        }
    }
}

fn key_limits(key: Option<&VirtualKey>, own: &Limits) -> Markup {
    let parallel = key.and_then(|key| key.max_parallel_requests).map(|most| most.to_string()).unwrap_or_default();
    html! {
        (limits("", own))
        (Field::new("max_parallel_requests", "Requests at the same time").value(&parallel).reads(Kind::Number, Empty::Null).hint("Empty: any number.").input())
        (Field::new("calendar_aligned", "New limits follow the calendar").checkbox(key.is_some_and(|key| key.calendar_aligned)))
        @if key.is_some() {
            (Field::new("reset_budget_usage", "Take off what its budgets have counted in their windows")
                .hint("Otherwise an edit leaves usage alone: it never refills a budget.").checkbox(false))
        }
    }
}

fn rest(key: Option<&VirtualKey>) -> Markup {
    let labels = key
        .map(|key| key.metadata.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n"));
    let logging = key.and_then(|key| key.disable_content_logging);
    let logging = logging.map_or("", |disabled| if disabled { "true" } else { "false" });
    let choices = [
        ("", "Not logged"),
        ("true", "Not logged, said so"),
        ("false", "Logged, where the server leaves it to each key"),
    ];
    html! {
        (Field::new("metadata", "Labels").value(labels.as_deref().unwrap_or_default()).reads(Kind::Pairs, Empty::Pairs).placeholder("env=prod")
            .hint("name=value in each line. Lists can be searched for them.").area())
        (Field::new("disable_content_logging", "Contents of requests and answers").value(logging).reads(Kind::Boolean, Empty::Null).select(&choices))
    }
}
