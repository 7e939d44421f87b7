//! How a provider is reached: its address, how long to wait, and what else is sent to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::header;
use crate::base_url::BaseUrl;
use crate::duration::Milliseconds;
use crate::invalid::{Invalid, Pointer};
use crate::patch::Patch;
use crate::secret::{SecretDraft, SecretSource};

/// How a provider is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct NetworkConfig {
    /// The origin, such as `https://api.openai.com`; known providers have one built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub base_url: Option<BaseUrl>,
    /// Headers that every request to the provider gets. What looks like a secret is redacted; `env.NAME` is a reference.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra_headers: BTreeMap<String, String>,
    /// How long to wait for an answer to begin, and between two pieces of a stream, in seconds. 300 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 3600)]
    pub default_request_timeout_in_seconds: Option<u16>,
    /// How often a request is sent again when the provider fails before its answer has begun. Each try is charged on its own. 0
    /// unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, maximum = 10)]
    pub max_retries: Option<u8>,
    /// The most milliseconds before the first retry; it doubles with each. The wait is a random part of it. 500 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub retry_backoff_initial: Option<Milliseconds>,
    /// The most milliseconds between two tries, also when the provider says when to come back. 5000 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub retry_backoff_max: Option<Milliseconds>,
}

/// How a provider is reached, as requests give it: what is absent stays, null clears.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkConfigInput {
    /// The origin, such as `https://api.openai.com`; known providers have one built in. A trailing `/v1` is understood.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub base_url: Patch<BaseUrl>,
    /// Headers that every request to the provider gets, the full set. `env.NAME` is a variable of the server's environment.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<BTreeMap<String, SecretSource>>)]
    pub extra_headers: Patch<BTreeMap<String, SecretSource>>,
    /// How long to wait for an answer to begin, and between two pieces of a stream, in seconds. 300 unless given.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 3600)]
    pub default_request_timeout_in_seconds: Patch<u16>,
    /// How often a request is sent again when the provider fails before its answer has begun. Each try is charged on its own. 0
    /// unless given.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<u8>, maximum = 10)]
    pub max_retries: Patch<u8>,
    /// The most before the first retry: milliseconds, or a Go duration such as `500ms`. It doubles with each. The wait is a random
    /// part of it. 500 ms unless given.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Milliseconds>)]
    pub retry_backoff_initial: Patch<Milliseconds>,
    /// The most between two tries, also when the provider says when to come back: milliseconds, or a Go duration such as `5s`. 5 s
    /// unless given.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Milliseconds>)]
    pub retry_backoff_max: Patch<Milliseconds>,
    /// Certificates are always checked: true is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insecure_skip_verify: Option<bool>,
    /// Certificates are checked against those that the server's machine trusts: one of your own is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_cert_pem: Option<SecretSource>,
}

/// How a provider is reached, as it shall be stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkDraft {
    /// Everything but the headers, which are empty here.
    pub config: NetworkConfig,
    /// Headers that every request to the provider gets.
    pub extra_headers: BTreeMap<String, SecretDraft>,
}

/// The most retries that can be asked for.
const MOST_RETRIES: u8 = 10;

impl NetworkConfigInput {
    /// A provider at this address, with nothing else set.
    #[must_use]
    pub fn at(base_url: BaseUrl) -> Self {
        Self { base_url: base_url.into(), ..Self::default() }
    }

    /// What the request makes of `before`. Its members are at `at`.
    pub(super) fn edit(self, before: &NetworkConfig, at: &Pointer) -> Result<NetworkDraft, Invalid> {
        self.check(at)?;
        let before = before.clone();
        Ok(NetworkDraft {
            extra_headers: header::edit(self.extra_headers, &before.extra_headers, &at.member("extra_headers"))?,
            config: NetworkConfig {
                base_url: self.base_url.or_keep(before.base_url),
                extra_headers: BTreeMap::new(),
                default_request_timeout_in_seconds: self
                    .default_request_timeout_in_seconds
                    .or_keep(before.default_request_timeout_in_seconds),
                max_retries: self.max_retries.or_keep(before.max_retries),
                retry_backoff_initial: self.retry_backoff_initial.or_keep(before.retry_backoff_initial),
                retry_backoff_max: self.retry_backoff_max.or_keep(before.retry_backoff_max),
            },
        })
    }

    fn check(&self, at: &Pointer) -> Result<(), Invalid> {
        let refuse = |name: &str, message: String| Err(Invalid::at(at.member(name), message));
        if matches!(self.default_request_timeout_in_seconds, Patch::Value(0 | 3601..)) {
            let name = "default_request_timeout_in_seconds";
            return refuse(name, format!("{name} must lie between 1 and 3600"));
        }
        if matches!(self.max_retries, Patch::Value(retries) if retries > MOST_RETRIES) {
            return refuse("max_retries", format!("max_retries must be at most {MOST_RETRIES}"));
        }
        if self.insecure_skip_verify == Some(true) {
            let message = "insecure_skip_verify is not supported: certificates are always checked";
            return refuse("insecure_skip_verify", message.to_owned());
        }
        if self.ca_cert_pem.as_ref().is_some_and(|pem| *pem != SecretSource::Literal(String::new())) {
            let message = "ca_cert_pem is not supported: let the server's machine trust the certificate";
            return refuse("ca_cert_pem", message.to_owned());
        }
        Ok(())
    }
}
