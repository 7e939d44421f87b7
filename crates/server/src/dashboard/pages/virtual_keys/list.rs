//! The list of virtual keys.

use actix_web::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpResponse, route, web};
use jiff::Timestamp;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::{CustomerId, TeamId};
use keyward_core::permission::Resource;
use keyward_core::virtual_key::{SortBy, VirtualKey, VirtualKeyFilter, VirtualKeyQuery};
use keyward_store::Reveal;
use maud::{Markup, html};
use serde::Deserialize;

use super::parts::{ends, owner};
use super::rotation;
use crate::api::table_of_keys;
use crate::auth::{Authed, VirtualKeysRead};
use crate::clock;
use crate::dashboard::components::badge::key_state;
use crate::dashboard::components::empty::empty;
use crate::dashboard::components::filter::choice;
use crate::dashboard::components::limits::tightest;
use crate::dashboard::components::pager::{PAGE, pager};
use crate::dashboard::components::rows::{Sorting, scrolled};
use crate::dashboard::components::time::instant;
use crate::dashboard::form::said;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::pages::options::Owners;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Query;
use crate::state::State;

/// What is asked of the list; fields that are empty say nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    search: String,
    team_id: String,
    customer_id: String,
    sort_by: String,
    order: String,
    offset: String,
}

impl Asked {
    /// The same, as the API is asked.
    fn query(&self) -> VirtualKeyQuery {
        VirtualKeyQuery {
            limit: Some(PAGE.to_string()),
            offset: said(&self.offset),
            search: said(&self.search),
            team_id: said(&self.team_id).map(TeamId::from),
            customer_id: said(&self.customer_id).map(CustomerId::from),
            sort_by: said(&self.sort_by),
            order: said(&self.order),
            ..VirtualKeyQuery::default()
        }
    }

    /// The list with all of this asked of it.
    fn link(&self) -> Link {
        Link::to(Section::VirtualKeys.path())
            .with("search", &self.search)
            .with("team_id", &self.team_id)
            .with("customer_id", &self.customer_id)
            .with("sort_by", &self.sort_by)
            .with("order", &self.order)
            .with("offset", &self.offset)
    }

    fn is_narrowed(&self) -> bool {
        [&self.search, &self.team_id, &self.customer_id].into_iter().any(|text| !text.is_empty())
    }
}

#[route("/virtual-keys", method = "GET", method = "HEAD")]
pub(super) async fn virtual_key_list(
    caller: Authed<VirtualKeysRead>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now, asked) = (Visitor::of(&caller, &state), clock::now(), asked.0);
    let (store, filter) = (caller.store(&state), asked.query().check()?);
    let listed = store.virtual_key_list(filter.clone(), now, Reveal::Redacted).await?;
    let keys: Vec<VirtualKey> = listed.entries.into_iter().map(|key| key.observed(&state.read(), now)).collect();
    let owners = Owners::load(&store, &visitor, &asked.team_id, &asked.customer_id).await?;
    let may_write = visitor.may_write(Resource::VirtualKeys);
    let content = html! {
        (filters(&asked, &owners))
        section.card.flush aria-label="Virtual keys" {
            @if keys.is_empty() { (nothing(&asked, &visitor)) }
            @else {
                (table(&asked, &filter, &keys, may_write, now))
                (pager(&asked.link(), filter.page.offset, i64::try_from(keys.len()).unwrap_or(i64::MAX), listed.total))
            }
        }
        @if may_write && !keys.is_empty() { (rotation::dialogs()) }
    };
    let actions = html! {
        @if may_write && !keys.is_empty() { (rotation::button()) }
        a.button href=(asked.link().then("export.csv").with("offset", "")) download="virtual-keys.csv" { "Download as CSV" }
        @if may_write { a.button.primary href="/new/virtual-keys" { "Make a key" } }
    };
    let (section, title) = (Section::VirtualKeys, "Virtual keys");
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}

#[route("/virtual-keys/export.csv", method = "GET", method = "HEAD")]
pub(super) async fn virtual_key_table(
    caller: Authed<VirtualKeysRead>,
    state: web::Data<State>,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (query, now) =
        (VirtualKeyQuery { export: Some("true".to_owned()), limit: None, ..asked.0.query() }, clock::now());
    let listed = caller.store(&state).virtual_key_list(query.check()?, now, Reveal::Redacted).await?;
    let keys: Vec<VirtualKey> = listed.entries.into_iter().map(|key| key.observed(&state.read(), now)).collect();
    let failed = |error| ApiError::new(ErrorCode::Internal, "The table cannot be written").because(error);
    let table = table_of_keys(&keys).map_err(failed)?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(table))
}

fn filters(asked: &Asked, owners: &Owners) -> Markup {
    html! {
        form.filters role="search" action=(Section::VirtualKeys.path()) {
            @if !asked.sort_by.is_empty() {
                input type="hidden" name="sort_by" value=(asked.sort_by);
                input type="hidden" name="order" value=(asked.order);
            }
            div.field.grow {
                label for="search" { "Search" }
                input #search type="search" name="search" value=(asked.search) placeholder="Name or label";
            }
            (choice("team_id", "Team", &owners.teams, &asked.team_id))
            (choice("customer_id", "Customer", &owners.customers, &asked.customer_id))
            button.button type="submit" { "Search" }
            @if asked.is_narrowed() { a.button.quiet href=(Section::VirtualKeys.path()) { "Show all" } }
        }
    }
}

fn nothing(asked: &Asked, visitor: &Visitor) -> Markup {
    if asked.is_narrowed() {
        let all = html! { a.button href=(Section::VirtualKeys.path()) { "Show all" } };
        return empty(
            "No virtual key is like this",
            "Search for another part of a name or of a label, or for another owner.",
            &all,
        );
    }
    let make = html! {
        @if visitor.may_write(Resource::VirtualKeys) { a.button.primary href="/new/virtual-keys" { "Make the first key" } }
    };
    let text = "An application sends a virtual key in place of the provider's. It says which providers and models may be used, how fast, \
                and for how much money: a budget of a key is never exceeded.";
    empty("No virtual keys yet", text, &make)
}

fn table(asked: &Asked, filter: &VirtualKeyFilter, keys: &[VirtualKey], may_write: bool, now: Timestamp) -> Markup {
    let by = match filter.sort_by {
        SortBy::Name => "name",
        SortBy::BudgetSpent => "budget_spent",
        SortBy::CreatedAt => "created_at",
        SortBy::Status => "status",
    };
    let list = asked.link();
    let sorting = Sorting { list: &list, by, descending: filter.descending };
    let head = html! {
        @if may_write { (rotation::choose_all()) }
        (sorting.head("name", "Name", false))
        th scope="col" { "Key" }
        th scope="col" { "Belongs to" }
        (sorting.head("budget_spent", "Budget", false))
        (sorting.head("status", "Status", false))
        (sorting.head("created_at", "Made", false))
    };
    scrolled("Virtual keys", &head, &html! { @for key in keys { (row(key, may_write, now)) } })
}

fn row(key: &VirtualKey, may_write: bool, now: Timestamp) -> Markup {
    html! {
        tr {
            @if may_write { (rotation::choose(key)) }
            th scope="row" { a href=(Link::of(Section::VirtualKeys.path(), &key.id)) { (key.name) } }
            td { code { (ends(key)) } }
            td { (owner(key)) }
            td.wide { (tightest(&key.budgets)) }
            td { (key_state(key, now)) }
            td { (instant(key.created_at)) }
        }
    }
}
