//! Values that may be written in more than one way.

use std::fmt;

use keyward_core::price::ClassSet;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};

/// Tells whether a text, or each text of a list, is one of these. Null says nothing.
pub(super) struct OneOf(pub(super) &'static [&'static str]);

impl<'de> Visitor<'de> for OneOf {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a list of texts, or null")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_str<E>(self, text: &str) -> Result<bool, E> {
        Ok(self.0.contains(&text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<bool, A::Error> {
        let mut are_allowed = true;
        while let Some(text) = texts.next_element::<String>()? {
            are_allowed &= self.0.contains(&text.as_str());
        }
        Ok(are_allowed)
    }
}

/// Tells which classes a text, or each text of a list, causes; none when one of them is not known. Null causes nothing.
pub(super) struct Causes(pub(super) &'static [(&'static str, ClassSet)]);

impl Causes {
    fn of(&self, text: &str) -> Option<ClassSet> {
        self.0.iter().find(|(known, _)| *known == text).map(|(_, classes)| *classes)
    }
}

impl<'de> Visitor<'de> for Causes {
    type Value = Option<ClassSet>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a list of texts, or null")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Some(ClassSet::NONE))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.of(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Self::Value, A::Error> {
        let mut caused = Some(ClassSet::NONE);
        while let Some(text) = texts.next_element::<String>()? {
            caused = caused.zip(self.of(&text)).map(|(some, more)| some.with(more));
        }
        Ok(caused)
    }
}

/// Counts prompts: a text is one, a list of tokens is one, and there may be a list of either.
pub(super) struct Prompts;

impl<'de> Visitor<'de> for Prompts {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a list of texts, a list of tokens, a list of such lists, or null")
    }

    fn visit_unit<E>(self) -> Result<u64, E> {
        Ok(1)
    }

    fn visit_str<E>(self, _: &str) -> Result<u64, E> {
        Ok(1)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<u64, A::Error> {
        let mut prompts = 0_u64;
        while let Some(stands_alone) = elements.next_element_seed(Prompt)? {
            prompts += u64::from(stands_alone);
        }
        Ok(prompts.max(1))
    }
}

/// An element of a list of prompts: true for a prompt, false for a token of one.
struct Prompt;

impl<'de> DeserializeSeed<'de> for Prompt {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Prompt {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a token, or a list of tokens")
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tokens: A) -> Result<bool, A::Error> {
        while tokens.next_element::<IgnoredAny>()?.is_some() {}
        Ok(true)
    }
}
