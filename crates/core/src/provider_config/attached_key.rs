//! Provider keys as a virtual key shows them, in the two documented shapes. Secrets are redacted in both.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ProviderConfig;
use crate::allow_list::AllowList;
use crate::ids::{ProviderKeyId, ProviderName};
use crate::provider::{Aliases, ProviderKey, Setting};
use crate::secret::EnvVar;

/// A provider key attached to a provider config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AttachedKey {
    /// The key's row number.
    pub id: i64,
    /// The key's unique name.
    pub name: String,
    /// The provider's row number.
    pub provider_id: i64,
    /// The provider.
    pub provider: ProviderName,
    /// Identifies the key in requests.
    pub key_id: ProviderKeyId,
    /// The redacted secret, or where it comes from.
    pub value: EnvVar,
    /// The models that the key may serve.
    pub models: AllowList,
    /// The models that the key may not serve, whatever `models` says.
    pub blacklisted_models: AllowList,
    /// The key's share among the provider's keys.
    pub weight: f64,
    /// The provider's model ids by the name that requests use.
    #[schema(value_type = BTreeMap<String, String>)]
    pub aliases: Aliases,
    /// False: the key serves nothing.
    pub enabled: bool,
    /// True: the key serves batches.
    pub use_for_batch_api: bool,
    /// When the key was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// A hash of the configuration file's definition; empty for keys made through the API.
    pub config_hash: String,
    /// Azure: the resource's endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub azure_endpoint: Option<EnvVar>,
    /// Azure: the API version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub azure_api_version: Option<EnvVar>,
    /// Azure: the Entra client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub azure_client_id: Option<EnvVar>,
    /// Azure: the Entra client's secret, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub azure_client_secret: Option<EnvVar>,
    /// Azure: the Entra tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub azure_tenant_id: Option<EnvVar>,
    /// Vertex: the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub vertex_project_id: Option<EnvVar>,
    /// Vertex: the project's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub vertex_project_number: Option<EnvVar>,
    /// Vertex: the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub vertex_region: Option<EnvVar>,
    /// Vertex: the service account, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub vertex_auth_credentials: Option<EnvVar>,
    /// Bedrock: the access key, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub bedrock_access_key: Option<EnvVar>,
    /// Bedrock: the secret key, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub bedrock_secret_key: Option<EnvVar>,
    /// Bedrock: the session token, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub bedrock_session_token: Option<EnvVar>,
    /// Bedrock: the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub bedrock_region: Option<EnvVar>,
    /// Bedrock: the role to assume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub bedrock_arn: Option<EnvVar>,
}

impl AttachedKey {
    /// The key as it is shown beside others: under its row number, and with that of its provider.
    #[must_use]
    pub fn new(id: i64, provider_id: i64, provider: ProviderName, key: ProviderKey) -> Self {
        let mut values = key.settings().values;
        let mut setting = |setting| values.remove(&setting);
        Self {
            id,
            name: key.name,
            provider_id,
            provider,
            key_id: key.id,
            value: key.value,
            models: key.models,
            blacklisted_models: key.blacklisted_models,
            weight: key.weight,
            aliases: key.aliases,
            enabled: key.enabled,
            use_for_batch_api: key.use_for_batch_api,
            created_at: key.created_at,
            updated_at: key.updated_at,
            config_hash: key.config_hash,
            azure_endpoint: setting(Setting::AzureEndpoint),
            azure_api_version: setting(Setting::AzureApiVersion),
            azure_client_id: setting(Setting::AzureClientId),
            azure_client_secret: setting(Setting::AzureClientSecret),
            azure_tenant_id: setting(Setting::AzureTenantId),
            vertex_project_id: setting(Setting::VertexProjectId),
            vertex_project_number: setting(Setting::VertexProjectNumber),
            vertex_region: setting(Setting::VertexRegion),
            vertex_auth_credentials: setting(Setting::VertexAuthCredentials),
            bedrock_access_key: setting(Setting::BedrockAccessKey),
            bedrock_secret_key: setting(Setting::BedrockSecretKey),
            bedrock_session_token: setting(Setting::BedrockSessionToken),
            bedrock_region: setting(Setting::BedrockRegion),
            bedrock_arn: setting(Setting::BedrockArn),
        }
    }
}

