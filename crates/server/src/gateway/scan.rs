//! The scan of a request body: what governance needs, and where it stands. Everything else is left alone.
//!
//! Each dialect is described by a grammar, a table of the members that matter; one walk reads them all.

use std::ops::Range;

use bytes::Bytes;
use keyward_core::error_code::ErrorCode;
use keyward_core::provider::KnownProvider;
use keyward_core::routing_rule::Fallback;

use crate::error::ApiError;
use crate::json::parse_with;

mod anthropic;
mod gemini;
mod grammar;
mod openai;
mod splice;
mod values;
mod walk;

use grammar::Grammar;
use walk::Object;

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OpenAI's `/v1/chat/completions`.
    ChatCompletions,
    /// OpenAI's `/v1/completions`.
    Completions,
    /// OpenAI's `/v1/responses`.
    Responses,
    /// OpenAI's `/v1/embeddings`.
    Embeddings,
    /// Anthropic's `/v1/messages`.
    Messages,
    /// Gemini's `:generateContent` and `:streamGenerateContent`.
    GenerateContent,
}

impl Dialect {
    const fn grammar(self) -> &'static Grammar {
        match self {
            Self::ChatCompletions => &openai::CHAT_COMPLETION,
            Self::Completions => &openai::COMPLETION,
            Self::Responses => &openai::RESPONSE,
            Self::Embeddings => &openai::EMBEDDING,
            Self::Messages => &anthropic::MESSAGE_CREATE,
            Self::GenerateContent => &gemini::GENERATE_CONTENT,
        }
    }

    /// The member that caps the output tokens of one answer at this provider; none when there is no output.
    fn cap(self, provider: &str) -> Option<&'static str> {
        match self {
            Self::ChatCompletions if KnownProvider::heeds_max_completion_tokens(provider) => {
                Some(MAX_COMPLETION_TOKENS)
            }
            Self::ChatCompletions | Self::Completions | Self::Messages => Some("max_tokens"),
            Self::Responses => Some("max_output_tokens"),
            Self::GenerateContent => Some("maxOutputTokens"),
            Self::Embeddings => None,
        }
    }

    /// The kinds of requests, whole and streamed, as providers' `allowed_requests` call them.
    const fn kinds(self) -> [&'static str; 2] {
        match self {
            Self::ChatCompletions | Self::Messages | Self::GenerateContent => {
                ["chat_completion", "chat_completion_stream"]
            }
            Self::Completions => ["text_completion", "text_completion_stream"],
            Self::Responses => ["responses", "responses_stream"],
            Self::Embeddings => ["embedding", "embedding"],
        }
    }

    /// The kind of request, in errors.
    pub(super) const fn request_type(self) -> &'static str {
        let [whole, _] = self.kinds();
        whole
    }

    /// Whether a stream tells its usage only when that is asked for.
    const fn asks_for_usage(self) -> bool {
        matches!(self, Self::ChatCompletions | Self::Completions)
    }
}

/// The cap that some providers ignore.
const MAX_COMPLETION_TOKENS: &str = "max_completion_tokens";

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan {
    dialect: Dialect,
    /// The model as the client named it; empty where the dialect has it in the path.
    pub(super) model: String,
    /// True: the answer shall come as events. Gemini's dialect has it in the path.
    pub(super) stream: bool,
    /// True: the client wants to see the event that tells the usage.
    pub(super) wants_usage: bool,
    /// How many answers are asked for, to each prompt.
    pub(super) answers: u64,
    /// How many prompts there are.
    pub(super) prompts: u64,
    /// True when tools or output schemas are described, which providers put into words of their own.
    pub(super) is_described: bool,
    /// True when there is input whose tokens the body does not tell.
    pub(super) has_unseen: bool,
    /// How many images there are.
    pub(super) images: u64,
    /// Where their data or addresses stand.
    pub(super) media_at: Vec<Range<usize>>,
    /// Where else the request may go, if it says so.
    pub(super) fallbacks: Option<Vec<Fallback>>,
    caps: Vec<Cap>,
    model_at: Option<Range<usize>>,
    /// Where the value of `fallbacks` stands.
    fallbacks_at: Option<Range<usize>>,
    stream_options_at: Option<Range<usize>>,
    config_at: Option<Range<usize>>,
}

/// The client's own cap on the output tokens of one answer.
#[derive(Debug, PartialEq, Eq)]
struct Cap {
    name: &'static str,
    tokens: Option<u64>,
    at: Range<usize>,
}

impl Scan {
    /// Scans a body.
    ///
    /// # Errors
    /// A body that is not a request of the dialect, or that asks for something with a price of its own.
    pub(super) fn of(dialect: Dialect, body: &Bytes) -> Result<Self, ApiError> {
        if std::str::from_utf8(body).is_err() {
            return Err(ApiError::new(ErrorCode::InvalidJson, "Invalid JSON: the body is not UTF-8"));
        }
        let mut scan = Self::nothing(dialect);
        parse_with(Object { body, scan: &mut scan, grammar: dialect.grammar() }, body)?;
        Ok(scan)
    }

    const fn nothing(dialect: Dialect) -> Self {
        Self {
            dialect,
            model: String::new(),
            stream: false,
            wants_usage: false,
            answers: 1,
            prompts: 1,
            is_described: false,
            has_unseen: false,
            images: 0,
            media_at: Vec::new(),
            fallbacks: None,
            caps: Vec::new(),
            model_at: None,
            fallbacks_at: None,
            stream_options_at: None,
            config_at: None,
        }
    }

    /// The kind of request, as providers' `allowed_requests` call it.
    pub(super) const fn kind(&self) -> &'static str {
        let [whole, streamed] = self.dialect.kinds();
        if self.stream { streamed } else { whole }
    }

    /// The client's cap on the output tokens of one answer, as far as the provider is known to heed it. Of two, the larger: who
    /// can tell which of them it is that holds? Zero is taken for "no cap" by some.
    pub(super) fn cap_heeded_by(&self, provider: &str) -> Option<u64> {
        let heeded = || self.caps_heeded_by(provider).filter_map(|cap| cap.tokens);
        heeded().max().filter(|_| heeded().all(|tokens| tokens > 0))
    }

    fn caps_heeded_by(&self, provider: &str) -> impl Iterator<Item = &Cap> {
        let is_ignored = !KnownProvider::heeds_max_completion_tokens(provider);
        self.caps.iter().filter(move |cap| !(is_ignored && cap.name == MAX_COMPLETION_TOKENS))
    }

    /// True when the output can be capped.
    pub(super) fn can_be_capped(&self, provider: &str) -> bool {
        self.dialect.cap(provider).is_some()
    }
}

#[cfg(test)]
mod tests;
