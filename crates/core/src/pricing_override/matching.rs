//! What a pricing override matches: models by name or by the beginning of it, and kinds of requests.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::invalid::{Invalid, Pointer};

/// How a pattern is compared with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchType {
    /// The pattern is the model's name.
    Exact,
    /// The pattern is the beginning of the model's name, and `*`.
    Wildcard,
}

impl MatchType {
    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Wildcard => "wildcard",
        }
    }

    /// The way of comparing that has this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let found = [Self::Exact, Self::Wildcard].into_iter().find(|known| known.as_str() == text);
        found.ok_or_else(|| Invalid::at("match_type".into(), format!("unsupported match_type \"{text}\"")))
    }
}

/// A checked pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// This model.
    Exact(String),
    /// Models whose names begin like this.
    Prefix(String),
}

/// The longest pattern, in bytes: no model's name is longer.
const MAX_PATTERN_BYTES: usize = 256;

impl Pattern {
    /// The pattern of this type and text.
    ///
    /// # Errors
    /// A text that is empty or too long, and a `*` anywhere but at the end of a wildcard.
    pub fn new(match_type: MatchType, text: &str) -> Result<Self, Invalid> {
        let refuse = |message: &str| Err(Invalid::at("pattern".into(), message));
        if text.is_empty() {
            return refuse("pattern is required");
        }
        if text.len() > MAX_PATTERN_BYTES || text.chars().any(char::is_control) {
            return refuse("pattern must have at most 256 bytes and no control characters");
        }
        match (match_type, text.strip_suffix('*')) {
            (MatchType::Exact, _) if text.contains('*') => refuse("exact match pattern must not contain wildcards"),
            (MatchType::Exact, _) => Ok(Self::Exact(text.to_owned())),
            (MatchType::Wildcard, None) => refuse("wildcard pattern must end with *"),
            (MatchType::Wildcard, Some(prefix)) if prefix.contains('*') => {
                refuse("wildcard pattern must contain exactly one trailing *")
            }
            (MatchType::Wildcard, Some(prefix)) => Ok(Self::Prefix(prefix.to_owned())),
        }
    }
}

macro_rules! request_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// A kind of request, streams included.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum RequestType {
            $($(#[$doc])* $name,)+
        }

        impl RequestType {
            /// Every kind.
            const ALL: &[Self] = &[$(Self::$name),+];

            /// The kind's name on the wire and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

request_types! {
    /// A conversation.
    ChatCompletion = "chat_completion",
    /// The rest of a text.
    TextCompletion = "text_completion",
    /// A response with tools and state.
    Responses = "responses",
    /// Vectors of texts.
    Embedding = "embedding",
    /// An order of documents.
    Rerank = "rerank",
    /// Text read aloud.
    Speech = "speech",
    /// Speech written down.
    Transcription = "transcription",
    /// A new image.
    ImageGeneration = "image_generation",
    /// A variation of an image.
    ImageVariation = "image_variation",
    /// An edit of an image.
    ImageEdit = "image_edit",
    /// A new video.
    VideoGeneration = "video_generation",
    /// An edit of a video.
    VideoRemix = "video_remix",
    /// A call of a tool of an MCP client, whose price the client has.
    McpToolCall = "mcp_tool_call",
}

impl RequestType {
    /// The kinds of these names, each once.
    ///
    /// # Errors
    /// An empty list, and a name of no kind; the streaming variants are named with their base.
    pub(crate) fn parse_all(names: &[String]) -> Result<Vec<Self>, Invalid> {
        let at = Pointer::from("request_types");
        if names.is_empty() {
            return Err(Invalid::at(at, "request_types is required and must contain at least one value"));
        }
        let mut kinds = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let kind = Self::find(name).ok_or_else(|| Invalid::at(at.element(index), unsupported(name)))?;
            if kind == Self::McpToolCall {
                let message = "the prices of tools stand in tool_pricing of their MCP client";
                return Err(Invalid::at(at.element(index), message));
            }
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        Ok(kinds)
    }

    /// The kind of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

fn unsupported(name: &str) -> String {
    let base = name.strip_suffix("_stream").and_then(RequestType::find);
    let hint = base.map(|base| format!("; use \"{}\", which has its streams with it", base.as_str()));
    format!("unsupported request_type \"{name}\"{}", hint.unwrap_or_default())
}
