//! Bounds: whether every value within the one schema's is within the other's.

use serde_json::Value;

const LOWER: [&str; 5] = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
const UPPER: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
/// What is only comparable with itself.
const FORMS: [&str; 4] = ["pattern", "format", "multipleOf", "uniqueItems"];

pub(super) fn is_within(inner: &Value, outer: &Value) -> bool {
    let number = |schema: &Value, name: &str| schema.get(name).and_then(Value::as_f64);
    let is_above = |name: &&str| match (number(inner, name), number(outer, name)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(inner), Some(outer)) => inner >= outer,
    };
    let is_below = |name: &&str| match (number(inner, name), number(outer, name)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(inner), Some(outer)) => inner <= outer,
    };
    let is_formed = |name: &&str| outer.get(*name).is_none_or(|form| inner.get(*name) == Some(form));
    LOWER.iter().all(is_above) && UPPER.iter().all(is_below) && FORMS.iter().all(is_formed)
}
