//! Provider keys: the real credentials, and what else the upstream needs to know of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::allow_list::AllowList;
use crate::change::Versioned;
use crate::ids::ProviderKeyId;
use crate::secret::EnvVar;

mod config;
mod edit;
mod requests;
mod setting;
mod settings;

pub use config::{
    Aliases, AzureKeyConfig, AzureKeyConfigInput, BatchS3Config, BedrockKeyConfig, BedrockKeyConfigInput,
    OllamaKeyConfig, OllamaKeyConfigInput, OpenaiKeyConfig, ReplicateKeyConfig, S3Bucket, SglKeyConfig,
    SglKeyConfigInput, VertexKeyConfig, VertexKeyConfigInput, VllmKeyConfig, VllmKeyConfigInput,
};
pub use edit::ProviderKeyDraft;
pub use requests::{CreateProviderKey, UpdateProviderKey};
pub use setting::{Setting, SettingKind};
pub use settings::{KeyOptions, KeySettings, SettingsDraft};

/// One real credential for a provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderKey {
    /// Identifies the key.
    pub id: ProviderKeyId,
    /// A unique name for people.
    pub name: String,
    /// The redacted secret, or where it comes from; without either when the settings below are all that is needed.
    pub value: EnvVar,
    /// The models that the key may serve: `["*"]` is every model.
    pub models: AllowList,
    /// The models that the key may not serve, whatever `models` says.
    pub blacklisted_models: AllowList,
    /// The key's share among the provider's keys.
    pub weight: f64,
    /// The provider's model ids by the name that requests use.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub aliases: Aliases,
    /// False: the key serves nothing.
    pub enabled: bool,
    /// True: the key serves batches.
    pub use_for_batch_api: bool,
    /// What the key is for.
    pub description: String,
    /// The outcome of the last listing of the provider's models; empty, because nothing lists models.
    pub status: String,
    /// Azure's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub azure_key_config: Option<AzureKeyConfig>,
    /// Vertex's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub vertex_key_config: Option<VertexKeyConfig>,
    /// Bedrock's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub bedrock_key_config: Option<BedrockKeyConfig>,
    /// The vLLM server that the key is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub vllm_key_config: Option<VllmKeyConfig>,
    /// The Ollama server that the key is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ollama_key_config: Option<OllamaKeyConfig>,
    /// The SGLang server that the key is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sgl_key_config: Option<SglKeyConfig>,
    /// Replicate's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub replicate_key_config: Option<ReplicateKeyConfig>,
    /// OpenAI's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub openai_key_config: Option<OpenaiKeyConfig>,
    /// A hash of the configuration file's definition; empty for keys made through the API.
    pub config_hash: String,
    /// When the key was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Versioned for ProviderKey {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}
