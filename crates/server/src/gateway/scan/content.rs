//! What messages are made of, as far as bounds depend on it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::governed::{Governed, read};

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
                    content.has_media |= !matches!(part.kind.as_deref(), Some("text" | "refusal"));
                    content.has_audio |= part.kind.as_deref() == Some("input_audio");
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
#[derive(Default)]
pub(super) struct Part {
    pub(super) kind: Option<String>,
}

impl Governed for Part {
    const WHAT: &'static str = "an object with a type";
    const NAMES: &'static [&'static str] = &["type"];

    fn take<'de, A: MapAccess<'de>>(&mut self, _: &str, members: &mut A) -> Result<(), A::Error> {
        self.kind = members.next_value()?;
        Ok(())
    }
}

/// One message.
#[derive(Default)]
pub(super) struct Message {
    pub(super) content: Content,
    /// Speech that the model is to remember.
    pub(super) audio: Option<IgnoredAny>,
}

impl Governed for Message {
    const WHAT: &'static str = "a message";
    const NAMES: &'static [&'static str] = &["content", "audio"];

    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "content" => self.content = members.next_value()?,
            _ => self.audio = members.next_value()?,
        }
        Ok(())
    }
}

/// Whether a stream's options ask to be told the usage.
#[derive(Default)]
pub(super) struct StreamOptions {
    pub(super) include_usage: Option<bool>,
}

impl Governed for StreamOptions {
    const WHAT: &'static str = "an object";
    const NAMES: &'static [&'static str] = &["include_usage"];

    fn take<'de, A: MapAccess<'de>>(&mut self, _: &str, members: &mut A) -> Result<(), A::Error> {
        self.include_usage = members.next_value()?;
        Ok(())
    }
}

macro_rules! read_as_governed {
    ($($name:ident),+) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read(deserializer)
            }
        }
    )+};
}

read_as_governed!(Part, Message, StreamOptions);
