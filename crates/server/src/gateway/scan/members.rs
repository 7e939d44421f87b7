//! The names of a request's members: some spellings and some names have no place at the gateway.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess};

use super::governed::{Governed, read};

/// The names of a request's members, checked: some have no place here.
#[derive(Default)]
pub(super) struct Members;

/// Members that the gateway reads, and at the end those that it refuses. A provider that ignores case would take another
/// spelling for the same.
pub(super) const GOVERNED: [&str; 20] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_completion_tokens",
    "max_tokens",
    "n",
    "tools",
    "functions",
    "response_format",
    "web_search_options",
    "search_parameters",
    "service_tier",
    "modalities",
    "prediction",
    "extra_body",
    "models",
    "fallbacks",
    "route",
    "plugins",
];
/// Members by which some endpoints let a client name other models, past the one that is governed.
const OTHER_MODELS: [&str; 4] = ["models", "fallbacks", "route", "plugins"];

impl Governed for Members {
    const WHAT: &'static str = "an object";
    const NAMES: &'static [&'static str] = &GOVERNED;

    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        if OTHER_MODELS.contains(&name) {
            return Err(A::Error::custom(format_args!("'{name}' would name models that are not governed")));
        }
        members.next_value::<IgnoredAny>().map(drop)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}
