//! Counting: a closer bound of the input, by the model's own tokenizer.
//!
//! Every name, text and number of the body is counted, whatever it is for, so that nothing the provider puts before the model
//! is missed. Each is counted by itself and with two tokens more, each object with four (the frame of a message is three or
//! four), what describes tools once more for each line, and the whole with a part of 32 more: texts that are put together may
//! fall into other tokens at the seams. `docs/estimates.md` has the reasons.

use std::fmt;

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use tiktoken_rs::CoreBPE;

use super::{Estimate, Served, Tokenizers, added, images};
use crate::gateway::scan::Scan;

/// The longest body that is counted, without its images: counting it takes a tenth of a second.
const LONGEST: usize = 512 * 1024;
/// The longest piece that is counted at once: the time that a tokenizer needs for one word is more than linear.
pub(super) const PIECE: usize = 4_096;
/// Tokens beside those of its text that a value, and an object, may take.
const PER_VALUE: u64 = 1;
const PER_OBJECT: u64 = 4;
/// The part of the count that is added to it.
const MARGIN: u64 = 32;
/// Members that providers put into words of their own.
const DESCRIPTIONS: [&str; 4] = ["tools", "functions", "response_format", "text"];

impl Scan {
    /// A bound of the input tokens that is closer than the estimate's, and never below what is billed. None when it cannot be
    /// told: the model's tokenizer is not known, the body does not show all of the input, or it is too long to be counted.
    pub(in crate::gateway) fn counted_input(
        &self,
        body: &Bytes,
        tokenizers: &Tokenizers,
        served: &Served<'_>,
    ) -> Option<u64> {
        let images = images::most(self, served).filter(|_| !self.has_unseen)?;
        let text = self.without_media(body);
        let tokenizer = tokenizers.find(served).filter(|_| text.len() <= LONGEST)?;
        let counting = Counting { tokenizer, is_top: true, is_described: false };
        let mut deserializer = serde_json::Deserializer::from_slice(&text);
        let counted = counting.deserialize(&mut deserializer).ok()?;
        let counted = counted.saturating_add(counted / MARGIN).saturating_add(added(self)).saturating_add(images);
        Some(counted.min(Estimate::of(self, served, body.len()).input))
    }
}

/// Counts the tokens of a value.
#[derive(Clone, Copy)]
struct Counting<'t> {
    tokenizer: &'t CoreBPE,
    /// True for the request itself.
    is_top: bool,
    /// True for what providers put into words of their own.
    is_described: bool,
}

impl Counting<'_> {
    fn text(self, text: &str) -> u64 {
        let mut tokens = PER_VALUE;
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, others) = rest.split_at(rest.floor_char_boundary(PIECE));
            let counted = u64::try_from(self.tokenizer.count_ordinary(piece)).unwrap_or(u64::MAX);
            tokens = tokens.saturating_add(counted).saturating_add(PER_VALUE);
            rest = others;
        }
        let lines = if self.is_described { text.matches('\n').count() } else { 0 };
        tokens.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX).saturating_mul(2))
    }
}

impl<'de> DeserializeSeed<'de> for Counting<'_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counting<'_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<u64, E> {
        Ok(PER_VALUE)
    }

    fn visit_bool<E>(self, value: bool) -> Result<u64, E> {
        Ok(self.text(if value { "true" } else { "false" }))
    }

    fn visit_u64<E>(self, value: u64) -> Result<u64, E> {
        Ok(self.text(&value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<u64, E> {
        Ok(self.text(&value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<u64, E> {
        Ok(self.text(&value.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        Ok(self.text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<u64, A::Error> {
        let mut tokens = PER_VALUE;
        while let Some(counted) = elements.next_element_seed(self)? {
            tokens = tokens.saturating_add(counted);
        }
        Ok(tokens)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<u64, A::Error> {
        let mut tokens = PER_OBJECT;
        while let Some(name) = members.next_key::<String>()? {
            let is_described = self.is_described || self.is_top && DESCRIPTIONS.contains(&name.as_str());
            let value = members.next_value_seed(Self { is_top: false, is_described, ..self })?;
            tokens = tokens.saturating_add(self.text(&name)).saturating_add(value);
        }
        Ok(tokens)
    }
}
