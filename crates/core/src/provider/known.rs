//! Providers that Keyward knows: where they are, and what they offer.

use crate::operation::Dialect;
use crate::operation::Operation::{
    self, BatchEmbedContents, ChatCompletions, Completions, CountContentTokens, CountMessageTokens, EmbedContent,
    Embeddings, GenerateContent, ImageEdits, ImageGenerations, ImageVariations, Messages, Moderations, Responses,
    Speech, Transcriptions, Translations,
};
use crate::provider_object::ObjectKind;

/// The simulated provider of demo mode.
pub const DEMO_PROVIDER: &str = "demo";

/// A provider that Keyward knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownProvider {
    /// The provider's name.
    pub name: &'static str,
    /// Its origin; none when each of its keys says where it is.
    pub base_url: Option<&'static str>,
    /// What its paths of OpenAI's dialect begin with.
    prefix: &'static str,
    operations: &'static [Operation],
}

/// Providers of the compatible product that Keyward cannot call without an address: they are kept for the day that it can.
const KEPT: [&str; 12] = [
    "bedrock_mantle",
    "deepgram",
    "elevenlabs",
    "huggingface",
    "nebius",
    "opencode-go",
    "opencode-zen",
    "parasail",
    "replicate",
    "runware",
    "runway",
    "sarvam",
];

/// What OpenAI offers, and with it whoever says no more than that it follows OpenAI.
const OPENAI: KnownProvider = KnownProvider::at(
    "openai",
    "https://api.openai.com",
    "/v1",
    &[
        ChatCompletions,
        Completions,
        Responses,
        Embeddings,
        Moderations,
        ImageGenerations,
        ImageEdits,
        ImageVariations,
        Speech,
        Transcriptions,
        Translations,
    ],
);

