//! Bedrock: chat completions of OpenAI's dialect through Converse, translated both ways.
//!
//! Pure functions: no clock, no network. What a request asks for and Converse cannot do is refused with the member's name; nothing
//! is dropped silently, except what `docs/providers.md` lists as having no meaning there.

use keyward_core::invalid::{Invalid, Pointer};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

mod answer;
mod content;
mod converse;
mod failure;
mod options;
mod question;
mod stream;
mod tools;
mod turns;
mod usage;

pub(super) use answer::completion;
pub(super) use failure::error_body;
pub(super) use stream::ChunkStream;

use crate::error::ApiError;
use converse::Converse;
use question::Question;

/// What stands for itself in a model's id in a path. A colon does not, and a slash must not.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The content type of Converse's streams.
pub(super) const CONTENT_TYPE: &[u8] = b"application/vnd.amazon.eventstream";
/// The content type of what becomes of them.
pub(super) const BECOMES: &[u8] = b"text/event-stream";

/// What an answer says about itself besides what the model said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct About {
    /// The provider's id of the request.
    pub(super) request_id: String,
    /// When the answer began, in seconds since 1970.
    pub(super) created: i64,
    /// The model as the provider calls it.
    pub(super) model: String,
}

impl About {
    /// The completion's id.
    fn id(&self) -> String {
        format!("chatcmpl-{}", self.request_id)
    }
}

/// The path of the operation. `arn`, where a key has one that is no role's, is where its models are.
pub(crate) fn path(model: &str, arn: Option<&str>, streamed: bool) -> String {
    let id = arn.map_or_else(|| model.to_owned(), |arn| format!("{}/{model}", arn.trim_end_matches('/')));
    let operation = if streamed { "converse-stream" } else { "converse" };
    format!("/model/{}/{operation}", utf8_percent_encode(&id, IN_PATH))
}

/// The request of Converse for a request of chat completions.
///
/// # Errors
/// For a body that is not such a request, or that asks for what Converse cannot do.
pub(super) fn request(body: &[u8], model: &str) -> Result<Vec<u8>, ApiError> {
    let question: Question = crate::json::parse(body)?;
    let converse = Converse::of(question, model)?;
    serde_json::to_vec(&converse).map_err(|error| {
        ApiError::new(keyward_core::error_code::ErrorCode::Internal, "The request cannot be translated").because(error)
    })
}

/// Says that Converse cannot do what a member asks for.
fn untranslatable(at: Pointer, message: impl Into<String>) -> Invalid {
    Invalid::at(at, message)
}

#[cfg(test)]
mod tests;
