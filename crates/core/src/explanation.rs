//! Explanations: what would become of a request if it were sent now. Asking changes nothing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::error_body::ErrorBody;
use crate::ids::{LimitId, ModelName, ProviderKeyId, ProviderName, RoutingRuleId, VirtualKeyId};
use crate::meter::{Enforcement, Metric, OutputClamp};
use crate::money::NanoUsd;
use crate::refusal::Quantity;
use crate::scope::Scope;

/// How a request is written: whose API it is a request of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestDialect {
    /// OpenAI's `/v1/chat/completions`.
    #[default]
    ChatCompletions,
    /// OpenAI's `/v1/completions`.
    Completions,
    /// OpenAI's `/v1/responses`.
    Responses,
    /// OpenAI's `/v1/embeddings`.
    Embeddings,
    /// Anthropic's `/v1/messages`.
    Messages,
    /// Gemini's `:generateContent`, which has the model in its path.
    GenerateContent,
}

/// Asks what would become of a request.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// The virtual key that the request would be sent with.
    #[schema(value_type = String)]
    pub virtual_key_id: VirtualKeyId,
    /// How the body is written; `chat_completions` unless given.
    #[serde(default)]
    #[schema(required = false)]
    pub dialect: RequestDialect,
    /// The model, for a dialect that has it in the path: `provider/model`, or a model alone. Where the body names one, it is not
    /// taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub model: Option<String>,
    /// The body of the request, byte for byte: its length counts.
    #[schema(value_type = Object, additional_properties)]
    pub body: Box<RawValue>,
}

impl ExplainRequest {
    /// Asks what would become of a request of OpenAI's `/v1/chat/completions`, with a body as it would be sent.
    ///
    /// # Errors
    /// A body that cannot be written as JSON.
    pub fn of_chat(virtual_key_id: VirtualKeyId, body: &impl Serialize) -> serde_json::Result<Self> {
        let body = serde_json::value::to_raw_value(body)?;
        Ok(Self { virtual_key_id, dialect: RequestDialect::ChatCompletions, model: None, body })
    }
}

/// What would become of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// True: it would be sent to its provider.
    pub admitted: bool,
    /// Where it would go; null: it would not come so far.
    #[schema(required = true)]
    pub destination: Option<ExplainedDestination>,
    /// What would be held; null: it would be refused.
    #[schema(required = true)]
    pub hold: Option<ExplainedHold>,
    /// The output cap, in tokens of one answer, that would be set on the request; null: none.
    #[schema(required = true, minimum = 0)]
    pub output_cap: Option<u64>,
    /// The refusal, as the gateway would send it; null: it would be admitted.
    #[schema(required = true)]
    pub refusal: Option<ErrorBody>,
    /// Every meter that covers the request, in the order in which they are checked; empty when it would not come so far.
    pub meters: Vec<ExplainedMeter>,
}

/// Where a request would go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainedDestination {
    /// The provider.
    #[schema(value_type = String)]
    pub provider: ProviderName,
    /// The model, as limits and prices know it.
    #[schema(value_type = String)]
    pub model: ModelName,
    /// What the provider calls it.
    #[schema(value_type = String)]
    pub model_served: ModelName,
    /// The provider key; empty for a provider that needs none. Of several it is drawn by weight, each time anew.
    #[schema(value_type = String)]
    pub provider_key_id: ProviderKeyId,
    /// The routing rule that decided; null: none did.
    #[schema(value_type = Option<String>, required = true)]
    pub routing_rule: Option<RoutingRuleId>,
    /// Which prices the model has; null: it has none.
    #[schema(required = true)]
    pub price_version: Option<String>,
}

/// What a request would hold: the most that it can use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainedHold {
    /// Input tokens.
    #[schema(minimum = 0)]
    pub input_tokens: u64,
    /// Output tokens, over all answers.
    #[schema(minimum = 0)]
    pub output_tokens: u64,
    /// US dollars.
    pub cost: NanoUsd,
}

/// A meter that covers a request, and what it reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainedMeter {
    /// Whose limit it is.
    pub scope: Scope,
    /// The budget or rate limit.
    #[schema(value_type = String)]
    pub limit: LimitId,
    /// What it counts.
    pub metric: Metric,
    /// How strictly it is held.
    pub enforcement: Enforcement,
    /// Whether the output of a request may be capped to fit.
    pub output_clamp: OutputClamp,
    /// The cap in force: US dollars, tokens or requests.
    pub limit_value: Quantity,
    /// What is used in the window: US dollars, tokens or requests.
    pub used: Quantity,
    /// What running attempts have reserved: US dollars, tokens or requests.
    pub held: Quantity,
    /// What this request would reserve, or would have, if it were not refused: US dollars, tokens or requests.
    pub requested: Quantity,
    /// True when the limit only watches (`shadow`), and would have refused.
    pub would_refuse: bool,
    /// When the window began.
    #[schema(value_type = String, format = DateTime)]
    pub window_start: Timestamp,
    /// When it ends; null: it does not.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub window_end: Option<Timestamp>,
}
