//! Who spends most.

use keyward_core::usage::{UsageGroup, UsageReport};
use maud::{Markup, html};

use super::{refusals_behind, rows_behind};
use crate::dashboard::components::number::{count, dollars, money};
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;

/// The card of virtual keys by what they spent. `report` is told apart by virtual key.
pub(super) fn card(report: &UsageReport) -> Markup {
    let head = html! {
        th scope="col" { "Virtual key" }
        th.number scope="col" { "Spend" }
        th.number scope="col" { "Requests" }
        th.number scope="col" { "Refused" }
    };
    let body = html! { @for group in &report.groups { (row(group, &rows_behind(report))) } };
    html! {
        section.card.flush aria-labelledby="spenders" {
            div.card-head {
                h2 #spenders { "Top keys" }
                span.hint { "by spend" }
            }
            @if report.groups.is_empty() {
                p.muted.empty { "Nobody has called yet." }
            } @else {
                (scrolled("Top keys", &head, &body))
            }
            @if let Some(other) = &report.other {
                p.pager { (count(other.groups)) " other keys: " (dollars(other.usage.cost)) }
            }
        }
    }
}

fn row(group: &UsageGroup, rows: &Link) -> Markup {
    let member = group.by.first();
    let id = member.and_then(|member| member.value.as_deref());
    let name = member.and_then(|member| member.name.as_deref());
    let rows = rows.clone().with("virtual_key_id", id.unwrap_or_default());
    html! {
        tr {
            th scope="row" {
                @match (id, name) {
                    (Some(id), Some(name)) => a href=(Link::of(Section::VirtualKeys.path(), id)) { (name) },
                    (Some(id), None) => span.muted { (id) " (deleted)" },
                    (None, _) => span.muted { "No known key" },
                }
            }
            td.number { a href=(rows) { (money(group.usage.cost)) } }
            td.number { (count(group.usage.requests)) }
            td.number { @if group.usage.refusals == 0 { "0" } @else { a href=(refusals_behind(&rows)) { (count(group.usage.refusals)) } } }
        }
    }
}
