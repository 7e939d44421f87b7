//! Providers that Keyward knows: where they are, and what they speak.

/// The simulated provider of demo mode.
pub const DEMO_PROVIDER: &str = "demo";

/// A provider that Keyward knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownProvider {
    /// The provider's name.
    pub name: &'static str,
    /// Its origin; none when each of its keys says where it is, or when Keyward cannot call it yet.
    pub base_url: Option<&'static str>,
    /// The path of its OpenAI-compatible chat completions.
    pub chat_completions: &'static str,
}

/// Where chat completions are at a provider that follows OpenAI's paths.
const CHAT_COMPLETIONS: &str = "/v1/chat/completions";

impl KnownProvider {
    const ALL: &'static [Self] = &[
        Self::at("openai", "https://api.openai.com", CHAT_COMPLETIONS),
        Self::at("anthropic", "https://api.anthropic.com", CHAT_COMPLETIONS),
        Self::at("gemini", "https://generativelanguage.googleapis.com", "/v1beta/openai/chat/completions"),
        Self::at("mistral", "https://api.mistral.ai", CHAT_COMPLETIONS),
        Self::at("groq", "https://api.groq.com/openai", CHAT_COMPLETIONS),
        Self::at("deepseek", "https://api.deepseek.com", CHAT_COMPLETIONS),
        Self::at("xai", "https://api.x.ai", CHAT_COMPLETIONS),
        Self::at("cohere", "https://api.cohere.ai/compatibility", CHAT_COMPLETIONS),
        Self::by_key("azure"),
        Self::by_key("vertex"),
        Self::by_key("bedrock"),
        Self::by_key("vllm"),
        Self::by_key("ollama"),
        Self::by_key("sgl"),
        Self::by_key("bedrock_mantle"),
        Self::by_key("cerebras"),
        Self::by_key("deepgram"),
        Self::by_key("elevenlabs"),
        Self::by_key("fireworks"),
        Self::by_key("huggingface"),
        Self::by_key("nebius"),
        Self::by_key("opencode-go"),
        Self::by_key("opencode-zen"),
        Self::by_key("openrouter"),
        Self::by_key("parasail"),
        Self::by_key("perplexity"),
        Self::by_key("replicate"),
        Self::by_key("runware"),
        Self::by_key("runway"),
        Self::by_key("sarvam"),
    ];

    const fn at(name: &'static str, base_url: &'static str, chat_completions: &'static str) -> Self {
        Self { name, base_url: Some(base_url), chat_completions }
    }

    const fn by_key(name: &'static str) -> Self {
        Self { name, base_url: None, chat_completions: CHAT_COMPLETIONS }
    }

    /// The known provider of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|known| known.name == name).copied()
    }

    /// The names of those that speak OpenAI's dialect at an address of their own: what another provider can be like.
    pub fn dialects() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().filter(|known| known.base_url.is_some()).map(|known| known.name)
    }

    /// True when the provider is known to heed `max_completion_tokens`. Others may ignore it silently, so that only
    /// `max_tokens` bounds what they bill.
    #[must_use]
    pub fn heeds_max_completion_tokens(name: &str) -> bool {
        matches!(name, "openai" | "anthropic" | "groq" | "xai" | DEMO_PROVIDER)
    }

    /// Where chat completions of the provider `name` are, relative to its base URL.
    #[must_use]
    pub fn chat_completions_path(name: &str) -> &'static str {
        Self::find(name).map_or(CHAT_COMPLETIONS, |known| known.chat_completions)
    }
}
