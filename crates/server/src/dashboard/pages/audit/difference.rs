//! What a change has changed: each member with what it was, and what it is.

use std::collections::BTreeSet;

use keyward_core::audit::AuditEntry;
use maud::{Markup, html};
use serde_json::{Map, Value};

/// Members that tell nothing of the change itself.
const BESIDE: [&str; 2] = ["created_at", "updated_at"];

/// The members that differ. Of what was made or deleted, all that it had.
pub(super) fn difference(entry: &AuditEntry) -> Markup {
    let (before, after) = (members(entry.before.as_ref()), members(entry.after.as_ref()));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed: Vec<_> = names
        .into_iter()
        .filter(|name| !BESIDE.contains(&name.as_str()) && before.get(*name) != after.get(*name))
        .collect();
    let summary = match (&entry.before, &entry.after) {
        (None, Some(_)) => "What was made".to_owned(),
        (Some(_), None) => "What was deleted".to_owned(),
        (Some(_) | None, Some(_) | None) => changed.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", "),
    };
    html! {
        @if changed.is_empty() { span.muted { "–" } }
        @else {
            details.more {
                summary { (summary) }
                dl.facts {
                    @for name in changed {
                        dt { (name) }
                        dd {
                            @if let Some(value) = before.get(name) { div { del.bad { (shown(value)) } } }
                            @if let Some(value) = after.get(name) { div { ins.good { (shown(value)) } } }
                        }
                    }
                }
            }
        }
    }
}

fn members(thing: Option<&Value>) -> Map<String, Value> {
    thing.and_then(Value::as_object).cloned().unwrap_or_default()
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
