//! Requests that make and edit provider keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::config::{
    Aliases, AzureKeyConfigInput, BedrockKeyConfigInput, OllamaKeyConfigInput, OpenaiKeyConfig, ReplicateKeyConfig,
    SglKeyConfigInput, VertexKeyConfigInput, VllmKeyConfigInput,
};
use super::setting::Setting;
use super::{ProviderKey, edit::ProviderKeyDraft};
use crate::allow_list::AllowList;
use crate::ids::{Mint, ProviderKeyId};
use crate::invalid::{Invalid, Pointer};
use crate::patch::Patch;
use crate::secret::SecretSource;

/// The two requests: one that makes a key, one that edits one. They share all members but the first.
macro_rules! requests {
    (shared { $($(#[$doc:meta])* $member:ident: $type:ty,)+ } flat { $($(#[$flat_doc:meta])* $flat:ident = $setting:ident,)+ }) => {
        /// Adds a real credential to a provider.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct CreateProviderKey {
            /// A unique name for people.
            #[schema(required = true, min_length = 1, max_length = 256)]
            pub name: String,
            $($(#[$doc])* pub $member: $type,)+
            $(
                $(#[$flat_doc])*
                #[serde(skip_serializing_if = "Patch::is_absent")]
                #[schema(value_type = Option<SecretSource>)]
                pub $flat: Patch<SecretSource>,
            )+
        }

        /// Edits a provider key: what is absent stays, null clears. A secret that is sent back as it was shown stays.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct UpdateProviderKey {
            /// The key that is meant. It cannot be changed.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub id: Option<ProviderKeyId>,
            /// A unique name for people; it cannot be cleared.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(min_length = 1, max_length = 256)]
            pub name: Option<String>,
            $($(#[$doc])* pub $member: $type,)+
            $(
                $(#[$flat_doc])*
                #[serde(skip_serializing_if = "Patch::is_absent")]
                #[schema(value_type = Option<SecretSource>)]
                pub $flat: Patch<SecretSource>,
            )+
            /// Answers have it; not looked at.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub status: Option<String>,
            /// Answers have it; not looked at.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub config_hash: Option<String>,
            /// Answers have it; not looked at.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub created_at: Option<String>,
            /// Answers have it; not looked at.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub updated_at: Option<String>,
        }

        impl From<CreateProviderKey> for UpdateProviderKey {
            fn from(request: CreateProviderKey) -> Self {
                let CreateProviderKey { name, $($member,)+ $($flat,)+ } = request;
                Self { name: Some(name), $($member,)+ $($flat,)+ ..Self::default() }
            }
        }

        impl UpdateProviderKey {
            /// The settings by their flat names.
            pub(super) fn flat(&self) -> Vec<(Setting, Patch<SecretSource>)> {
                vec![$((Setting::$setting, self.$flat.clone()),)+]
            }
        }
    };
}

requests! {
    shared {
        /// The secret, or `env.NAME` for a variable of the server's environment. It is stored encrypted and never shown again.
        /// Required unless the settings below are all that the upstream needs.
        #[serde(skip_serializing_if = "Patch::is_absent")]
        #[schema(value_type = Option<SecretSource>)]
        value: Patch<SecretSource>,
        /// The models that the key may serve; in a new key every model unless given.
        #[serde(skip_serializing_if = "Option::is_none")]
        models: Option<AllowList>,
        /// The models that the key may not serve, whatever `models` says.
        #[serde(skip_serializing_if = "Option::is_none")]
        blacklisted_models: Option<AllowList>,
        /// The key's share among the provider's keys; in a new key 1 unless given.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(minimum = 0)]
        weight: Option<f64>,
        /// The provider's model ids by the name that requests use: the full set.
        #[serde(skip_serializing_if = "Patch::is_absent")]
        #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
        aliases: Patch<Aliases>,
        /// False: the key serves nothing. In a new key true unless given.
        #[serde(skip_serializing_if = "Option::is_none")]
        enabled: Option<bool>,
        /// True: the key serves batches. In a new key false unless given.
        #[serde(skip_serializing_if = "Option::is_none")]
        use_for_batch_api: Option<bool>,
        /// What the key is for.
        #[serde(skip_serializing_if = "Patch::is_absent")]
        #[schema(value_type = Option<String>)]
        description: Patch<String>,
        /// Azure's settings.
        #[serde(skip_serializing_if = "Patch::is_absent")]
        #[schema(value_type = Option<AzureKeyConfigInput>)]
        azure_key_config: Patch<AzureKeyConfigInput>,
        /// Vertex's settings.
        #[serde(skip_serializing_if = "Patch::is_absent")]
        #[schema(value_type = Option<VertexKeyConfigInput>)]
        vertex_key_config: Patch<VertexKeyConfigInput>,
        /// Bedrock's settings.
        #[serde(skip_serializing_if = "Patch::is_absent")]
        #[schema(value_type = Option<BedrockKeyConfigInput>)]
        bedrock_key_config: Patch<BedrockKeyConfigInput>,
        /// The vLLM server that the key is for.
        #[serde(skip_serializing_if = "Patch::is_absent")]
        #[schema(value_type = Option<VllmKeyConfigInput>)]
        vllm_key_config: Patch<VllmKeyConfigInput>,
        /// The Ollama server that the key is for.
        #[serde(skip_serializing_if = "Patch::is_absent")]
        #[schema(value_type = Option<OllamaKeyConfigInput>)]
        ollama_key_config: Patch<OllamaKeyConfigInput>,
        /// The SGLang server that the key is for.
        #[serde(skip_serializing_if = "Patch::is_absent")]
        #[schema(value_type = Option<SglKeyConfigInput>)]
        sgl_key_config: Patch<SglKeyConfigInput>,
        /// Replicate's settings.
        #[serde(skip_serializing_if = "Patch::is_absent")]
        #[schema(value_type = Option<ReplicateKeyConfig>)]
        replicate_key_config: Patch<ReplicateKeyConfig>,
        /// OpenAI's settings.
        #[serde(skip_serializing_if = "Patch::is_absent")]
        #[schema(value_type = Option<OpenaiKeyConfig>)]
        openai_key_config: Patch<OpenaiKeyConfig>,
    }
    flat {
        /// `azure_key_config.endpoint` by its flat name.
        azure_endpoint = AzureEndpoint,
        /// `azure_key_config.api_version` by its flat name.
        azure_api_version = AzureApiVersion,
        /// `azure_key_config.client_id` by its flat name.
        azure_client_id = AzureClientId,
        /// `azure_key_config.client_secret` by its flat name.
        azure_client_secret = AzureClientSecret,
        /// `azure_key_config.tenant_id` by its flat name.
        azure_tenant_id = AzureTenantId,
        /// `vertex_key_config.project_id` by its flat name.
        vertex_project_id = VertexProjectId,
        /// `vertex_key_config.project_number` by its flat name.
        vertex_project_number = VertexProjectNumber,
        /// `vertex_key_config.region` by its flat name.
        vertex_region = VertexRegion,
        /// `vertex_key_config.auth_credentials` by its flat name.
        vertex_auth_credentials = VertexAuthCredentials,
        /// `bedrock_key_config.access_key` by its flat name.
        bedrock_access_key = BedrockAccessKey,
        /// `bedrock_key_config.secret_key` by its flat name.
        bedrock_secret_key = BedrockSecretKey,
        /// `bedrock_key_config.session_token` by its flat name.
        bedrock_session_token = BedrockSessionToken,
        /// `bedrock_key_config.region` by its flat name.
        bedrock_region = BedrockRegion,
        /// `bedrock_key_config.arn` by its flat name.
        bedrock_arn = BedrockArn,
    }
}

impl CreateProviderKey {
    /// A key with this name and secret that serves every model.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl AsRef<str>) -> Self {
        Self { name: name.into(), value: SecretSource::from_text(value.as_ref()).into(), ..Self::default() }
    }

    /// Checks the request, whose members are at `at`.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn check(self, at: &Pointer, mint: Mint<'_>) -> Result<ProviderKeyDraft, Invalid> {
        UpdateProviderKey::from(self).make(at, mint)
    }
}

impl UpdateProviderKey {
    /// The key that a request asks for which names none that is there.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn make(self, at: &Pointer, mint: Mint<'_>) -> Result<ProviderKeyDraft, Invalid> {
        self.edit(ProviderKeyDraft::blank(mint().into()), None, at)
    }

    /// The edit of a key that is there.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn apply(self, before: &ProviderKey, at: &Pointer) -> Result<ProviderKeyDraft, Invalid> {
        if self.id.as_ref().is_some_and(|id| *id != before.id) {
            return Err(Invalid::at(at.member("id"), "the id of a provider key cannot be changed"));
        }
        self.edit(ProviderKeyDraft::kept(before), Some(before), at)
    }

    /// The environment variables that the request refers to, and where.
    #[must_use]
    pub fn variables(&self, at: &Pointer) -> Vec<(Pointer, String)> {
        let value = (self.value.clone(), at.member("value"));
        let settings = self.given(at).into_iter().map(|(_, value, at)| (value, at));
        let variables = std::iter::once(value).chain(settings).filter_map(|(value, at)| match value.value()? {
            SecretSource::Environment(name) => Some((at, name)),
            SecretSource::Literal(_) => None,
        });
        variables.collect()
    }
}
