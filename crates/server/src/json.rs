//! JSON as others write it: a failure names the member at fault, and for an unknown one the nearest that is known.

use std::fmt;
use std::marker::PhantomData;

use keyward_core::error_code::ErrorCode;
use keyward_core::invalid::Pointer;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_path_to_error::{Segment, Track};

use crate::error::ApiError;

/// Parses JSON text; a failure names the member at fault, and for an unknown one the nearest that is known.
pub(crate) fn parse<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, ApiError> {
    parse_with(PhantomData, text)
}

/// The same, with a seed that knows what to read.
pub(crate) fn parse_with<'de, S: DeserializeSeed<'de>>(seed: S, text: &'de [u8]) -> Result<S::Value, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let mut track = Track::new();
    let read = seed.deserialize(serde_path_to_error::Deserializer::new(&mut deserializer, &mut track));
    let parsed = read.map_err(|error| explained(error, &pointer(&track.path())))?;
    deserializer.end().map_err(|error| explained(error, &Pointer::ROOT))?;
    Ok(parsed)
}

/// The same, without a word of where it fails: for what is read on every request.
pub(crate) fn read_with<'de, S: DeserializeSeed<'de>>(seed: S, text: &'de [u8]) -> Result<S::Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(read)
}

/// The members of an object that have such a name, as they are written; of the others nothing is kept.
pub(crate) fn members(
    text: &[u8],
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, &RawValue)>, serde_json::Error> {
    read_with(Members(is_wanted), text)
}

struct Members<F>(F);

impl<'de, F: Fn(&str) -> bool> DeserializeSeed<'de> for Members<F> {
    type Value = Vec<(String, &'de RawValue)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: Fn(&str) -> bool> Visitor<'de> for Members<F> {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            match (self.0)(&name) {
                true => members.push((name, map.next_value()?)),
                false => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(members)
    }
}

/// The place that a path leads to.
pub(crate) fn pointer(path: &serde_path_to_error::Path) -> Pointer {
    path.iter().fold(Pointer::ROOT, |pointer, segment| match segment {
        Segment::Seq { index } => pointer.element(*index),
        Segment::Map { key } | Segment::Enum { variant: key } => pointer.member(key),
        Segment::Unknown => pointer,
    })
}

fn explained(error: serde_json::Error, at: &Pointer) -> ApiError {
    use serde_json::error::Category;
    let text = error.to_string();
    match error.classify() {
        Category::Io | Category::Syntax | Category::Eof => {
            ApiError::new(ErrorCode::InvalidJson, format!("Invalid JSON: {text}"))
        }
        Category::Data => {
            let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
            wrong_data(what, at)
        }
    }
}

/// Explains what serde says of data that it understood as such and that does not fit.
pub(crate) fn wrong_data(what: &str, at: &Pointer) -> ApiError {
    let unknown = what.strip_prefix("unknown field `").and_then(|rest| rest.split_once("`, "));
    let missing = what.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match (unknown, missing) {
        (Some((field, known)), _) => unknown_field(field, known, at),
        (None, Some(field)) => {
            ApiError::new(ErrorCode::InvalidRequest, format!("{field} is required")).at(at.member(field))
        }
        (None, None) => ApiError::new(ErrorCode::InvalidRequest, what).at(at),
    }
}

/// `known` is the rest of serde's message: the known names in backticks.
fn unknown_field(field: &str, known: &str, at: &Pointer) -> ApiError {
    let names = known.split('`').skip(1).step_by(2);
    let nearest = names
        .map(|name| (strsim::normalized_damerau_levenshtein(field, name), name))
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    let hint = match nearest {
        Some((similarity, name)) if similarity >= 0.5 => format!("; did you mean '{name}'?"),
        Some(_) | None => String::new(),
    };
    // The path already ends in the member's name when the parser had entered it.
    let pointer = if at.last() == Some(field) { at.clone() } else { at.member(field) };
    ApiError::new(ErrorCode::UnknownField, format!("unknown field '{field}'{hint}")).at(pointer)
}
