//! Pricing overrides: what is paid in place of the catalogue's prices, and for what.

use std::collections::BTreeMap;

use keyward_core::change::Versioned as _;
use keyward_core::list::Page as Part;
use keyward_core::pricing_override::{MatchType, PricingOverride, PricingOverrideFilter, RequestType};
use maud::{Markup, html};
use serde_json::value::RawValue;

use crate::dashboard::components::action::{Call, Look, dialog, opener};
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::link::Link;
use crate::error::ApiError;
use crate::state::State;

/// The most overrides that are shown.
const MOST: i64 = 200;

/// All overrides, oldest first.
pub(super) struct Overrides {
    all: Vec<PricingOverride>,
    pub(super) may_write: bool,
}

impl Overrides {
    pub(super) async fn load(state: &State, may_write: bool) -> Result<Self, ApiError> {
        let filter = PricingOverrideFilter { page: Part { limit: MOST, ..Part::default() }, ..Default::default() };
        Ok(Self { all: state.store.pricing_override_list(filter).await?.entries, may_write })
    }

    pub(super) fn card(&self) -> Markup {
        html! {
            section.card.flush aria-labelledby="overrides" {
                div.card-head { h2 #overrides { "Overrides" } span.hint { "in US dollars for one; the narrowest that fits a request counts" } }
                @if self.all.is_empty() { p.muted.empty { "Every model costs what the catalogue says." } }
                @else { (self.table()) }
            }
        }
    }

    fn table(&self) -> Markup {
        html! {
            (scrolled("Overrides", &html! { th scope="col" { "Override" } th scope="col" { "For" } th scope="col" { "Models" } th scope="col" { "Prices" }
                        @if self.may_write { th scope="col" { span.unseen { "Actions" } } } }, &html! { @for entry in &self.all { (self.row(entry)) } }))
        }
    }

    fn row(&self, entry: &PricingOverride) -> Markup {
        html! {
            tr {
                th scope="row" { (entry.name) }
                td { (whose(entry)) }
                td {
                    code { (entry.pattern) } @if entry.match_type == MatchType::Wildcard { " " span.muted { "what begins so" } }
                    div.hint { (entry.request_types.iter().map(|kind| RequestType::as_str(*kind)).collect::<Vec<_>>().join(", ")) }
                }
                td { @for (field, price) in prices(entry) { div { code { (field) } " " span.number { (price) } } } }
                @if self.may_write {
                    td.actions {
                        div.row {
                            a.button href=(Link::of("/models/overrides", &entry.id).then("edit")) aria-label={ "Edit " (entry.name) } { "Edit" }
                            (opener(&deletion_id(entry), Look::Danger, "Delete"))
                        }
                    }
                }
            }
        }
    }

    /// The dialogs that deletions are asked for in.
    pub(super) fn dialogs(&self) -> Markup {
        html! { @if self.may_write { @for entry in &self.all { (deletion(entry)) } } }
    }
}

/// Whose requests an override is for, in words.
fn whose(entry: &PricingOverride) -> String {
    let key = entry.virtual_key_id.as_ref().map(|id| format!("virtual key {id}"));
    let provider = entry.provider_id.as_ref().map(|id| format!("provider {id}"));
    let provider_key = entry.provider_key_id.as_ref().map(|id| format!("provider key {id}"));
    let all: Vec<String> = [key, provider, provider_key].into_iter().flatten().collect();
    if all.is_empty() { "Everybody".to_owned() } else { all.join(", ") }
}

/// The prices of an override, as they are written.
pub(super) fn prices(entry: &PricingOverride) -> Vec<(String, String)> {
    let text = entry.patch.to_json();
    let patch = serde_json::from_str::<BTreeMap<String, &RawValue>>(&text).unwrap_or_default();
    patch.into_iter().map(|(field, price)| (field, price.get().to_owned())).collect()
}

fn deletion_id(entry: &PricingOverride) -> String {
    format!("delete-{}", entry.id)
}

fn deletion(entry: &PricingOverride) -> Markup {
    let (path, etag) = (api_path(entry), entry.version().etag());
    let call = Call { etag: &etag, ..Call::new("DELETE", &path) };
    let about = html! { p { "“" (entry.name) "” counts no more from now on. What was charged stays as it is." } };
    dialog(&deletion_id(entry), "Delete this override?", &call, &about, (Look::Danger, "Delete"))
}

/// The path of an override in the management API.
pub(super) fn api_path(entry: &PricingOverride) -> String {
    Link::of("/api/governance/pricing-overrides", &entry.id).to_string()
}