impl KnownProvider {
    const ALL: &'static [Self] = &[
        OPENAI,
        Self::at("anthropic", "https://api.anthropic.com", "/v1", &[ChatCompletions, Messages, CountMessageTokens]),
        Self::at(
            "gemini",
            "https://generativelanguage.googleapis.com",
            "/v1beta/openai",
            &[
                ChatCompletions,
                Embeddings,
                ImageGenerations,
                GenerateContent,
                EmbedContent,
                BatchEmbedContents,
                CountContentTokens,
            ],
        ),
        Self::at("mistral", "https://api.mistral.ai", "/v1", &[ChatCompletions, Embeddings, Transcriptions]),
        Self::at(
            "groq",
            "https://api.groq.com/openai",
            "/v1",
            &[ChatCompletions, Responses, Speech, Transcriptions, Translations],
        ),
        Self::at("deepseek", "https://api.deepseek.com", "/v1", &[ChatCompletions]),
        Self::at("xai", "https://api.x.ai", "/v1", &[ChatCompletions, Responses, ImageGenerations]),
        Self::at("cohere", "https://api.cohere.ai/compatibility", "/v1", &[ChatCompletions, Embeddings]),
        Self::at(
            "openrouter",
            "https://openrouter.ai/api",
            "/v1",
            &[ChatCompletions, Completions, Responses, Embeddings],
        ),
        Self::at("perplexity", "https://api.perplexity.ai", "", &[ChatCompletions]),
        Self::at(
            "together",
            "https://api.together.xyz",
            "/v1",
            &[ChatCompletions, Completions, Embeddings, ImageGenerations, Speech, Transcriptions, Translations],
        ),
        Self::at(
            "fireworks",
            "https://api.fireworks.ai/inference",
            "/v1",
            &[ChatCompletions, Completions, Responses, Embeddings],
        ),
        Self::at("cerebras", "https://api.cerebras.ai", "/v1", &[ChatCompletions, Completions]),
        Self::by_key("azure", OPENAI.operations),
        Self::by_key("vertex", &[ChatCompletions, GenerateContent, CountContentTokens]),
        Self::by_key("bedrock", &[ChatCompletions]),
        Self::by_key("vllm", &[ChatCompletions, Completions, Responses, Embeddings, Transcriptions, Translations]),
        Self::by_key("ollama", &[ChatCompletions, Completions, Responses, Embeddings]),
        Self::by_key("sgl", &[ChatCompletions, Completions, Embeddings]),
    ];

    const fn at(
        name: &'static str,
        base_url: &'static str,
        prefix: &'static str,
        operations: &'static [Operation],
    ) -> Self {
        Self { name, base_url: Some(base_url), prefix, operations }
    }

    const fn by_key(name: &'static str, operations: &'static [Operation]) -> Self {
        Self { name, base_url: None, prefix: "/v1", operations }
    }

    /// The names of all known providers.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|known| known.name)
    }

    /// The known provider of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|known| known.name == name).copied()
    }

    /// What a provider of this name offers, and at which paths: one that is not known follows OpenAI.
    #[must_use]
    pub fn like(name: &str) -> Self {
        Self::find(name).unwrap_or(OPENAI)
    }

    /// Whether a provider of this name may be without an address of its own.
    #[must_use]
    pub fn needs_no_address(name: &str) -> bool {
        Self::find(name).is_some() || KEPT.contains(&name)
    }

    /// The names of those with an address of their own: what another provider can be like.
    pub fn dialects() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().filter(|known| known.base_url.is_some()).map(|known| known.name)
    }

    /// True when the provider is known to heed `max_completion_tokens`. Others may ignore it silently, or take it before `max_tokens`:
    /// alone it bounds nothing there, and beside `max_tokens` the larger of both counts.
    #[must_use]
    pub fn heeds_max_completion_tokens(name: &str) -> bool {
        matches!(name, "openai" | "azure" | "bedrock" | "anthropic" | "groq" | "xai" | "cerebras" | DEMO_PROVIDER)
    }

    /// A model's name without what the provider reads the same with or without. Limits, lists and prices know it by this one name, so
    /// that no spelling leads around them.
    #[must_use]
    pub fn bare_model<'a>(&self, model: &'a str) -> &'a str {
        let before = match self.name {
            "vertex" => "google/",
            "gemini" => "models/",
            _ => return model,
        };
        model.strip_prefix(before).filter(|bare| !bare.is_empty()).unwrap_or(model)
    }

    /// True when where it is follows from each key's settings.
    #[must_use]
    pub fn is_cloud(&self) -> bool {
        matches!(self.name, "vertex" | "bedrock")
    }

    /// True when chat completions are translated to Converse and back.
    #[must_use]
    pub fn speaks_converse(&self) -> bool {
        self.name == "bedrock"
    }

    /// Whether the provider has the operation.
    #[must_use]
    pub fn offers(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// Whether the provider keeps objects of this kind.
    #[must_use]
    pub fn keeps(&self, kind: ObjectKind) -> bool {
        match kind {
            ObjectKind::Response => self.offers(Responses),
            ObjectKind::File | ObjectKind::Batch => matches!(self.name, "openai" | "azure" | "groq"),
            ObjectKind::MessageBatch => self.offers(Messages),
        }
    }

    /// Where its objects of this kind are, relative to its base URL.
    #[must_use]
    pub fn object_path(&self, kind: ObjectKind) -> String {
        match kind {
            ObjectKind::Response | ObjectKind::File | ObjectKind::Batch => format!("{}{}", self.prefix, kind.path()),
            ObjectKind::MessageBatch => kind.path().to_owned(),
        }
    }

    /// Where an operation is, relative to the provider's base URL; none when it has no such operation. `model` is for the
    /// dialect that has it in the path, where it stands as it is percent-encoded there.
    #[must_use]
    pub fn path(&self, operation: Operation, model: &str, streamed: bool) -> Option<String> {
        self.offers(operation).then(|| match (operation.dialect(), operation.verb(streamed)) {
            (Dialect::OpenAi, _) => format!("{}{}", self.prefix, operation.path()),
            (Dialect::Anthropic | Dialect::Gemini, None) => operation.path().to_owned(),
            (Dialect::Anthropic | Dialect::Gemini, Some(verb)) => format!("{}{model}:{verb}", operation.path()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_where_their_providers_document_them() {
        for (provider, operation, expected) in [
            ("openai", ChatCompletions, Some("/v1/chat/completions")),
            ("openai", Messages, None),
            ("gemini", ChatCompletions, Some("/v1beta/openai/chat/completions")),
            ("gemini", GenerateContent, Some("/v1beta/models/m:streamGenerateContent")),
            ("perplexity", ChatCompletions, Some("/chat/completions")),
            ("anthropic", Messages, Some("/v1/messages")),
            ("mine", Embeddings, Some("/v1/embeddings")),
        ] {
            assert_eq!(KnownProvider::like(provider).path(operation, "m", true).as_deref(), expected, "{provider}");
        }
    }

    #[test]
    fn a_model_has_one_name_at_its_provider() {
        for (provider, model, bare) in [
            ("vertex", "google/gemini-2.5-pro", "gemini-2.5-pro"),
            ("vertex", "meta/llama-3.3-70b-instruct-maas", "meta/llama-3.3-70b-instruct-maas"),
            ("vertex", "google/", "google/"),
            ("gemini", "models/gemini-2.5-pro", "gemini-2.5-pro"),
            ("openrouter", "google/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ] {
            assert_eq!(KnownProvider::like(provider).bare_model(model), bare, "{provider}/{model}");
        }
    }

    #[test]
    fn each_name_stands_once() {
        let names: std::collections::BTreeSet<&str> =
            KnownProvider::ALL.iter().map(|known| known.name).chain(KEPT).collect();
        assert_eq!(names.len(), KnownProvider::ALL.len() + KEPT.len());
    }
}
