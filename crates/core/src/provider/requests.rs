//! Requests that make and edit providers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::key::{CreateProviderKey, ProviderKeyDraft, UpdateProviderKey};
use super::known::{DEMO_PROVIDER, KnownProvider};
use super::network::{NetworkConfig, NetworkConfigInput, NetworkDraft};
use super::options::{ConcurrencyAndBufferSize, CustomProviderConfig, ProxyConfig};
use super::{Provider, ProviderKey};
use crate::ids::{Mint, ProviderName};
use crate::invalid::{Invalid, Pointer};
use crate::patch::{Patch, null_as_absent};
use crate::secret::SecretSource;

/// Makes a provider known to the gateway.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateProvider {
    /// The unique name: a known provider (`openai`, `anthropic`, `gemini`, …) or one of your own. `provider` is accepted too.
    #[serde(alias = "provider")]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 64)]
    pub name: String,
    /// How the provider is reached; your own providers need a `base_url`.
    #[serde(deserialize_with = "null_as_absent")]
    pub network_config: NetworkConfigInput,
    /// How many requests the compatible product would have in flight and in its queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency_and_buffer_size: Option<ConcurrencyAndBufferSize>,
    /// Accepted when it says that there is no proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_config: Option<ProxyConfig>,
    /// Kept for clients of the compatible product: answers do not carry the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_back_raw_request: Option<bool>,
    /// Kept for clients of the compatible product: an answer is the provider's own in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_back_raw_response: Option<bool>,
    /// Kept for clients of the compatible product: requests and answers are not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_raw_request_response: Option<bool>,
    /// What a provider of your own is like; known ones have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_provider_config: Option<CustomProviderConfig>,
    /// What the provider is for.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_absent")]
    pub description: String,
    /// Real credentials to begin with.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_as_absent")]
    pub keys: Vec<CreateProviderKey>,
}

/// Edits a provider: what is absent stays, null clears.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateProvider {
    /// The provider that is meant. It cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none", alias = "provider")]
    pub name: Option<ProviderName>,
    /// How the provider is reached; what is absent in it stays.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<NetworkConfigInput>)]
    pub network_config: Patch<NetworkConfigInput>,
    /// How many requests the compatible product would have in flight and in its queue.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<ConcurrencyAndBufferSize>)]
    pub concurrency_and_buffer_size: Patch<ConcurrencyAndBufferSize>,
    /// Accepted when it says that there is no proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_config: Option<ProxyConfig>,
    /// Kept for clients of the compatible product: answers do not carry the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_back_raw_request: Option<bool>,
    /// Kept for clients of the compatible product: an answer is the provider's own in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_back_raw_response: Option<bool>,
    /// Kept for clients of the compatible product: requests and answers are not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_raw_request_response: Option<bool>,
    /// What a provider of your own is like; known ones have none.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<CustomProviderConfig>)]
    pub custom_provider_config: Patch<CustomProviderConfig>,
    /// What the provider is for.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
    /// The full set of keys: one with the `id`, or without one the `name`, of an existing key edits it; any other is new; keys
    /// that are not named are deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<UpdateProviderKey>>,
    /// Answers have it; not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_status: Option<String>,
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

/// A provider as it shall be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderDraft {
    /// The unique name.
    pub name: ProviderName,
    /// How the provider is reached.
    pub network: NetworkDraft,
    /// How many requests the compatible product would have in flight and in its queue.
    pub concurrency_and_buffer_size: Option<ConcurrencyAndBufferSize>,
    /// Kept for clients.
    pub send_back_raw_request: bool,
    /// Kept for clients.
    pub send_back_raw_response: bool,
    /// Kept for clients.
    pub store_raw_request_response: bool,
    /// What a provider of your own is like.
    pub custom_provider_config: Option<CustomProviderConfig>,
    /// What the provider is for.
    pub description: String,
    /// All its keys; none: they stay as they are.
    pub keys: Option<Vec<ProviderKeyDraft>>,
}

impl ProviderDraft {
    /// A provider with this much known of it.
    #[must_use]
    pub fn new(name: ProviderName, config: NetworkConfig, keys: Vec<ProviderKeyDraft>) -> Self {
        Self {
            name,
            network: NetworkDraft { config, ..NetworkDraft::default() },
            concurrency_and_buffer_size: None,
            send_back_raw_request: false,
            send_back_raw_response: false,
            store_raw_request_response: false,
            custom_provider_config: None,
            description: String::new(),
            keys: Some(keys),
        }
    }

    fn check(&self) -> Result<(), Invalid> {
        let known = KnownProvider::find(self.name.as_str());
        if self.network.config.base_url.is_none() && !KnownProvider::needs_no_address(self.name.as_str()) {
            return Err(Invalid::at(
                Pointer::from("network_config").member("base_url"),
                format!("provider {} is not a known one and needs a base_url", self.name),
            ));
        }
        if let Some(sizes) = self.concurrency_and_buffer_size {
            sizes.check(&"concurrency_and_buffer_size".into())?;
        }
        match (&self.custom_provider_config, known) {
            (Some(_), Some(known)) => {
                let message = format!("provider {} is a known one and has no custom_provider_config", known.name);
                Err(Invalid::at("custom_provider_config".into(), message))
            }
            (Some(custom), None) => custom.check(&"custom_provider_config".into()),
            (None, _) => Ok(()),
        }
    }
}

