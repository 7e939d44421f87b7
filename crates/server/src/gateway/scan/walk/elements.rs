//! Lists of objects in a body, and what is taken for one.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Object;
use crate::gateway::scan::Scan;
use crate::gateway::scan::grammar::Grammar;

/// Objects in a list; or a text, where that says the same. Tells how many there are; none: nothing is there.
pub(super) struct Elements<'w> {
    pub(super) body: &'w [u8],
    pub(super) scan: &'w mut Scan,
    pub(super) grammar: &'static Grammar,
    pub(super) is_text_too: bool,
}

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = Option<u64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u64>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_text_too { "a text, a list of parts, or null" } else { "a list or null" })
    }

    fn visit_unit<E>(self) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<u64>, E> {
        match self.is_text_too {
            true => Ok(Some(1)),
            false => Err(E::invalid_type(serde::de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Option<u64>, A::Error> {
        let Self { body, scan, grammar, .. } = self;
        let mut count = 0_u64;
        while elements.next_element_seed(Object { body, scan: &mut *scan, grammar })?.is_some() {
            count += 1;
        }
        Ok(Some(count))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Option<u64>, A::Error> {
        match self.is_text_too {
            // One part without a list around it, which some take: read as the part that it is.
            true => {
                Object { body: self.body, scan: self.scan, grammar: self.grammar }.visit_map(members).map(|()| Some(1))
            }
            false => Err(A::Error::invalid_type(serde::de::Unexpected::Map, &self)),
        }
    }
}
