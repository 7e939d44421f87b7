//! Providers: the upstreams, and the real credentials for them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::allow_list::AllowList;
use crate::base_url::BaseUrl;
use crate::change::Versioned;
use crate::ids::{Mint, ProviderKeyId, ProviderName};
use crate::invalid::{Invalid, Pointer};
use crate::name::check_name;
use crate::secret::{EnvVar, SecretForms, SecretSource};

/// An upstream that requests can be routed to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    /// The unique name, the first part of `provider/model`.
    pub name: ProviderName,
    /// How the provider is reached.
    pub network_config: NetworkConfig,
    /// The real credentials; secrets are redacted.
    pub keys: Vec<ProviderKey>,
    /// A hash of the configuration file's definition; empty for providers made through the API.
    pub config_hash: String,
    /// When the provider was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// How a provider is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkConfig {
    /// The origin, such as `https://api.openai.com`; known providers have one built in. A trailing `/v1` is understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub base_url: Option<BaseUrl>,
    /// How long to wait for an answer to begin, and between two pieces of a stream, in seconds. 300 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 3600)]
    pub default_request_timeout_in_seconds: Option<u16>,
}

/// One real credential for a provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderKey {
    /// Identifies the key.
    pub id: ProviderKeyId,
    /// A unique name for people.
    pub name: String,
    /// The redacted secret, or where it comes from.
    pub value: EnvVar,
    /// The models that the key may serve: `["*"]` is every model.
    pub models: AllowList,
    /// The key's share among the provider's keys.
    pub weight: f64,
    /// False: the key serves nothing.
    pub enabled: bool,
    /// True: the key serves batches.
    pub use_for_batch_api: bool,
    /// A hash of the configuration file's definition; empty for keys made through the API.
    pub config_hash: String,
    /// When the key was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Makes a provider known to the gateway.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateProvider {
    /// The unique name: a known provider (`openai`, `anthropic`, `gemini`, …) or one of your own. `provider` is accepted too.
    #[serde(alias = "provider")]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 64)]
    pub name: String,
    /// How the provider is reached; your own providers need a `base_url`.
    pub network_config: NetworkConfig,
    /// Real credentials to begin with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<CreateProviderKey>,
}

/// Adds a real credential to a provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateProviderKey {
    /// A unique name for people.
    #[schema(min_length = 1, max_length = 256)]
    pub name: String,
    /// The secret, or `env.NAME` for a variable of the server's environment. It is stored encrypted and never shown again.
    #[schema(value_type = SecretForms)]
    pub value: SecretSource,
    /// The models that the key may serve; every model unless given.
    #[serde(default = "AllowList::everything")]
    pub models: AllowList,
    /// The key's share among the provider's keys; 1 unless given.
    #[serde(default = "full_weight")]
    #[schema(minimum = 0)]
    pub weight: f64,
    /// False: the key serves nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// True: the key serves batches.
    #[serde(default)]
    pub use_for_batch_api: bool,
}

impl Versioned for Provider {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}

impl Versioned for ProviderKey {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}

const fn full_weight() -> f64 {
    1.0
}

const fn yes() -> bool {
    true
}

impl CreateProviderKey {
    /// A key with this name and secret that serves every model.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: SecretForms::Text(value.into()).into(),
            models: AllowList::everything(),
            weight: full_weight(),
            enabled: yes(),
            use_for_batch_api: false,
        }
    }
}

/// A provider as it shall be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderDraft {
    /// The unique name.
    pub name: ProviderName,
    /// How the provider is reached.
    pub network_config: NetworkConfig,
    /// Real credentials to begin with.
    pub keys: Vec<ProviderKeyDraft>,
}

/// A provider key as it shall be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderKeyDraft {
    /// Identifies the key.
    pub id: ProviderKeyId,
    /// The checked request.
    pub key: CreateProviderKey,
}

