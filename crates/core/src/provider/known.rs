//! Providers that Keyward knows: where they are, and what they speak.

/// The simulated provider of demo mode.
pub const DEMO_PROVIDER: &str = "demo";

/// A provider that Keyward knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownProvider {
    /// The provider's name.
    pub name: &'static str,
    /// Its origin; none when each of its keys says where it is.
    pub base_url: Option<&'static str>,
    /// The path of its OpenAI-compatible chat completions.
    pub chat_completions: &'static str,
}

/// Providers of the compatible product that Keyward cannot call without an address: they are kept for the day that it can.
const KEPT: [&str; 16] = [
    "bedrock_mantle",
    "cerebras",
    "deepgram",
    "elevenlabs",
    "fireworks",
    "huggingface",
    "nebius",
    "opencode-go",
    "opencode-zen",
    "openrouter",
    "parasail",
    "perplexity",
    "replicate",
    "runware",
    "runway",
    "sarvam",
];

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

    /// Whether a provider of this name may be without an address of its own.
    #[must_use]
    pub fn needs_no_address(name: &str) -> bool {
        Self::find(name).is_some() || KEPT.contains(&name)
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
