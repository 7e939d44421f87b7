//! The server's configuration as the API has put it.

use jiff::Timestamp;
use keyward_core::change::Change;
use keyward_core::invalid::Invalid;
use keyward_core::server_config::{AuthConfig, ClientConfig, ConfigSource, REDACTED, RotationCooldown, ServerConfig};
use sha2::{Digest as _, Sha256};

use super::{Database, Store};
use crate::error::StoreError;

/// What the API has said about the server's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigRecord {
    /// How long a rotated virtual key's old secret stays valid.
    pub rotation_cooldown: RotationCooldown,
    /// The origins whose web pages may call the management API.
    pub allowed_origins: Vec<String>,
    /// Who may manage; none: the API has not said it.
    pub auth: Option<StoredAuth>,
    /// When it was last edited.
    pub updated_at: Timestamp,
}

/// Who may manage, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAuth {
    /// Whether managing needs a credential.
    pub is_enabled: bool,
    /// The administrator's name.
    pub username: Option<String>,
    /// The password to it.
    pub password: Option<StoredPassword>,
}

/// A password, as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub enum StoredPassword {
    /// Its Argon2id hash in the PHC string format.
    Hash(String),
    /// The name of the environment variable that has it.
    Variable(String),
}

impl std::fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hash(_) => f.write_str("[hash]"),
            Self::Variable(name) => write!(f, "env.{name}"),
        }
    }
}

impl StoredPassword {
    /// What answers show of it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Hash(_) => REDACTED.to_owned(),
            Self::Variable(name) => format!("env.{name}"),
        }
    }
}

impl ConfigRecord {
    /// Tells what the API has said about who may manage from everything else that it could have said.
    ///
    /// # Errors
    /// Only faults.
    pub fn auth_stamp(&self) -> Result<[u8; 32], StoreError> {
        let said = self.auth.as_ref().map(|StoredAuth { is_enabled, username, password }| {
            let password = password.as_ref().map(|password| match password {
                StoredPassword::Hash(hash) => ("hash", hash),
                StoredPassword::Variable(name) => ("variable", name),
            });
            (is_enabled, username, password)
        });
        Ok(Sha256::digest(serde_json::to_vec(&said).map_err(StoreError::internal)?).into())
    }

    /// What answers and the audit log show of it.
    #[must_use]
    pub fn shown(&self) -> ServerConfig {
        let auth = self.auth.as_ref();
        let password = auth.and_then(|auth| auth.password.as_ref());
        ServerConfig {
            client_config: ClientConfig::new(self.rotation_cooldown, self.allowed_origins.clone()),
            auth_config: AuthConfig {
                is_enabled: auth.is_some_and(|auth| auth.is_enabled),
                admin_username: auth.and_then(|auth| auth.username.clone()).unwrap_or_default(),
                admin_password: password.map(StoredPassword::shown).unwrap_or_default(),
                disable_auth_on_inference: true,
                source: if auth.is_some() { ConfigSource::Database } else { ConfigSource::Default },
            },
            updated_at: self.updated_at,
        }
    }
}

impl Store {
    /// What the API has said about the server's configuration.
    ///
    /// # Errors
    /// Only faults.
    pub async fn config_get(&self) -> Result<ConfigRecord, StoreError> {
        reading!(self, |queries, c| queries::server_config::get(c))
    }

    /// Edits the configuration to what `edit` makes of it at the instant that it is given; nobody else changes it in between. Without
    /// a cooldown, no virtual key's old value is remembered any more.
    ///
    /// # Errors
    /// [`StoreError::Stale`], and what `edit` refuses.
    pub async fn config_update(
        &self,
        change: Change,
        edit: impl FnOnce(ConfigRecord, Timestamp) -> Result<ConfigRecord, Invalid> + Send + 'static,
    ) -> Result<ConfigRecord, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::server_config::update(c, &by, edit))
    }
}
