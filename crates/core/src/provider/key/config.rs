//! The nested objects with a provider key's settings: as answers show them, and as requests give them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::setting::Setting;
use crate::patch::Patch;
use crate::secret::{EnvVar, SecretSource};

/// Provider model ids by the name that requests use.
pub type Aliases = BTreeMap<String, String>;

macro_rules! key_config {
    ($(#[$doc:meta])* $config:ident, $input:ident {
        $($(#[$member_doc:meta])* $member:ident = $setting:ident,)+
    } shown {
        $($(#[$shown_doc:meta])* $shown:ident: $shown_type:ty,)*
    } given {
        $($(#[$given_doc:meta])* $given:ident: $given_type:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
        pub struct $config {
            $(
                $(#[$member_doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[schema(nullable = false)]
                pub $member: Option<EnvVar>,
            )+
            $($(#[$shown_doc])* pub $shown: $shown_type,)*
        }

        impl $config {
            /// The settings among these that belong here.
            #[allow(clippy::needless_update, reason = "some have more members than settings")]
            pub(super) fn of(settings: &BTreeMap<Setting, EnvVar>) -> Self {
                Self { $($member: settings.get(&Setting::$setting).cloned(),)+ ..Self::default() }
            }

            pub(super) fn settings(&self) -> impl Iterator<Item = (Setting, EnvVar)> {
                [$((Setting::$setting, self.$member.clone()),)+].into_iter().filter_map(|(name, value)| Some((name, value?)))
            }
        }

        $(#[$doc])*
        ///
        /// What is absent stays, null clears.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $input {
            $(
                $(#[$member_doc])*
                #[serde(skip_serializing_if = "Patch::is_absent")]
                #[schema(value_type = Option<SecretSource>)]
                pub $member: Patch<SecretSource>,
            )+
            $(
                $(#[$given_doc])*
                #[serde(skip_serializing_if = "Patch::is_absent")]
                #[schema(value_type = Option<$given_type>)]
                pub $given: Patch<$given_type>,
            )*
        }

        impl $input {
            pub(super) fn settings(&self) -> Vec<(Setting, Patch<SecretSource>)> {
                vec![$((Setting::$setting, self.$member.clone()),)+]
            }
        }
    };
}

key_config! {
    /// Azure's settings of a provider key.
    AzureKeyConfig, AzureKeyConfigInput {
        /// The resource's endpoint.
        endpoint = AzureEndpoint,
        /// The API version.
        api_version = AzureApiVersion,
        /// The Entra client.
        client_id = AzureClientId,
        /// The Entra client's secret.
        client_secret = AzureClientSecret,
        /// The Entra tenant.
        tenant_id = AzureTenantId,
    } shown {
        /// The key's `aliases`, under their older name.
        deployments: BTreeMap<String, String>,
        /// The OAuth scopes to ask for.
        scopes: Vec<String>,
    } given {
        /// The older name of the key's `aliases`.
        deployments: BTreeMap<String, String>,
        /// The OAuth scopes to ask for.
        scopes: Vec<String>,
    }
}

key_config! {
    /// Vertex's settings of a provider key.
    VertexKeyConfig, VertexKeyConfigInput {
        /// The project.
        project_id = VertexProjectId,
        /// The project's number.
        project_number = VertexProjectNumber,
        /// The region.
        region = VertexRegion,
        /// The service account.
        auth_credentials = VertexAuthCredentials,
    } shown {
        /// The key's `aliases`, under their older name.
        deployments: BTreeMap<String, String>,
    } given {
        /// The older name of the key's `aliases`.
        deployments: BTreeMap<String, String>,
    }
}

key_config! {
    /// Bedrock's settings of a provider key.
    BedrockKeyConfig, BedrockKeyConfigInput {
        /// The access key.
        access_key = BedrockAccessKey,
        /// The secret key.
        secret_key = BedrockSecretKey,
        /// The session token.
        session_token = BedrockSessionToken,
        /// The region.
        region = BedrockRegion,
        /// The role to assume.
        arn = BedrockArn,
    } shown {
        /// The key's `aliases`, under their older name.
        deployments: BTreeMap<String, String>,
        /// Where batches are kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        batch_s3_config: Option<BatchS3Config>,
    } given {
        /// The older name of the key's `aliases`.
        deployments: BTreeMap<String, String>,
        /// Where batches are kept.
        batch_s3_config: BatchS3Config,
    }
}

key_config! {
    /// The vLLM server that a provider key is for.
    VllmKeyConfig, VllmKeyConfigInput {
        /// Its address.
        url = VllmUrl,
    } shown {} given {}
}

key_config! {
    /// The Ollama server that a provider key is for.
    OllamaKeyConfig, OllamaKeyConfigInput {
        /// Its address.
        url = OllamaUrl,
    } shown {} given {}
}

key_config! {
    /// The SGLang server that a provider key is for.
    SglKeyConfig, SglKeyConfigInput {
        /// Its address.
        url = SglUrl,
    } shown {} given {}
}

/// Where batches are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BatchS3Config {
    /// The buckets.
    pub buckets: Vec<S3Bucket>,
}

/// A bucket of S3.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct S3Bucket {
    /// Its name.
    pub bucket_name: String,
    /// What the names of its objects begin with.
    pub prefix: String,
    /// True: the bucket for what names none.
    pub is_default: bool,
}

/// Replicate's settings of a provider key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplicateKeyConfig {
    /// True: models are deployments.
    pub use_deployments_endpoint: bool,
}

/// OpenAI's settings of a provider key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OpenaiKeyConfig {
    /// True: the older API sent chat completions as responses.
    pub use_responses_api: bool,
}
