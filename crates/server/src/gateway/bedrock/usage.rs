//! What Converse says was used, as chat completions say it: cached tokens are part of the prompt there, and apart from it here.

use serde::{Deserialize, Serialize};

/// Usage as Converse tells it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    input_tokens: u64,
    output_tokens: u64,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_write_input_tokens: Option<u64>,
    #[serde(default)]
    cache_details: Option<Vec<CacheDetail>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail {
    ttl: String,
    input_tokens: u64,
}

/// Usage as a chat completion tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    /// Written to the cache, for however long.
    cache_write_tokens: u64,
    /// The same by how long it is kept, where that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation: Option<CacheCreation>,
}

/// The names are those of Anthropic's dialect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

impl From<Told> for Usage {
    fn from(told: Told) -> Self {
        let read = told.cache_read_input_tokens.unwrap_or_default();
        let written = told.cache_write_input_tokens.unwrap_or_default();
        let prompt_tokens = told.input_tokens.saturating_add(read).saturating_add(written);
        let hour = told.cache_details.filter(|details| !details.is_empty()).map(|details| {
            let of_hour = details.iter().filter(|detail| detail.ttl == "1h").map(|detail| detail.input_tokens);
            of_hour.fold(0_u64, u64::saturating_add).min(written)
        });
        Self {
            prompt_tokens,
            completion_tokens: told.output_tokens,
            total_tokens: prompt_tokens.saturating_add(told.output_tokens),
            prompt_tokens_details: PromptDetails {
                cached_tokens: read,
                cache_write_tokens: written,
                cache_creation: hour.map(|hour| CacheCreation {
                    ephemeral_5m_input_tokens: written - hour,
                    ephemeral_1h_input_tokens: hour,
                }),
            },
        }
    }
}
