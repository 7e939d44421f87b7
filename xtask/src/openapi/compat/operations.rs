//! Operations of before and now: whether they are there, what they take, what they answer.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Break;
use super::schemas::{Direction, Schemas};
use crate::openapi::document::{Document, Operation, elements, members};

pub(super) const RULES: [&str; 11] = [
    "operation-removed",
    "operation-id-changed",
    "security-removed",
    "parameter-removed",
    "parameter-required",
    "request-body-required",
    "request-body-removed",
    "request-media-removed",
    "status-removed",
    "answer-media-removed",
    "answer-header-removed",
];

/// Finds what breaks clients of the old document.
pub(super) fn compare(old: &Document, new: &Document, found: &mut Vec<Break>) {
    let now: BTreeMap<_, _> =
        new.operations().map(|operation| ((operation.method, operation.path), operation)).collect();
    for before in old.operations() {
        let mut comparison = Comparison { old, new, place: format!("{}: {before}", new.name), found: &mut *found };
        match now.get(&(before.method, before.path)) {
            Some(now) => comparison.operation(before, *now),
            None => comparison.breaks("operation-removed", ""),
        }
    }
}

struct Comparison<'a> {
    old: &'a Document,
    new: &'a Document,
    place: String,
    found: &'a mut Vec<Break>,
}

impl Comparison<'_> {
    fn breaks(&mut self, rule: &'static str, at: &str) {
        let place = if at.is_empty() { self.place.clone() } else { format!("{} {at}", self.place) };
        self.found.push(Break { rule, place });
    }

    fn operation(&mut self, old: Operation<'_>, new: Operation<'_>) {
        if old.text("operationId") != new.text("operationId") {
            self.breaks("operation-id-changed", old.text("operationId"));
        }
        let ways: Vec<&Value> = elements(new.said, "/security").collect();
        for way in elements(old.said, "/security").filter(|way| !ways.contains(way)) {
            let names: Vec<&str> = members(way, "").map(|(name, _)| name.as_str()).collect();
            self.breaks("security-removed", &format!("security {}", names.join(" and ")));
        }
        self.parameters(old, new);
        self.request(old, new);
        self.answers(old, new);
    }

    fn parameters(&mut self, old: Operation<'_>, new: Operation<'_>) {
        let known = |document, operation: Operation<'_>| -> Vec<(String, Value)> {
            let parameters = operation.parameters().map(|parameter| Document::resolve(document, parameter));
            parameters.map(|parameter| (name(parameter), parameter.clone())).collect()
        };
        let (before, now) = (known(self.old, old), known(self.new, new));
        for (name, parameter) in &before {
            match now.iter().find(|(other, _)| other == name) {
                Some((_, now)) => self.schemas(Direction::Request, name, parameter.get("schema"), now.get("schema")),
                None => self.breaks("parameter-removed", name),
            }
        }
        for (name, _) in now.iter().filter(|(_, parameter)| is_required(parameter)) {
            let was_required = before.iter().any(|(other, parameter)| other == name && is_required(parameter));
            if !was_required {
                self.breaks("parameter-required", name);
            }
        }
    }

    fn request(&mut self, old: Operation<'_>, new: Operation<'_>) {
        let (before, now) = (old.said.get("requestBody"), new.said.get("requestBody"));
        match (before, now) {
            (Some(_), None) => return self.breaks("request-body-removed", "request"),
            (before, Some(now)) if is_required(now) && !before.is_some_and(is_required) => {
                self.breaks("request-body-required", "request");
            }
            _ => {}
        }
        for (media, body) in old.bodies() {
            match new.bodies().find(|(other, _)| *other == media) {
                Some((_, now)) => self.schemas(Direction::Request, "request", body.get("schema"), now.get("schema")),
                None => self.breaks("request-media-removed", &format!("request {media}")),
            }
        }
    }

    fn answers(&mut self, old: Operation<'_>, new: Operation<'_>) {
        for (status, before) in old.responses() {
            let at = format!("answer {status}");
            match new.responses().find(|(other, _)| *other == status) {
                Some((_, now)) => self.answer(&at, self.old.resolve(before), self.new.resolve(now)),
                // Nobody waits for an error.
                None if status.starts_with('2') => self.breaks("status-removed", &at),
                None => {}
            }
        }
    }

    fn answer(&mut self, at: &str, before: &Value, now: &Value) {
        for (media, body) in members(before, "/content") {
            match members(now, "/content").find(|(other, _)| *other == media) {
                Some((_, now)) => self.schemas(Direction::Answer, at, body.get("schema"), now.get("schema")),
                None => self.breaks("answer-media-removed", &format!("{at} {media}")),
            }
        }
        for (name, _) in members(before, "/headers") {
            if !members(now, "/headers").any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                self.breaks("answer-header-removed", &format!("{at} {name}"));
            }
        }
    }

    fn schemas(&mut self, direction: Direction, at: &str, old: Option<&Value>, new: Option<&Value>) {
        let (old, new) = (old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
        let mut schemas = Schemas::new(self.old, self.new, direction);
        schemas.compare(&format!("{} {at} ", self.place), old, new);
        self.found.append(&mut schemas.found);
    }
}

fn name(parameter: &Value) -> String {
    let text = |member: &str| parameter.get(member).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", text("in"), text("name"))
}

fn is_required(value: &Value) -> bool {
    value.get("required") == Some(&Value::Bool(true))
}
