//! The tokenizers of OpenAI's models. The others' are not published, or not to be had offline.

use std::sync::OnceLock;

use tiktoken_rs::CoreBPE;
use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

use super::Served;

/// Tokenizers, each loaded when it is first needed: that takes a good part of a second, and some 50 MB.
#[derive(Default)]
pub(crate) struct Tokenizers {
    o200k: OnceLock<Option<CoreBPE>>,
    cl100k: OnceLock<Option<CoreBPE>>,
}

impl Tokenizers {
    /// The tokenizer of a model, when it is known for sure.
    pub(super) fn find(&self, served: &Served<'_>) -> Option<&CoreBPE> {
        if served.provider != "openai" {
            return None;
        }
        match get_tokenizer(served.model)? {
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
