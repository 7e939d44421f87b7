//! Bounds: the most tokens that a request can use, found without a tokenizer.

use keyward_core::catalogue::ModelCard;
use keyward_engine::TokenBound;

use super::scan::ChatScan;

/// Tokens that a provider may add to the client's text: the frame of a conversation, and with tools a preamble.
const FRAME: u64 = 64;
const TOOLS_PREAMBLE: u64 = 1_024;
/// Output of a model whose limit is not known, when the client sets no cap.
const UNKNOWN_OUTPUT: u64 = 4_096;

/// The bound of a request. A token is at least one byte of text, so the body's length bounds plain text; what is not text may
/// take the whole context. Output is bounded by the client's cap, else by the model's limit, for each answer asked for.
pub(super) fn of(scan: &ChatScan, card: Option<&ModelCard>, body_bytes: usize) -> TokenBound {
    let preamble = if scan.has_tools { TOOLS_PREAMBLE } else { 0 };
    let from_bytes = u64::try_from(body_bytes).unwrap_or(u64::MAX).saturating_add(FRAME).saturating_add(preamble);
    let context = card.and_then(|card| card.context_tokens);
    let input = match context {
        Some(context) if scan.text_only => from_bytes.min(context),
        Some(context) => context,
        None => from_bytes,
    };
    let per_answer = scan.output_cap.or(card.and_then(|card| card.max_output_tokens)).unwrap_or(UNKNOWN_OUTPUT);
    TokenBound { input, output: per_answer.saturating_mul(scan.answers) }
}
