//! Objects that a provider keeps beyond the request that made them, and whose they are: only the virtual key that made one
//! through Keyward can reach it, at the provider and with the provider key that it was made with.

use jiff::Timestamp;

use crate::ids::{ModelName, ProviderKeyId, ProviderName, RequestId, VirtualKeyId};

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// One of OpenAI's responses.
    Response,
    /// A file.
    File,
    /// A batch, in OpenAI's dialect.
    Batch,
    /// A batch of messages, in Anthropic's.
    MessageBatch,
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Response, Self::File, Self::Batch, Self::MessageBatch];

    /// The kind's name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::File => "file",
            Self::Batch => "batch",
            Self::MessageBatch => "message_batch",
        }
    }

    /// The kind in plain words, for messages.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::File => "file",
            Self::Batch => "batch",
            Self::MessageBatch => "message batch",
        }
    }

    /// Its path, behind what a provider has before all paths of the dialect.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Response => "/responses",
            Self::File => "/files",
            Self::Batch => "/batches",
            Self::MessageBatch => "/v1/messages/batches",
        }
    }
}

/// What is still to be done about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectState {
    /// Nothing: it is only kept.
    Kept,
    /// A batch whose usage is not known yet.
    Open,
    /// A batch whose usage was charged.
    Charged,
    /// A batch whose usage nobody will ever know, or that nobody is left to be charged for.
    Lost,
}

impl ObjectState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Kept, Self::Open, Self::Charged, Self::Lost];

    /// The state's name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Open => "open",
            Self::Charged => "charged",
            Self::Lost => "lost",
        }
    }
}

/// A model that an object uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectModel {
    /// As the client named it, without the provider: what limits and prices know.
    pub asked: ModelName,
    /// As the provider calls it.
    pub served: ModelName,
}

/// An object at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderObject {
    /// What it is.
    pub kind: ObjectKind,
    /// Who keeps it.
    pub provider: ProviderName,
    /// What the provider calls it.
    pub id: String,
    /// Who made it.
    pub virtual_key_id: VirtualKeyId,
    /// The real credential that it was made with; empty at a provider that needs none.
    pub provider_key_id: ProviderKeyId,
    /// The request that made it. Files that a batch has brought forth have the batch's.
    pub request_id: RequestId,
    /// What the requests in a batch or in its file ask for: the path of their operation.
    pub endpoint: Option<String>,
    /// The models that it uses.
    pub models: Vec<ObjectModel>,
    /// What is still to be done about it.
    pub state: ObjectState,
    /// What the provider last said of it: JSON.
    pub told: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When nobody needs it any more; none: that is not known.
    pub expires_at: Option<Timestamp>,
}

impl ProviderObject {
    /// The longest id.
    const MAX_ID: usize = 256;

    /// True for a text that can be an id: one that stands for itself in a path.
    #[must_use]
    pub fn is_id(text: &str) -> bool {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        let is_dots = text.bytes().all(|byte| byte == b'.');
        text.len() <= Self::MAX_ID && !text.is_empty() && !is_dots && text.bytes().all(is_plain)
    }

    /// The model among its own that an answer speaks of, which providers tell with a date behind it, or in place of `-latest` or `-0`.
    #[must_use]
    pub fn model_of(&self, answer: &str) -> Option<&ObjectModel> {
        if let [only] = self.models.as_slice() {
            return Some(only);
        }
        let fitting = self.models.iter().filter(|model| answer.starts_with(undated(model.served.as_str())));
        fitting.max_by_key(|model| undated(model.served.as_str()).len())
    }
}

/// The name of a model without what stands for the latest date: Anthropic has `-latest` and `-0` there.
fn undated(name: &str) -> &str {
    ["-latest", "-0"].into_iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stands_for_itself_in_a_path() {
        for id in ["resp_68a", "file-AbC.1", "msgbatch_01", "batch:1"] {
            assert!(ProviderObject::is_id(id), "{id}");
        }
        for text in ["", ".", "..", "a/b", "a?b", "a%2fb", "a b", "é", &"a".repeat(257)] {
            assert!(!ProviderObject::is_id(text), "{text}");
        }
    }

    #[test]
    fn an_answer_speaks_of_the_longest_model_that_its_name_begins_with() {
        let model = |name: &str| ObjectModel { asked: name.into(), served: name.into() };
        let object = |models: &[&str]| ProviderObject {
            kind: ObjectKind::Batch,
            provider: "openai".into(),
            id: "b".to_owned(),
            virtual_key_id: "vk".into(),
            provider_key_id: "k".into(),
            request_id: "r".into(),
            endpoint: None,
            models: models.iter().map(|name| model(name)).collect(),
            state: ObjectState::Open,
            told: None,
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: None,
        };
        let two = object(&["gpt-4o", "gpt-4o-mini"]);
        assert_eq!(two.model_of("gpt-4o-mini-2024-07-18"), Some(&model("gpt-4o-mini")));
        assert_eq!(two.model_of("gpt-4o-2024-08-06"), Some(&model("gpt-4o")));
        assert_eq!(two.model_of("o3"), None);
        assert_eq!(object(&["mine"]).model_of("another name"), Some(&model("mine")));
        let aliases = object(&["claude-sonnet-4-0", "claude-3-7-sonnet-latest", "claude-sonnet-4-5"]);
        for (answer, asked) in [
            ("claude-sonnet-4-20250514", "claude-sonnet-4-0"),
            ("claude-3-7-sonnet-20250219", "claude-3-7-sonnet-latest"),
            ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ] {
            assert_eq!(aliases.model_of(answer), Some(&model(asked)), "{answer}");
        }
    }
}
