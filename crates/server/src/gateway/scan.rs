//! The scan of a request body: what governance needs, and where it stands. Everything else is left alone.
//!
//! Each dialect is described by a grammar, a table of the members that matter; one walk reads them all.

use std::ops::Range;

use actix_web::http::header::HeaderValue as ContentType;
use bytes::Bytes;
use http::header::HeaderValue;
use keyward_core::error_code::ErrorCode;
use keyward_core::operation::Operation;
use keyward_core::price::{ClassSet, ServiceTier};
use keyward_core::provider::KnownProvider;
use keyward_core::provider_object::ObjectKind;
use keyward_core::routing_rule::Fallback;

use crate::error::ApiError;
use crate::json::{parse_with, read_with};

mod anthropic;
mod form;
mod gemini;
mod grammar;
mod openai;
mod splice;
mod values;
mod walk;

pub(super) use form::Form;
use grammar::Grammar;
use walk::Object;
pub(super) use walk::span;

/// What is read of a body of each operation; none: it is no JSON.
const fn grammar(operation: Operation) -> Option<&'static Grammar> {
    Some(match operation {
        Operation::ChatCompletions => &openai::CHAT_COMPLETION,
        Operation::Completions => &openai::COMPLETION,
        Operation::Responses => &openai::RESPONSE,
        Operation::Embeddings => &openai::EMBEDDING,
        Operation::Moderations => &openai::MODERATION,
        Operation::ImageGenerations => &openai::IMAGE_GENERATION,
        Operation::Speech => &openai::SPEECH,
        Operation::Messages => &anthropic::MESSAGE_CREATE,
        Operation::CountMessageTokens => &anthropic::MESSAGE_COUNT,
        Operation::GenerateContent => &gemini::GENERATE_CONTENT,
        Operation::EmbedContent => &gemini::EMBED_CONTENT,
        Operation::BatchEmbedContents => &gemini::BATCH_EMBED_CONTENTS,
        Operation::CountContentTokens => &gemini::COUNT_TOKENS,
        Operation::ImageEdits | Operation::ImageVariations | Operation::Transcriptions | Operation::Translations => {
            return None;
        }
    })
}

/// The member that caps the output tokens of one answer at this provider; none when there is no output, or no cap on it.
fn cap(operation: Operation, provider: &str) -> Option<&'static str> {
    match operation {
        Operation::ChatCompletions if KnownProvider::heeds_max_completion_tokens(provider) => {
            Some(MAX_COMPLETION_TOKENS)
        }
        Operation::ChatCompletions | Operation::Completions | Operation::Messages => Some("max_tokens"),
        Operation::Responses => Some("max_output_tokens"),
        Operation::GenerateContent => Some("maxOutputTokens"),
        Operation::Embeddings
        | Operation::Moderations
        | Operation::ImageGenerations
        | Operation::ImageEdits
        | Operation::ImageVariations
        | Operation::Speech
        | Operation::Transcriptions
        | Operation::Translations
        | Operation::CountMessageTokens
        | Operation::EmbedContent
        | Operation::BatchEmbedContents
        | Operation::CountContentTokens => None,
    }
}

/// Whether a stream tells its usage only when that is asked for.
const fn asks_for_usage(operation: Operation) -> bool {
    matches!(operation, Operation::ChatCompletions | Operation::Completions)
}

/// The model of requests that need not name one.
const fn default_model(operation: Operation) -> Option<&'static str> {
    if matches!(operation, Operation::Moderations) { Some("omni-moderation-latest") } else { None }
}

/// The cap that some providers ignore.
const MAX_COMPLETION_TOKENS: &str = "max_completion_tokens";

/// How a body is to be read.
pub(super) struct Reading<'a> {
    pub(super) operation: Operation,
    /// The model, where the path has it.
    pub(super) in_path: Option<&'a str>,
    /// True where the path asks for a stream.
    pub(super) streamed: bool,
    /// What the body is said to be.
    pub(super) content_type: Option<&'a ContentType>,
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) operation: Operation,
    /// The model as the client named it, in the body or in the path.
    pub(super) model: String,
    /// True: the answer shall come as events. Gemini's dialect has it in the path.
    pub(super) stream: bool,
    /// True: the client wants to see the event that tells the usage.
    pub(super) wants_usage: bool,
    /// How many answers are asked for, to each prompt.
    pub(super) answers: u64,
    /// How many characters the text has that is to be read aloud.
    pub(super) characters: u64,
    /// How many prompts there are.
    pub(super) prompts: u64,
    /// True when tools or output schemas are described, which providers put into words of their own.
    pub(super) is_described: bool,
    /// True when there is input whose tokens the body does not tell.
    pub(super) has_unseen: bool,
    /// What it may cause beyond plain text, in and out.
    pub(super) causes: ClassSet,
    /// The service tier that it asks for.
    pub(super) tier: ServiceTier,
    /// How many images there are.
    pub(super) images: u64,
    /// Where their data or addresses stand.
    pub(super) media_at: Vec<Range<usize>>,
    /// What the provider keeps that the request names: kind and id.
    pub(super) kept: Vec<(ObjectKind, String)>,
    /// False: the provider shall not keep the answer.
    pub(super) is_stored: bool,
    /// Where else the request may go, if it says so.
    pub(super) fallbacks: Option<Vec<Fallback>>,
    caps: Vec<Cap>,
    model_at: Option<Range<usize>>,
    /// Where the value of `fallbacks` stands.
    fallbacks_at: Option<Range<usize>>,
    /// What names the model of the path once more, and where.
    named_again: Vec<(String, Range<usize>)>,
    stream_options_at: Option<Range<usize>>,
    config_at: Option<Range<usize>>,
    /// The body's parts, when it is a form.
    form: Option<Form>,
}

