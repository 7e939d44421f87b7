//! The body for the provider: a few places are written anew, and every other byte is the client's.

use std::ops::Range;

use bytes::Bytes;
use keyward_core::error_code::ErrorCode;
use keyward_core::operation::{Dialect, Operation};

use super::{Scan, asks_for_usage, cap as cap_of};
use crate::error::ApiError;
use crate::gateway::estimate::Served;
use crate::pieces::Pieces;

/// A place in the body, and what stands there instead.
type Edit = (Range<usize>, Vec<u8>);

impl Scan {
    /// The body for the provider: its own model name, for streams the wish to be told the usage, and the cap on the output
    /// tokens of one answer when one is given.
    ///
    /// # Errors
    /// When a text cannot be written, which is a fault of ours.
    pub(in crate::gateway) fn splice(
        &self,
        body: &Bytes,
        served: &Served<'_>,
        output_cap: Option<u64>,
    ) -> Result<Pieces, ApiError> {
        if let Some(form) = &self.form {
            return Ok(form.with_model(body, served.model));
        }
        let internal =
            |error: serde_json::Error| ApiError::new(ErrorCode::Internal, "The body cannot be written").because(error);
        let mut edits = Vec::new();
        let name = || serde_json::to_string(served.model).map_err(internal);
        match (self.model_at.clone(), self.operation.dialect()) {
            (Some(at), Dialect::OpenAi | Dialect::Anthropic) => edits.push((at, name()?.into_bytes())),
            // The path named it.
            (None, Dialect::OpenAi) => edits.push(at_front(body, 0, &format!("\"model\":{}", name()?))),
            (None, Dialect::Anthropic) | (_, Dialect::Gemini) => {}
        }
        for (_, at) in &self.named_again {
            let name = serde_json::to_string(&format!("models/{}", served.model)).map_err(internal)?;
            edits.push((at.clone(), name.into_bytes()));
        }
        if self.stream && !self.wants_usage && asks_for_usage(self.operation) {
            edits.push(self.usage_wish(body));
        }
        if let Some(cap) = output_cap {
            edits.extend(self.capped(body, served.provider, cap));
        }
        edits.extend(self.fallbacks_at.as_ref().map(|value| (member(body, value), Vec::new())));
        Ok(edited(body, edits))
    }

    /// The body with null in place of what its images show.
    pub(in crate::gateway) fn without_media(&self, body: &Bytes) -> Bytes {
        match self.media_at.is_empty() {
            true => body.clone(),
            false => edited(body, self.media_at.iter().map(|at| (at.clone(), b"null".to_vec())).collect()).joined(),
        }
    }

    /// Where and how `include_usage` is asked for: in the client's own options, or in new ones at the front.
    fn usage_wish(&self, body: &[u8]) -> Edit {
        match self.stream_options_at.clone() {
            None => at_front(body, 0, "\"stream_options\":{\"include_usage\":true}"),
            Some(at) => {
                let options = body.get(at.clone()).and_then(|text| serde_json::from_slice(text).ok());
                let options = options.and_then(|options: serde_json::Map<String, serde_json::Value>| {
                    let mut options = options;
                    options.insert("include_usage".to_owned(), true.into());
                    serde_json::to_vec(&options).ok()
                });
                (at, options.unwrap_or_else(|| b"{\"include_usage\":true}".to_vec()))
            }
        }
    }

    /// Where and how the cap is set: in place of each number beyond it, since the provider may heed any of them; and in the dialect's
    /// own member, unless the client gives one that is heeded for certain.
    fn capped(&self, body: &[u8], provider: &str, cap: u64) -> Vec<Edit> {
        let Some(name) = cap_of(self.operation, provider) else { return Vec::new() };
        let literal = cap.to_string().into_bytes();
        let beyond = self.caps.iter().filter(|own| own.tokens.is_some_and(|tokens| tokens == 0 || tokens > cap));
        let mut edits: Vec<Edit> = beyond.map(|own| (own.at.clone(), literal.clone())).collect();
        if !self.is_capped_for(provider) {
            edits.push(match self.caps.iter().find(|own| own.name == name) {
                Some(null) => (null.at.clone(), literal),
                None => self.new_cap(body, &format!("\"{name}\":{cap}")),
            });
        }
        edits
    }

    /// Where and how a cap is set where there is no member for it.
    fn new_cap(&self, body: &[u8], member: &str) -> Edit {
        let is_in_config = self.operation == Operation::GenerateContent;
        match self.config_at.clone() {
            Some(at) if body.get(at.clone()) == Some(b"null") => (at, format!("{{{member}}}").into_bytes()),
            Some(at) => at_front(body, at.start, member),
            None if is_in_config => at_front(body, 0, &format!("\"generationConfig\":{{{member}}}")),
            None => at_front(body, 0, member),
        }
    }
}

/// A new first member of the object that begins at `start` or behind the blanks there.
fn at_front(body: &[u8], start: usize, member: &str) -> Edit {
    let inside = body.iter().skip(start).position(|byte| *byte == b'{').map_or(start, |brace| start + brace + 1);
    let is_empty = body.iter().skip(inside).find(|byte| !byte.is_ascii_whitespace()) == Some(&b'}');
    let comma = if is_empty { "" } else { "," };
    (inside..inside, format!("{member}{comma}").into_bytes())
}

/// Where the member of a value stands, with the comma that sets it off from the others. The name of the member has no quotes in it.
fn member(body: &[u8], value: &Range<usize>) -> Range<usize> {
    let before = body.get(..value.start).unwrap_or_default();
    let mut quotes = before.iter().enumerate().rev().filter(|(_, byte)| **byte == b'"').map(|(at, _)| at);
    let start = quotes.nth(1).unwrap_or(value.start);
    let outside = before.get(..start).unwrap_or_default().trim_ascii_end();
    if outside.last() == Some(&b',') {
        return outside.len() - 1..value.end;
    }
    let after = body.get(value.end..).unwrap_or_default();
    let blanks = after.len() - after.trim_ascii_start().len();
    match after.get(blanks) {
        Some(b',') => start..value.end + blanks + 1,
        Some(_) | None => start..value.end,
    }
}

/// The body with each edit made: what stays of it, and what is written between. Edits do not overlap.
pub(super) fn edited(body: &Bytes, mut edits: Vec<Edit>) -> Pieces {
    edits.sort_by_key(|(at, _)| (at.start, at.end));
    let staying = |at: Range<usize>| body.get(at).map(|part| body.slice_ref(part)).unwrap_or_default();
    let (mut spliced, mut seen) = (Pieces::default(), 0);
    for (at, text) in edits {
        spliced.push(staying(seen..at.start));
        spliced.push(text.into());
        seen = at.end;
    }
    spliced.push(staying(seen..body.len()));
    spliced
}