impl CreateProvider {
    /// Checks the request.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn check(self, mint: Mint<'_>) -> Result<ProviderDraft, Invalid> {
        check_provider_name(&self.name)?;
        let at = Pointer::from("keys");
        if let Some(proxy) = &self.proxy_config {
            proxy.check(&"proxy_config".into())?;
        }
        let keys = self.keys.into_iter().enumerate();
        let keys = keys.map(|(index, key)| key.check(&at.element(index), &mut *mint));
        let draft = ProviderDraft {
            keys: Some(keys.collect::<Result<_, _>>()?),
            name: self.name.into(),
            network: self.network_config.edit(&NetworkConfig::default(), &"network_config".into())?,
            concurrency_and_buffer_size: self.concurrency_and_buffer_size,
            send_back_raw_request: self.send_back_raw_request.unwrap_or(false),
            send_back_raw_response: self.send_back_raw_response.unwrap_or(false),
            store_raw_request_response: self.store_raw_request_response.unwrap_or(false),
            custom_provider_config: self.custom_provider_config,
            description: self.description,
        };
        draft.check()?;
        Ok(draft)
    }

    /// The environment variables that the request refers to, and where.
    #[must_use]
    pub fn variables(&self) -> Vec<(Pointer, String)> {
        let keys: Vec<UpdateProviderKey> = self.keys.iter().cloned().map(UpdateProviderKey::from).collect();
        variables(Some(&self.network_config), &keys)
    }
}

impl UpdateProvider {
    /// The edit of a provider that is there.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn apply(self, before: &Provider, mint: Mint<'_>) -> Result<ProviderDraft, Invalid> {
        if self.name.as_ref().is_some_and(|name| *name != before.name) {
            return Err(Invalid::at("name".into(), "the name of a provider cannot be changed"));
        }
        if let Some(proxy) = &self.proxy_config {
            proxy.check(&"proxy_config".into())?;
        }
        let network = match self.network_config {
            Patch::Absent => NetworkConfigInput::default().edit(&before.network_config, &Pointer::ROOT)?,
            Patch::Null => NetworkDraft::default(),
            Patch::Value(input) => input.edit(&before.network_config, &"network_config".into())?,
        };
        let draft = ProviderDraft {
            name: before.name.clone(),
            network,
            concurrency_and_buffer_size: self.concurrency_and_buffer_size.or_keep(before.concurrency_and_buffer_size),
            send_back_raw_request: self.send_back_raw_request.unwrap_or(before.send_back_raw_request),
            send_back_raw_response: self.send_back_raw_response.unwrap_or(before.send_back_raw_response),
            store_raw_request_response: self.store_raw_request_response.unwrap_or(before.store_raw_request_response),
            custom_provider_config: self.custom_provider_config.or_keep(before.custom_provider_config.clone()),
            description: self.description.or_keep(Some(before.description.clone())).unwrap_or_default(),
            keys: self.keys.map(|keys| edited_keys(keys, &before.keys, mint)).transpose()?,
        };
        draft.check()?;
        Ok(draft)
    }

    /// The environment variables that the request refers to, and where.
    #[must_use]
    pub fn variables(&self) -> Vec<(Pointer, String)> {
        variables(self.network_config.as_ref().value(), self.keys.as_deref().unwrap_or_default())
    }
}

/// The full set of keys: each edits the one that it names, or is new.
fn edited_keys(
    keys: Vec<UpdateProviderKey>,
    before: &[ProviderKey],
    mint: Mint<'_>,
) -> Result<Vec<ProviderKeyDraft>, Invalid> {
    let mut drafts: Vec<ProviderKeyDraft> = Vec::new();
    for (index, key) in keys.into_iter().enumerate() {
        let at = Pointer::from("keys").element(index);
        let existing = match (&key.id, &key.name) {
            (Some(id), _) => {
                let found = before.iter().find(|existing| existing.id == *id);
                let message = || format!("provider key '{id}' does not belong to this provider");
                Some(found.ok_or_else(|| Invalid::at(at.member("id"), message()))?)
            }
            (None, Some(name)) => before.iter().find(|existing| existing.name == *name),
            (None, None) => None,
        };
        let draft = match existing {
            Some(existing) => key.apply(existing, &at)?,
            None => key.make(&at, &mut *mint)?,
        };
        if drafts.iter().any(|other| other.id == draft.id) {
            return Err(Invalid::at(at, format!("provider key '{}' is there twice", draft.name)));
        }
        drafts.push(draft);
    }
    Ok(drafts)
}

fn variables(network: Option<&NetworkConfigInput>, keys: &[UpdateProviderKey]) -> Vec<(Pointer, String)> {
    let at = Pointer::from("network_config").member("extra_headers");
    let headers = network.and_then(|network| network.extra_headers.as_ref().value()).into_iter().flatten();
    let in_headers = headers.filter_map(|(name, source)| match source {
        SecretSource::Environment(variable) => Some((at.member(name), variable.clone())),
        SecretSource::Literal(_) => None,
    });
    let at = Pointer::from("keys");
    let in_keys = keys.iter().enumerate().flat_map(|(index, key)| key.variables(&at.element(index)));
    in_headers.chain(in_keys).collect()
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
