//! Providers: the upstreams, and the real credentials for them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::change::Versioned;
use crate::ids::ProviderName;

mod header;
mod key;
mod known;
mod network;
mod options;
mod requests;

pub use header::looks_secret;
pub use key::*;
pub use known::{DEMO_PROVIDER, KnownProvider};
pub use network::{NetworkConfig, NetworkConfigInput, NetworkDraft};
pub use options::{ConcurrencyAndBufferSize, CustomProviderConfig, ProviderStatus, ProxyConfig};
pub use requests::{CreateProvider, ProviderDraft, UpdateProvider};

/// An upstream that requests can be routed to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    /// The unique name, the first part of `provider/model`.
    pub name: ProviderName,
    /// How the provider is reached.
    pub network_config: NetworkConfig,
    /// How many requests the compatible product would have in flight and in its queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub concurrency_and_buffer_size: Option<ConcurrencyAndBufferSize>,
    /// Kept for clients of the compatible product: answers do not carry the request.
    pub send_back_raw_request: bool,
    /// Kept for clients of the compatible product: an answer is the provider's own in any case.
    pub send_back_raw_response: bool,
    /// Kept for clients of the compatible product: requests and answers are not stored.
    pub store_raw_request_response: bool,
    /// What a provider of your own is like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub custom_provider_config: Option<CustomProviderConfig>,
    /// Whether the gateway can send requests to it.
    pub provider_status: ProviderStatus,
    /// The outcome of the last listing of its models; empty, because nothing lists models.
    pub status: String,
    /// What the provider is for.
    pub description: String,
    /// The real credentials; secrets are redacted.
    pub keys: Vec<ProviderKey>,
    /// A hash of the configuration file's definition; empty for providers made through the API.
    pub config_hash: String,
    /// When the provider was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it or one of its keys was last edited.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Versioned for Provider {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}
