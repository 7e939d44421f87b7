//! Settings of provider keys: what clouds and own servers need besides a secret. Each is a literal or `env.NAME`.
//!
//! A setting has two names on the wire: a member of a nested object (`azure_key_config.endpoint`), and a flat one
//! (`azure_endpoint`).

use serde::{Deserialize, Serialize};

use crate::base_url::BaseUrl;
use crate::invalid::{Invalid, Pointer};
use crate::secret::SecretSource;

/// What kind of text a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    /// Plain text, shown as it is.
    Text,
    /// An address, shown as it is.
    Address,
    /// A secret: shown redacted, stored sealed.
    Secret,
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident = $flat:literal, $group:literal, $member:literal, $kind:ident;)+) => {
        /// A setting of a provider key.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Setting {
            $($(#[$doc])* #[serde(rename = $flat)] $name,)+
        }

        impl Setting {
            /// Every setting.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The flat name.
            #[must_use]
            pub const fn flat(self) -> &'static str {
                match self { $(Self::$name => $flat,)+ }
            }

            /// The nested object, and the member in it.
            #[must_use]
            pub const fn nested(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($group, $member),)+ }
            }

            /// What kind of text it is.
            #[must_use]
            pub const fn kind(self) -> SettingKind {
                match self { $(Self::$name => SettingKind::$kind,)+ }
            }
        }
    };
}

settings! {
    /// Azure: the resource's endpoint.
    AzureEndpoint = "azure_endpoint", "azure_key_config", "endpoint", Address;
    /// Azure: the API version.
    AzureApiVersion = "azure_api_version", "azure_key_config", "api_version", Text;
    /// Azure: the Entra client.
    AzureClientId = "azure_client_id", "azure_key_config", "client_id", Text;
    /// Azure: the Entra client's secret.
    AzureClientSecret = "azure_client_secret", "azure_key_config", "client_secret", Secret;
    /// Azure: the Entra tenant.
    AzureTenantId = "azure_tenant_id", "azure_key_config", "tenant_id", Text;
    /// Vertex: the project.
    VertexProjectId = "vertex_project_id", "vertex_key_config", "project_id", Text;
    /// Vertex: the project's number.
    VertexProjectNumber = "vertex_project_number", "vertex_key_config", "project_number", Text;
    /// Vertex: the region.
    VertexRegion = "vertex_region", "vertex_key_config", "region", Text;
    /// Vertex: the service account.
    VertexAuthCredentials = "vertex_auth_credentials", "vertex_key_config", "auth_credentials", Secret;
    /// Bedrock: the access key.
    BedrockAccessKey = "bedrock_access_key", "bedrock_key_config", "access_key", Secret;
    /// Bedrock: the secret key.
    BedrockSecretKey = "bedrock_secret_key", "bedrock_key_config", "secret_key", Secret;
    /// Bedrock: the session token.
    BedrockSessionToken = "bedrock_session_token", "bedrock_key_config", "session_token", Secret;
    /// Bedrock: the region.
    BedrockRegion = "bedrock_region", "bedrock_key_config", "region", Text;
    /// Bedrock: the role to assume.
    BedrockArn = "bedrock_arn", "bedrock_key_config", "arn", Text;
    /// The address of a vLLM server.
    VllmUrl = "vllm_url", "vllm_key_config", "url", Address;
    /// The address of an Ollama server.
    OllamaUrl = "ollama_url", "ollama_key_config", "url", Address;
    /// The address of an SGLang server.
    SglUrl = "sgl_url", "sgl_key_config", "url", Address;
}

/// The longest setting, in bytes: a service account's file has two or three thousand.
const LONGEST: usize = 16 * 1024;

impl Setting {
    /// True when the text must not be shown.
    #[must_use]
    pub fn is_secret(self) -> bool {
        self.kind() == SettingKind::Secret
    }

    /// Checks a new value.
    pub(super) fn check(self, source: &SecretSource, at: &Pointer) -> Result<(), Invalid> {
        let refuse = |message: String| Err(Invalid::at(at.clone(), message));
        let (_, name) = self.nested();
        match (source, self.kind()) {
            (SecretSource::Environment(variable), _) if variable.is_empty() => {
                refuse(format!("{name} names no environment variable"))
            }
            (SecretSource::Literal(text), _) if text.len() > LONGEST => {
                refuse(format!("{name} is longer than {LONGEST} bytes"))
            }
            (SecretSource::Literal(text), SettingKind::Text) if text.chars().any(char::is_control) => {
                refuse(format!("{name} has control characters"))
            }
            (SecretSource::Literal(text), SettingKind::Address) => match text.parse::<BaseUrl>() {
                Ok(_) => Ok(()),
                Err(error) => refuse(error.to_string().replace("base_url", name)),
            },
            (SecretSource::Environment(_), _) | (SecretSource::Literal(_), SettingKind::Text | SettingKind::Secret) => {
                Ok(())
            }
        }
    }
}
