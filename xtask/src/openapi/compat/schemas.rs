//! Schemas of before and now. A request's may take more than before and not less; an answer's may say less and not more.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Break, bounds};
use crate::openapi::document::{Document, elements, members};

pub(super) const RULES: [&str; 14] = [
    "request-type-narrowed",
    "request-choice-narrowed",
    "request-enum-narrowed",
    "request-bound-narrowed",
    "request-property-removed",
    "request-property-required",
    "request-closed",
    "request-default-changed",
    "answer-type-widened",
    "answer-choice-widened",
    "answer-enum-widened",
    "answer-bound-widened",
    "answer-property-removed",
    "answer-property-optional",
];

/// Which way a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Answer,
}

/// One comparison, with what has been compared already: schemas may contain themselves.
pub(super) struct Schemas<'a> {
    old: &'a Document,
    new: &'a Document,
    direction: Direction,
    seen: BTreeSet<(String, String)>,
    pub(super) found: Vec<Break>,
}

/// One of the types that a schema admits, and the schema that says more about it.
#[derive(Clone, Copy)]
struct Alternative<'a> {
    kind: &'a str,
    schema: &'a Value,
}

/// What stands for every type.
const ANY: &str = "any";

impl<'a> Schemas<'a> {
    pub(super) const fn new(old: &'a Document, new: &'a Document, direction: Direction) -> Self {
        Self { old, new, direction, seen: BTreeSet::new(), found: Vec::new() }
    }

    /// Compares what stands at one place.
    pub(super) fn compare(&mut self, at: &str, old: &Value, new: &Value) {
        if let (Some(before), Some(now)) = (reference(old), reference(new))
            && !self.seen.insert((before.to_owned(), now.to_owned()))
        {
            return;
        }
        if self.direction == Direction::Request
            && let (Some(before), Some(now)) = (old.get("default"), new.get("default"))
            && before != now
        {
            self.breaks("request-default-changed", at);
        }
        let (before, now) = (alternatives(self.old, old), alternatives(self.new, new));
        // A request's values of before have to fit now; an answer's values of now have to have fitted before.
        let (wanted, offered) = match self.direction {
            Direction::Request => (&before, &now),
            Direction::Answer => (&now, &before),
        };
        for one in wanted {
            let same: Vec<Alternative<'_>> = offered.iter().filter(|other| one.fits(**other)).copied().collect();
            match same.as_slice() {
                [] => self.breaks(self.rule("request-type-narrowed", "answer-type-widened"), at),
                [only] => self.pair(at, *one, *only),
                several => self.choice(at, *one, several),
            }
        }
    }

    fn breaks(&mut self, rule: &'static str, at: &str) {
        self.found.push(Break { rule, place: at.trim_end().to_owned() });
    }

    const fn rule(&self, request: &'static str, answer: &'static str) -> &'static str {
        match self.direction {
            Direction::Request => request,
            Direction::Answer => answer,
        }
    }

    /// Compares in the order of time.
    fn pair(&mut self, at: &str, wanted: Alternative<'_>, offered: Alternative<'_>) {
        match self.direction {
            Direction::Request => self.typed(at, wanted.schema, offered.schema),
            Direction::Answer => self.typed(at, offered.schema, wanted.schema),
        }
    }

    /// One of several has to do.
    fn choice(&mut self, at: &str, wanted: Alternative<'_>, offered: &[Alternative<'_>]) {
        let does = offered.iter().any(|one| {
            let mut trial = Schemas { seen: self.seen.clone(), ..Schemas::new(self.old, self.new, self.direction) };
            trial.pair(at, wanted, *one);
            trial.found.is_empty()
        });
        if !does {
            self.breaks(self.rule("request-choice-narrowed", "answer-choice-widened"), at);
        }
    }

    fn typed(&mut self, at: &str, old: &Value, new: &Value) {
        let (before, now) = (values(old), values(new));
        let (wanted, offered) = if self.direction == Direction::Request { (before, now) } else { (now, before) };
        let is_missing = match (wanted, offered) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(wanted), Some(offered)) => wanted.iter().any(|value| !offered.contains(value)),
        };
        if is_missing {
            self.breaks(self.rule("request-enum-narrowed", "answer-enum-widened"), at);
        }
        let (inner, outer) = if self.direction == Direction::Request { (old, new) } else { (new, old) };
        if !bounds::is_within(inner, outer) {
            self.breaks(self.rule("request-bound-narrowed", "answer-bound-widened"), at);
        }
        self.members(at, old, new);
        if let (Some(old), Some(new)) = (old.get("items"), new.get("items")) {
            self.compare(&format!("{at}/[]"), old, new);
        }
        let (old, new) = (old.get("additionalProperties"), new.get("additionalProperties"));
        match (old, new) {
            (Some(old), Some(new)) if old.is_object() && new.is_object() => self.compare(&format!("{at}/*"), old, new),
            (old, Some(Value::Bool(false))) if self.direction == Direction::Request && old != new => {
                self.breaks("request-closed", at);
            }
            _ => {}
        }
    }

    fn members(&mut self, at: &str, old: &Value, new: &Value) {
        let (before, now) = (properties(old), properties(new));
        for (name, schema) in &before {
            let at = format!("{at}/{name}");
            match now.iter().find(|(other, _)| other == name) {
                Some((_, now)) => self.compare(&at, schema, now),
                None if self.direction == Direction::Answer => self.breaks("answer-property-removed", &at),
                None if new.get("additionalProperties") == Some(&Value::Bool(false)) => {
                    self.breaks("request-property-removed", &at);
                }
                None => {}
            }
        }
        let (before, now) = (required(old), required(new));
        let (more, less, rule) = match self.direction {
            Direction::Request => (&now, &before, "request-property-required"),
            Direction::Answer => (&before, &now, "answer-property-optional"),
        };
        let gone =
            |name: &str| self.direction == Direction::Answer && !properties(new).iter().any(|(one, _)| *one == name);
        let lost: Vec<&str> = more.difference(less).copied().filter(|name| !gone(name)).collect();
        for name in lost {
            self.breaks(rule, &format!("{at}/{name}"));
        }
    }
}

impl Alternative<'_> {
    /// Whether the other one is of this one's type.
    fn fits(self, other: Alternative<'_>) -> bool {
        other.kind == ANY || self.kind == other.kind || (self.kind == "integer" && other.kind == "number")
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

/// The types that a schema admits, each on its own.
fn alternatives<'a>(document: &'a Document, schema: &'a Value) -> Vec<Alternative<'a>> {
    let schema = document.resolve(schema);
    let choices: Vec<&Value> = ["/oneOf", "/anyOf"].into_iter().flat_map(|choice| elements(schema, choice)).collect();
    if !choices.is_empty() {
        return choices.into_iter().flat_map(|choice| alternatives(document, choice)).collect();
    }
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec![ANY],
    };
    kinds.into_iter().map(|kind| Alternative { kind, schema }).collect()
}

/// The only values that a schema admits, if it lists them.
fn values(schema: &Value) -> Option<Vec<&Value>> {
    let listed = schema.get("enum").and_then(Value::as_array).map(|values| values.iter().collect());
    listed.or_else(|| schema.get("const").map(|value| vec![value]))
}

fn properties(schema: &Value) -> Vec<(&str, &Value)> {
    members(schema, "/properties").map(|(name, schema)| (name.as_str(), schema)).collect()
}

fn required(schema: &Value) -> BTreeSet<&str> {
    elements(schema, "/required").filter_map(Value::as_str).collect()
}