/// The client's own cap on the output tokens of one answer.
#[derive(Debug, PartialEq, Eq)]
struct Cap {
    name: &'static str,
    tokens: Option<u64>,
    at: Range<usize>,
}

impl Scan {
    /// Reads a body that has come in.
    ///
    /// # Errors
    /// As [`Scan::of`]; and for an operation that takes a form, a body that is none.
    pub(super) async fn read(reading: &Reading<'_>, body: &Bytes) -> Result<Self, ApiError> {
        let Reading { operation, in_path, streamed, content_type } = *reading;
        let scan = match grammar(operation) {
            Some(_) => Self::of(operation, in_path, body)?,
            None => Form::read(content_type, body).await?.scan(operation, in_path)?,
        };
        Ok(Self { stream: scan.stream || streamed, ..scan })
    }

    /// Scans a body. A model in the path is the one that is meant, whatever the body says.
    ///
    /// # Errors
    /// A body that is not a request of the operation, or that asks for something with a price of its own.
    pub(super) fn of(operation: Operation, in_path: Option<&str>, body: &Bytes) -> Result<Self, ApiError> {
        if std::str::from_utf8(body).is_err() {
            return Err(ApiError::new(ErrorCode::InvalidJson, "Invalid JSON: the body is not UTF-8"));
        }
        let mut scan = Self::nothing(operation);
        if let Some(grammar) = grammar(operation)
            && read_with(Object { body, scan: &mut scan, grammar }, body).is_err()
        {
            // Once more, to say where it fails.
            scan = Self::nothing(operation);
            parse_with(Object { body, scan: &mut scan, grammar }, body)?;
        }
        scan.check_names(in_path)?;
        let named = scan.model_at.as_ref().map(|_| std::mem::take(&mut scan.model));
        scan.meant(in_path, named)
    }

    /// The scan with the model that is meant: the path's, else the one that the body names, else the operation's own.
    fn meant(self, in_path: Option<&str>, named: Option<String>) -> Result<Self, ApiError> {
        let own = || default_model(self.operation).map(str::to_owned);
        let missing = || ApiError::new(ErrorCode::InvalidRequest, "missing field `model`").at("/model");
        let model = in_path.map(str::to_owned).or(named).or_else(own).ok_or_else(missing)?;
        Ok(Self { model, ..self })
    }

    const fn nothing(operation: Operation) -> Self {
        Self {
            operation,
            model: String::new(),
            stream: false,
            wants_usage: false,
            answers: 1,
            prompts: 1,
            characters: 0,
            is_described: false,
            has_unseen: false,
            causes: ClassSet::NONE,
            tier: ServiceTier::Standard,
            images: 0,
            media_at: Vec::new(),
            kept: Vec::new(),
            is_stored: true,
            fallbacks: None,
            caps: Vec::new(),
            model_at: None,
            fallbacks_at: None,
            named_again: Vec::new(),
            stream_options_at: None,
            config_at: None,
            form: None,
        }
    }

    /// Makes sure that what names the model again names no other.
    fn check_names(&self, in_path: Option<&str>) -> Result<(), ApiError> {
        let is_same = |(name, _): &&(String, Range<usize>)| {
            let name = name.strip_prefix("models/").unwrap_or(name);
            // The path may name the provider too.
            let before = in_path.and_then(|model| model.strip_suffix(name));
            before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        match self.named_again.iter().find(|named| !is_same(named)) {
            Some((name, _)) => {
                let message = format!("The body names '{name}', which is not the model in the path");
                Err(ApiError::new(ErrorCode::InvalidRequest, message).at("/model"))
            }
            None => Ok(()),
        }
    }

    /// What is asked for, and whether in pieces.
    pub(super) const fn kind(&self) -> (Operation, bool) {
        (self.operation, self.stream)
    }

    /// The content type of the body.
    pub(super) fn content_type(&self) -> HeaderValue {
        self.form.as_ref().map_or(HeaderValue::from_static("application/json"), Form::content_type)
    }

    /// The client's cap on the output tokens of one answer, if the provider is known to heed one of those that it gives. Of two, the
    /// larger: who can tell which of them it is that holds? Zero is taken for "no cap" by some.
    pub(super) fn cap_heeded_by(&self, provider: &str) -> Option<u64> {
        let given = || self.caps.iter().filter_map(|cap| cap.tokens);
        given().max().filter(|_| self.is_capped_for(provider) && given().all(|tokens| tokens > 0))
    }

    /// True when the client gives a cap that the provider is known to heed. `max_completion_tokens` alone may be ignored.
    fn is_capped_for(&self, provider: &str) -> bool {
        let is_ignored = !KnownProvider::heeds_max_completion_tokens(provider);
        self.caps.iter().any(|cap| cap.tokens.is_some() && !(is_ignored && cap.name == MAX_COMPLETION_TOKENS))
    }

    /// True when the output can be capped.
    pub(super) fn can_be_capped(&self, provider: &str) -> bool {
        cap(self.operation, provider).is_some()
    }
}

/// The model in the path of a test's request, in dialects that have it there.
#[cfg(test)]
pub(super) fn in_path(operation: Operation) -> Option<&'static str> {
    (operation.dialect() == keyward_core::operation::Dialect::Gemini).then_some("m")
}

#[cfg(test)]
mod tests;
