//! What messages are made of, as far as bounds depend on it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::governed::walk;

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
pub(super) struct Part {
    pub(super) kind: String,
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PartVisitor;

        impl<'de> Visitor<'de> for PartVisitor {
            type Value = Part;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a type")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Part, A::Error> {
                let mut kind = None;
                walk(members, &["type"], |_, members| {
                    kind = Some(members.next_value()?);
                    Ok(())
                })?;
                Ok(Part { kind: kind.ok_or_else(|| A::Error::missing_field("type"))? })
            }
        }

        deserializer.deserialize_map(PartVisitor)
    }
}

/// One message.
pub(super) struct Message {
    pub(super) content: Content,
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MessageVisitor;

        impl<'de> Visitor<'de> for MessageVisitor {
            type Value = Message;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Message, A::Error> {
                let (mut content, mut speaks) = (Content::default(), false);
                walk(members, &["content", "audio"], |name, members| {
                    match name {
                        "content" => content = members.next_value()?,
                        _ => speaks = members.next_value::<Option<IgnoredAny>>()?.is_some(),
                    }
                    Ok(())
                })?;
                content.has_audio |= speaks;
                Ok(Message { content })
            }
        }

        deserializer.deserialize_map(MessageVisitor)
    }
}

/// Whether a stream's options ask to be told the usage.
pub(super) struct StreamOptions {
    pub(super) include_usage: bool,
}

impl<'de> Deserialize<'de> for StreamOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OptionsVisitor;

        impl<'de> Visitor<'de> for OptionsVisitor {
            type Value = StreamOptions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<StreamOptions, A::Error> {
                let mut include_usage = None;
                walk(members, &["include_usage"], |_, members| {
                    include_usage = members.next_value::<Option<bool>>()?;
                    Ok(())
                })?;
                Ok(StreamOptions { include_usage: include_usage.unwrap_or(false) })
            }
        }

        deserializer.deserialize_map(OptionsVisitor)
    }
}