impl CreateProvider {
    /// Checks the request.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn check(self, mint: Mint<'_>) -> Result<ProviderDraft, Invalid> {
        check_provider_name(&self.name)?;
        if self.network_config.base_url.is_none() && KnownProvider::find(&self.name).is_none() {
            return Err(Invalid::at(
                Pointer::from("network_config").member("base_url"),
                format!("provider {} is not a known one and needs a base_url", self.name),
            ));
        }
        if matches!(self.network_config.default_request_timeout_in_seconds, Some(0 | 3601..)) {
            return Err(Invalid::at(
                Pointer::from("network_config").member("default_request_timeout_in_seconds"),
                "default_request_timeout_in_seconds must lie between 1 and 3600",
            ));
        }
        let at = Pointer::from("keys");
        let keys = self.keys.into_iter().enumerate();
        let keys = keys.map(|(index, key)| key.check(&at.element(index), &mut *mint));
        Ok(ProviderDraft {
            keys: keys.collect::<Result<_, _>>()?,
            name: self.name.into(),
            network_config: self.network_config,
        })
    }
}

impl CreateProviderKey {
    /// Checks the request, whose members are at `at`.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn check(self, at: &Pointer, mint: Mint<'_>) -> Result<ProviderKeyDraft, Invalid> {
        check_name(&self.name, "Key name is required")
            .map_err(|invalid| Invalid::at(at.member("name"), invalid.message))?;
        let secret_is_sendable = match &self.value {
            SecretSource::Literal(secret) => !secret.is_empty() && secret.bytes().all(|b| b.is_ascii_graphic()),
            SecretSource::Environment(name) => !name.is_empty(),
        };
        if !secret_is_sendable {
            return Err(Invalid::at(at.member("value"), "value must be visible ASCII characters or env.NAME"));
        }
        if !self.weight.is_finite() || self.weight.is_sign_negative() {
            return Err(Invalid::at(at.member("weight"), "weight cannot be negative"));
        }
        Ok(ProviderKeyDraft { id: mint().into(), key: self })
    }
}

/// Provider names are path segments, the first part of model names, and metric labels.
fn check_provider_name(name: &str) -> Result<(), Invalid> {
    let refuse = |message: &str| Err(Invalid::at("name".into(), message));
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() {
        refuse("provider name is required")
    } else if name.len() > 64 || !name.chars().all(legal) {
        refuse("provider name must be at most 64 letters, digits, '-', '_' or '.'")
    } else if name == DEMO_PROVIDER {
        refuse("provider name 'demo' is reserved for the simulated provider of demo mode")
    } else {
        Ok(())
    }
}

/// The simulated provider of demo mode.
pub const DEMO_PROVIDER: &str = "demo";

/// A provider whose address Keyward knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownProvider {
    /// The provider's name.
    pub name: &'static str,
    /// Its origin.
    pub base_url: &'static str,
    /// The path of its OpenAI-compatible chat completions.
    pub chat_completions: &'static str,
}

/// Where chat completions are at a provider that follows OpenAI's paths.
const CHAT_COMPLETIONS: &str = "/v1/chat/completions";

impl KnownProvider {
    const ALL: &'static [Self] = &[
        Self::new("openai", "https://api.openai.com", CHAT_COMPLETIONS),
        Self::new("anthropic", "https://api.anthropic.com", CHAT_COMPLETIONS),
        Self::new("gemini", "https://generativelanguage.googleapis.com", "/v1beta/openai/chat/completions"),
        Self::new("mistral", "https://api.mistral.ai", CHAT_COMPLETIONS),
        Self::new("groq", "https://api.groq.com/openai", CHAT_COMPLETIONS),
        Self::new("deepseek", "https://api.deepseek.com", CHAT_COMPLETIONS),
        Self::new("xai", "https://api.x.ai", CHAT_COMPLETIONS),
        Self::new("cohere", "https://api.cohere.ai/compatibility", CHAT_COMPLETIONS),
    ];

    const fn new(name: &'static str, base_url: &'static str, chat_completions: &'static str) -> Self {
        Self { name, base_url, chat_completions }
    }

    /// The known provider of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|known| known.name == name).copied()
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