/// A provider key as the older API shows it at the virtual key itself: plain strings, nested cloud settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VirtualKeyProviderKey {
    /// Identifies the key in requests.
    pub key_id: ProviderKeyId,
    /// The key's unique name.
    pub name: String,
    /// The provider.
    pub provider: ProviderName,
    /// The redacted secret, or `env.NAME`.
    pub value: String,
    /// The key's share among the provider's keys.
    pub weight: f64,
    /// The models that the key may serve.
    pub models: AllowList,
    /// Azure's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub azure_key_config: Option<VirtualKeyAzureConfig>,
    /// Vertex's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub vertex_key_config: Option<VirtualKeyVertexConfig>,
    /// Bedrock's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub bedrock_key_config: Option<VirtualKeyBedrockConfig>,
}

/// Azure's settings, as the older API shows them at the virtual key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VirtualKeyAzureConfig {
    /// The resource's endpoint.
    pub endpoint: String,
    /// Deployments by model.
    pub deployments: BTreeMap<String, String>,
    /// The API version.
    pub api_version: String,
}

/// Vertex's settings, as the older API shows them at the virtual key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VirtualKeyVertexConfig {
    /// The project.
    pub project_id: String,
    /// The region.
    pub region: String,
    /// The service account, redacted, or `env.NAME`.
    pub auth_credentials: String,
}

/// Bedrock's settings, as the older API shows them at the virtual key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VirtualKeyBedrockConfig {
    /// The access key, redacted, or `env.NAME`.
    pub access_key: String,
    /// The secret key, redacted, or `env.NAME`.
    pub secret_key: String,
    /// The session token, redacted, or `env.NAME`.
    pub session_token: String,
    /// The region.
    pub region: String,
    /// The role to assume.
    pub arn: String,
    /// Deployments by model.
    pub deployments: BTreeMap<String, String>,
}

impl VirtualKeyProviderKey {
    /// The distinct keys of all provider configs.
    #[must_use]
    pub fn of(configs: &[ProviderConfig]) -> Vec<Self> {
        let mut keys: Vec<Self> = Vec::new();
        for key in configs.iter().flat_map(|config| &config.keys) {
            if keys.iter().all(|known| known.key_id != key.key_id) {
                keys.push(Self::from(key));
            }
        }
        keys
    }
}

impl From<&AttachedKey> for VirtualKeyProviderKey {
    fn from(key: &AttachedKey) -> Self {
        let text = |value: &Option<EnvVar>| value.as_ref().map(EnvVar::text).unwrap_or_default().to_owned();
        let azure = [&key.azure_endpoint, &key.azure_api_version, &key.azure_client_id];
        let vertex = [&key.vertex_project_id, &key.vertex_region, &key.vertex_auth_credentials];
        let bedrock = [&key.bedrock_access_key, &key.bedrock_secret_key, &key.bedrock_region, &key.bedrock_arn];
        Self {
            key_id: key.key_id.clone(),
            name: key.name.clone(),
            provider: key.provider.clone(),
            value: key.value.text().to_owned(),
            weight: key.weight,
            models: key.models.clone(),
            azure_key_config: azure.iter().any(|value| value.is_some()).then(|| VirtualKeyAzureConfig {
                endpoint: text(&key.azure_endpoint),
                deployments: key.aliases.clone(),
                api_version: text(&key.azure_api_version),
            }),
            vertex_key_config: vertex.iter().any(|value| value.is_some()).then(|| VirtualKeyVertexConfig {
                project_id: text(&key.vertex_project_id),
                region: text(&key.vertex_region),
                auth_credentials: text(&key.vertex_auth_credentials),
            }),
            bedrock_key_config: bedrock.iter().any(|value| value.is_some()).then(|| VirtualKeyBedrockConfig {
                access_key: text(&key.bedrock_access_key),
                secret_key: text(&key.bedrock_secret_key),
                session_token: text(&key.bedrock_session_token),
                region: text(&key.bedrock_region),
                arn: text(&key.bedrock_arn),
                deployments: key.aliases.clone(),
            }),
        }
    }
}
