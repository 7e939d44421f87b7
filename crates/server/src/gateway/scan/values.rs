//! Values that may be written in more than one way.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::Scan;
use super::grammar::Allowed;

/// Notes what a text, or each text of a list, stands for; false when one of them is not allowed. Null says nothing.
pub(super) struct Texts<'a> {
    pub(super) allowed: &'static Allowed,
    pub(super) scan: &'a mut Scan,
}

impl Texts<'_> {
    fn note(&mut self, text: &str) -> bool {
        match self.allowed {
            Allowed::These(known) => known.contains(&text),
            Allowed::Causing(known) => {
                meant(known, text).map(|caused| self.scan.causes = self.scan.causes.with(caused)).is_some()
            }
            Allowed::Tiers(known) => meant(known, text).map(|tier| self.scan.tier = tier).is_some(),
        }
    }
}

/// What a text stands for.
fn meant<T: Copy>(known: &[(&str, T)], text: &str) -> Option<T> {
    known.iter().find(|(name, _)| *name == text).map(|(_, meaning)| *meaning)
}

impl<'de> Visitor<'de> for Texts<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a list of texts, or null")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_str<E>(mut self, text: &str) -> Result<bool, E> {
        Ok(self.note(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut texts: A) -> Result<bool, A::Error> {
        let mut are_allowed = true;
        while let Some(text) = texts.next_element::<String>()? {
            are_allowed &= self.note(&text);
        }
        Ok(are_allowed)
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
