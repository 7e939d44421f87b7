//! The names of a request's members: some spellings and some names have no place at the gateway.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::governed::walk;

/// The names of a request's members, checked: some have no place here.
pub(super) struct Members;

/// Members that the gateway reads. A provider that ignores case would take another spelling for the same.
pub(super) const GOVERNED: [&str; 16] = [
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
];
/// Members by which some endpoints let a client name other models, past the one that is governed.
const OTHER_MODELS: [&str; 4] = ["models", "fallbacks", "route", "plugins"];

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Members, A::Error> {
                let names: Vec<&str> = GOVERNED.iter().chain(&OTHER_MODELS).copied().collect();
                walk(members, &names, |name, members| {
                    if OTHER_MODELS.contains(&name) {
                        return Err(A::Error::custom(format_args!("'{name}' would name models that are not governed")));
                    }
                    members.next_value::<IgnoredAny>().map(drop)
                })?;
                Ok(Members)
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}
