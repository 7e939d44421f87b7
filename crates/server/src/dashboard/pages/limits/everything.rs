//! Lists of all limits of a kind, whoever owns them: what is used now, when it resets, and the way to the owner.

use jiff::Timestamp;
use keyward_core::ids::LimitId;
use keyward_core::limits::Limits;
use keyward_core::list::{Page, PageQuery};
use maud::{Markup, html};

use super::owners::Owners;
use crate::dashboard::components::empty::empty;
use crate::dashboard::components::limits::meters;
use crate::dashboard::components::pager::{Asked, PAGE, pager};
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::form::said;
use crate::dashboard::link::Link;
use crate::error::ApiError;
use crate::state::State;

/// Which page is asked for.
pub(super) fn page(asked: &Asked) -> Result<Page, ApiError> {
    let query = PageQuery { limit: Some(PAGE.to_string()), offset: said(&asked.offset), ..PageQuery::default() };
    Ok(query.check()?)
}

/// A page of such a list.
pub(super) struct Listing {
    /// Where the list is, and what it is called.
    pub(super) at: (&'static str, &'static str),
    /// What one is called.
    pub(super) noun: &'static str,
    /// Each by itself.
    pub(super) limits: Vec<(LimitId, Limits)>,
    /// How many there are.
    pub(super) total: i64,
    pub(super) offset: i64,
    pub(super) owners: Owners,
}

impl Listing {
    pub(super) fn shown(&self, state: &State, now: Timestamp) -> Markup {
        let Self { at: (path, name), noun, limits, total, offset, owners } = self;
        let text = "They are made with their owner: a key, a team, a customer, a model or a provider.";
        let head = html! { th scope="col" { "Limit of" } th scope="col" { "Used now" } };
        let rows = html! {
            @for (id, own) in limits {
                tr {
                    th scope="row" { (owners.shown(id)) }
                    td.wide { (meters(own, &|meter| state.engine.held(meter, now), now)) }
                }
            }
        };
        html! {
            section.card.flush aria-label=(name) {
                @if limits.is_empty() { (empty(&format!("There is no {noun}"), text, &html! {})) }
                @else {
                    (scrolled(name, &head, &rows))
                    (pager(&Link::to(*path), *offset, i64::try_from(limits.len()).unwrap_or(i64::MAX), *total))
                }
            }
        }
    }
}
