//! What messages are made of, as far as bounds depend on it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What a message's content is made of.
#[derive(Clone, Copy, Default)]
pub(super) struct Content {
    /// Something is not plain text.
    pub(super) has_media: bool,
    /// Something is spoken.
    pub(super) has_audio: bool,
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor;

        impl<'de> Visitor<'de> for ContentVisitor {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a list of parts, or null")
            }

            fn visit_str<E>(self, _: &str) -> Result<Content, E> {
                Ok(Content::default())
            }

            fn visit_unit<E>(self) -> Result<Content, E> {
                Ok(Content::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
                let mut content = Content::default();
                while let Some(part) = parts.next_element::<Part>()? {
                    content.has_media |= !matches!(part.kind.as_str(), "text" | "refusal");
                    content.has_audio |= part.kind == "input_audio";
                }
                Ok(content)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Content, A::Error> {
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Content { has_media: true, has_audio: false })
            }
        }

        deserializer.deserialize_any(ContentVisitor)
    }
}

/// One part of a message's content, or one tool.
#[derive(Deserialize)]
pub(super) struct Part {
    #[serde(rename = "type")]
    pub(super) kind: String,
}
