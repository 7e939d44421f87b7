//! Lists of the models that a virtual key may use, in each dialect.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A model, as OpenAI's clients read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Model {
    /// `provider/model`: what requests name.
    #[schema(example = "openai/gpt-4o-mini")]
    pub id: String,
    /// Always `model`.
    pub object: String,
    /// When the model was made, in seconds since 1970: 0, as providers are not asked.
    pub created: u64,
    /// The provider.
    pub owned_by: String,
    /// The most tokens that input and output have together, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub context_length: Option<u64>,
    /// The most tokens that one answer has, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub max_output_tokens: Option<u64>,
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelList {
    /// Always `list`.
    pub object: String,
    /// The models, by name.
    pub data: Vec<Model>,
}

/// A model, as Anthropic's clients read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnthropicModel {
    /// What requests name: the model of `anthropic`, or `provider/model` of another.
    pub id: String,
    /// Always `model`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same name once more.
    pub display_name: String,
    /// When the model was made: the beginning of 1970, as providers are not asked.
    pub created_at: String,
}

/// A page of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnthropicModelList {
    /// The models, by name.
    pub data: Vec<AnthropicModel>,
    /// The first model on the page.
    #[schema(required = true)]
    pub first_id: Option<String>,
    /// The last model on the page.
    #[schema(required = true)]
    pub last_id: Option<String>,
    /// True: there are more behind `last_id`.
    pub has_more: bool,
}

/// A model, as Google's clients read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GeminiModel {
    /// `models/` and what requests name.
    pub name: String,
    /// What requests name.
    pub display_name: String,
    /// The most tokens that the input has, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub input_token_limit: Option<u64>,
    /// The most tokens that one answer has, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub output_token_limit: Option<u64>,
    /// What can be asked of it.
    pub supported_generation_methods: Vec<String>,
}

/// A page of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GeminiModelList {
    /// The models, by name.
    pub models: Vec<GeminiModel>,
    /// Where the next page begins; none: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_page_token: Option<String>,
}

/// What `/v1/models` answers: to a client that sends `anthropic-version`, as Anthropic does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum AnyModelList {
    /// For OpenAI's clients.
    OpenAi(ModelList),
    /// For Anthropic's clients.
    Anthropic(AnthropicModelList),
}

/// What `/v1/models/{model}` answers: to a client that sends `anthropic-version`, as Anthropic does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum AnyModel {
    /// For OpenAI's clients.
    OpenAi(Model),
    /// For Anthropic's clients.
    Anthropic(AnthropicModel),
}
