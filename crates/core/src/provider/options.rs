//! Options of providers: what they are like, and settings that the compatible product has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::known::KnownProvider;
use crate::invalid::{Invalid, Pointer};
use crate::secret::SecretSource;

/// How many requests the compatible product would have in flight and in its queue. Kept for its clients: Keyward has no queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConcurrencyAndBufferSize {
    /// Requests in flight.
    #[schema(minimum = 1)]
    pub concurrency: u32,
    /// Requests in the queue.
    #[schema(minimum = 1)]
    pub buffer_size: u32,
}

impl ConcurrencyAndBufferSize {
    pub(super) fn check(self, at: &Pointer) -> Result<(), Invalid> {
        if self.concurrency == 0 {
            return Err(Invalid::at(at.member("concurrency"), "concurrency must be greater than 0"));
        }
        if self.buffer_size < self.concurrency {
            let message = "buffer_size must not be less than concurrency";
            return Err(Invalid::at(at.member("buffer_size"), message));
        }
        Ok(())
    }
}

/// What a provider of your own is like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomProviderConfig {
    /// The known provider whose paths it has, such as `openai`.
    pub base_provider_type: String,
    /// True: it needs no key, and gets none.
    #[serde(default)]
    pub is_key_less: bool,
    /// The kinds of requests that it takes: with this, only those that are true, such as `chat_completion` and
    /// `chat_completion_stream`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub allowed_requests: Option<BTreeMap<String, bool>>,
}

/// The most kinds of requests, and the longest name of one.
const MOST_KINDS: usize = 64;
const LONGEST_KIND: usize = 64;

impl CustomProviderConfig {
    /// Whether the provider takes this kind of request.
    #[must_use]
    pub fn takes(&self, kind: &str) -> bool {
        self.allowed_requests.as_ref().is_none_or(|kinds| kinds.get(kind).copied().unwrap_or(false))
    }

    pub(super) fn check(&self, at: &Pointer) -> Result<(), Invalid> {
        if !KnownProvider::dialects().any(|name| name == self.base_provider_type) {
            let names: Vec<&str> = KnownProvider::dialects().collect();
            let message = format!("base_provider_type must be one of {}", names.join(", "));
            return Err(Invalid::at(at.member("base_provider_type"), message));
        }
        let kinds = self.allowed_requests.iter().flatten();
        let unusual = |name: &str| {
            name.len() > LONGEST_KIND || name.is_empty() || !name.bytes().all(|b| b == b'_' || b.is_ascii_lowercase())
        };
        if kinds.clone().count() > MOST_KINDS || kinds.clone().any(|(name, _)| unusual(name)) {
            let message = "allowed_requests has kinds of requests such as chat_completion, and for each true or false";
            return Err(Invalid::at(at.member("allowed_requests"), message));
        }
        Ok(())
    }
}

/// The proxy that requests to a provider would go through. Keyward uses none: any but `none` is refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProxyConfig {
    /// `none`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
    /// Nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_cert_pem: Option<String>,
}

impl ProxyConfig {
    pub(super) fn check(&self, at: &Pointer) -> Result<(), Invalid> {
        if matches!(self.kind.as_str(), "" | "none") && self.url.as_deref().is_none_or(str::is_empty) {
            return Ok(());
        }
        Err(Invalid::at(at.member("type"), "proxy_config is not supported: requests to providers use no proxy"))
    }
}

/// Whether the gateway can send requests to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderStatus {
    /// Requests can be sent.
    Active,
    /// Requests are refused: the provider has no usable address, or is one that Keyward cannot call yet.
    Error,
}
