//! Estimates: the most tokens that a request can use, found without a tokenizer.
//!
//! A token is at least one byte of text, so bytes bound what is text; an image is bounded where its provider says by how much;
//! what the body does not show may take the whole context. Nothing here reads the body: the scan has done so.

use std::num::NonZeroU64;

use keyward_core::catalogue::ModelCard;
use keyward_core::operation::Operation;
use keyward_core::price::Possible;
use keyward_engine::{Demand, OutputDemand};

use super::scan::Scan;

mod count;
mod images;
mod possible;
mod tokenizers;

pub(crate) use tokenizers::Tokenizers;

/// Tokens that a provider may add to the client's text: the frame of a conversation, and with tools a preamble.
const FRAME: u64 = 64;
const TOOLS_PREAMBLE: u64 = 1_024;
/// Output of a model whose limit is not known, when the client sets no cap.
const UNKNOWN_OUTPUT: u64 = 4_096;
/// Tokens of an image, and of an hour of sound, at models whose limit is not known.
const MOST_OF_IMAGE: u64 = 8_192;
const MOST_OF_SOUND: u64 = 16_384;
/// The context of a model of which it is not known: as long as the longest in the catalogue.
const UNKNOWN_CONTEXT: u64 = 1_050_000;

/// Who serves a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Served<'a> {
    pub(super) provider: &'a str,
    /// What the provider calls the model.
    pub(super) model: &'a str,
    /// What is known of it.
    pub(super) card: Option<&'a ModelCard>,
}

/// The most tokens that a request can use at one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Estimate {
    /// Input tokens of all classes.
    pub(super) input: u64,
    /// Output tokens of one answer.
    pub(super) output_per_answer: u64,
    /// How many answers come back.
    pub(super) answers: u64,
    /// The client's own cap on one answer, if the provider heeds it.
    pub(super) client_cap: Option<u64>,
    /// True when a cap may be set: the dialect has a member for it that the provider heeds.
    pub(super) can_clamp: bool,
    /// The cap that has to be set where nothing else bounds the output, neither the client nor what is known of the model.
    pub(super) open_cap: Option<u64>,
}

impl Estimate {
    /// The estimate of a scanned body of so many bytes.
    pub(super) fn of(scan: &Scan, served: &Served<'_>, body_bytes: usize) -> Self {
        let client_cap = scan.cap_heeded_by(served.provider);
        let largest = served.card.and_then(|card| card.max_output_tokens);
        let can_be_capped = scan.can_be_capped(served.provider);
        let output = match can_be_capped {
            true => client_cap.or(largest).unwrap_or(UNKNOWN_OUTPUT),
            false => uncapped_output(scan.operation, largest),
        };
        Self {
            input: input(scan, served, body_bytes),
            output_per_answer: output,
            answers: scan.answers.saturating_mul(scan.prompts),
            client_cap,
            can_clamp: can_be_capped,
            open_cap: Some(output).filter(|_| can_be_capped && client_cap.or(largest).is_none()),
        }
    }

    /// What the engine is asked for. `counted` finds a closer bound of the input; no cap below `least` is set.
    pub(super) fn demand<'a>(
        &self,
        counted: &'a dyn Fn() -> Option<u64>,
        least: NonZeroU64,
        possible: Possible,
    ) -> Demand<'a> {
        let output = OutputDemand {
            per_answer: self.output_per_answer,
            answers: self.answers,
            capped_by_client: self.client_cap.is_some(),
            can_clamp: self.can_clamp,
            least: least.get(),
        };
        Demand { input: self.input, counted_input: Some(counted), output, possible }
    }
}

/// The most output of one answer where no cap can be set: tokens of images, of sound, or of what was said in it.
const fn uncapped_output(operation: Operation, largest: Option<u64>) -> u64 {
    let most = match operation {
        Operation::ImageGenerations | Operation::ImageEdits | Operation::ImageVariations => MOST_OF_IMAGE,
        Operation::Speech | Operation::Transcriptions | Operation::Translations => MOST_OF_SOUND,
        Operation::ChatCompletions
        | Operation::Completions
        | Operation::Responses
        | Operation::Embeddings
        | Operation::Moderations
        | Operation::Messages
        | Operation::CountMessageTokens
        | Operation::GenerateContent
        | Operation::EmbedContent
        | Operation::BatchEmbedContents
        | Operation::CountContentTokens => return 0,
    };
    match largest {
        Some(largest) => largest,
        None => most,
    }
}

fn input(scan: &Scan, served: &Served<'_>, body_bytes: usize) -> u64 {
    let known = served.card.and_then(|card| card.context_tokens);
    let context = known.map(|context| context.saturating_mul(scan.prompts));
    let media: usize = scan.media_at.iter().map(ExactSizeIterator::len).sum();
    let text = u64::try_from(body_bytes.saturating_sub(media)).unwrap_or(u64::MAX);
    let most = text.saturating_add(added(scan));
    match images::most(scan, served) {
        Some(images) if !scan.has_unseen => most.saturating_add(images).min(context.unwrap_or(u64::MAX)),
        Some(_) | None => context.unwrap_or_else(|| most.max(UNKNOWN_CONTEXT)),
    }
}

/// Tokens that the provider may add.
const fn added(scan: &Scan) -> u64 {
    FRAME + if scan.is_described { TOOLS_PREAMBLE } else { 0 }
}

#[cfg(test)]
mod tests;
