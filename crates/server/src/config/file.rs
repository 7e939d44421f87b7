//! The configuration file: JSON, every member optional, unknown ones refused.

use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;

use super::ConfigError;

/// A configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) server: Server,
    pub(super) governance: Governance,
}

/// How the server runs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    pub(super) listen: Option<SocketAddr>,
    pub(super) database_url: Option<String>,
    pub(super) max_management_body_bytes: usize,
    pub(super) max_gateway_body_bytes: usize,
    pub(super) reveal_virtual_keys: RevealVirtualKeys,
    pub(super) block_private_upstreams: bool,
    pub(super) unpriced_models: UnpricedModels,
    pub(super) shutdown_timeout_seconds: u64,
    pub(super) drain_after_cancel_seconds: u64,
    pub(super) session_idle_limit_seconds: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: None,
            database_url: None,
            max_management_body_bytes: 10 * 1024 * 1024,
            max_gateway_body_bytes: 32 * 1024 * 1024,
            reveal_virtual_keys: RevealVirtualKeys::Always,
            block_private_upstreams: false,
            unpriced_models: UnpricedModels::Refuse,
            shutdown_timeout_seconds: 30,
            drain_after_cancel_seconds: 30,
            session_idle_limit_seconds: 7 * 24 * 60 * 60,
        }
    }
}

/// Whether list and get answer with virtual keys' secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevealVirtualKeys {
    /// Always, as the compatible API does.
    Always,
    /// Only when a key is made; afterwards it is redacted.
    OnCreate,
}

/// What to do with a model without a price when a budget covers the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnpricedModels {
    /// Refuse it: what has no price cannot be held.
    Refuse,
    /// Take it as free of charge.
    Free,
}

/// The part that the compatible API's file calls so.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Governance {
    pub(super) auth_config: AuthConfig,
}

/// Who may manage.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AuthConfig {
    pub(super) is_enabled: Option<bool>,
    pub(super) admin_username: Option<String>,
    pub(super) admin_password: Option<String>,
}

impl std::fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthConfig").field("is_enabled", &self.is_enabled).finish_non_exhaustive()
    }
}

/// Reads a configuration file.
pub(super) fn read(path: &Path) -> Result<File, ConfigError> {
    let text = std::fs::read(path).map_err(|error| ConfigError::Unreadable(path.to_owned(), error))?;
    crate::json::parse(&text).map_err(|error| {
        let detail = error.body("").error;
        let pointer = if detail.param.is_empty() { "/".to_owned() } else { detail.param };
        ConfigError::Malformed { path: path.to_owned(), pointer, message: detail.message }
    })
}
