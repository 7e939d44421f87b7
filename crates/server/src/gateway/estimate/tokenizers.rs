//! The tokenizers of OpenAI's models. The others' are not published, or not to be had offline.

use std::sync::OnceLock;

use tiktoken_rs::CoreBPE;
use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

use super::Served;
use super::count::PIECE;

/// Tokenizers, each loaded when it is first needed: that takes a good part of a second, and some 50 MB.
#[derive(Default)]
pub(crate) struct Tokenizers {
    o200k: OnceLock<Option<CoreBPE>>,
    cl100k: OnceLock<Option<CoreBPE>>,
}

impl Tokenizers {
    /// How many tokens a text has; none: the model's tokenizer is not known.
    pub(in crate::gateway) fn count(&self, served: &Served<'_>, text: &str) -> Option<u64> {
        let tokenizer = self.find(served)?;
        let mut tokens = 0_u64;
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, others) = rest.split_at(rest.floor_char_boundary(PIECE));
            tokens = tokens.saturating_add(u64::try_from(tokenizer.count_ordinary(piece)).unwrap_or(u64::MAX));
            rest = others;
        }
        Some(tokens)
    }

    /// Whether a model's tokenizer is known. It is not loaded for that.
    pub(in crate::gateway) fn knows(&self, served: &Served<'_>) -> bool {
        matches!(kind(served), Some(Tokenizer::O200kBase | Tokenizer::Cl100kBase))
    }

    /// The tokenizer of a model, when it is known for sure.
    pub(super) fn find(&self, served: &Served<'_>) -> Option<&CoreBPE> {
        match kind(served)? {
            Tokenizer::O200kBase => self.o200k.get_or_init(|| tiktoken_rs::o200k_base().ok()).as_ref(),
            Tokenizer::Cl100kBase => self.cl100k.get_or_init(|| tiktoken_rs::cl100k_base().ok()).as_ref(),
            // Of models that are gone, or served by others with frames of their own.
            Tokenizer::O200kHarmony
            | Tokenizer::P50kBase
            | Tokenizer::R50kBase
            | Tokenizer::P50kEdit
            | Tokenizer::Gpt2 => None,
        }
    }
}

/// Only OpenAI's own models are known to be what they are called.
fn kind(served: &Served<'_>) -> Option<Tokenizer> {
    (served.provider == "openai").then(|| get_tokenizer(served.model)).flatten()
}
