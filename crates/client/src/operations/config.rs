//! Operations on the server's configuration.

use keyward_core::server_config::{ServerConfig, UpdateConfig};

use crate::client::Client;
use crate::error::Error;

const CONFIG: [&str; 2] = ["api", "config"];

impl Client {
    /// Reads the server's configuration.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn config_get(&self) -> Result<ServerConfig, Error> {
        self.get("config_get", &CONFIG).await
    }

    /// Edits the server's configuration: what is absent stays.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn config_update(&self, request: &UpdateConfig) -> Result<ServerConfig, Error> {
        self.put("config_update", &CONFIG, request).await
    }
}
