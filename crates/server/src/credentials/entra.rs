//! Microsoft Entra: a client's id and secret for a token (OAuth's client credentials).

use jiff::Timestamp;
use keyward_core::base_url::BaseUrl;
use secrecy::{ExposeSecret, SecretString};

use super::cache::Fresh;
use super::error::CredentialError;
use super::exchange::{post_form, token};
use crate::gateway::UpstreamClient;

/// Where tenants are, unless it is configured.
const AUTHORITY: &str = "https://login.microsoftonline.com";
/// The scope of Azure's AI services, unless a key names others.
pub(super) const DEFAULT_SCOPE: &str = "https://cognitiveservices.azure.com/.default";

/// A client of a tenant.
#[derive(Debug)]
pub(super) struct EntraClient {
    url: String,
    client_id: SecretString,
    client_secret: SecretString,
    scope: String,
}

impl EntraClient {
    pub(super) fn new(
        authority: Option<&BaseUrl>,
        tenant: &str,
        (client_id, client_secret): (SecretString, SecretString),
        scopes: &[String],
    ) -> Result<Self, CredentialError> {
        let is_tenant = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if tenant.is_empty() || !tenant.bytes().all(is_tenant) {
            return Err(CredentialError::Malformed("tenant_id", "it is neither an id nor a domain"));
        }
        let scope = if scopes.is_empty() { DEFAULT_SCOPE.to_owned() } else { scopes.join(" ") };
        let path = format!("/{tenant}/oauth2/v2.0/token");
        let url = authority.map_or_else(|| format!("{AUTHORITY}{path}"), |authority| authority.join(&path));
        Ok(Self { url, client_id, client_secret, scope })
    }

    pub(super) async fn exchange(
        &self,
        client: &UpstreamClient,
        now: Timestamp,
    ) -> Result<Fresh<SecretString>, CredentialError> {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.expose_secret()),
            ("client_secret", self.client_secret.expose_secret()),
            ("scope", &self.scope),
        ];
        token(&post_form(client, &self.url, &fields).await?, now)
    }
}
