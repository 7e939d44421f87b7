//! What tokens are exchanged for, and the token that came of it last.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;

use super::Stamp;
use super::cache::{Fresh, TokenCache};
use super::entra::EntraClient;
use super::error::CredentialError;
use super::google::Google;
use super::sigv4::AwsSigner;
use super::sts::AwsRole;
use crate::gateway::UpstreamClient;

/// What a token is exchanged for.
#[derive(Debug)]
pub(super) enum Grant {
    Entra(EntraClient),
    Google(Google),
    /// A role, and the region and the service to sign for in its name.
    Role(AwsRole, String, &'static str),
}

/// A grant with its token.
#[derive(Debug)]
pub(crate) struct Exchanged {
    grant: Grant,
    /// A digest of everything that the grant is made of.
    made_of: [u8; 32],
    tokens: TokenCache<Stamp>,
}

impl Exchanged {
    pub(super) fn new(grant: Grant, made_of: [u8; 32]) -> Self {
        Self { grant, made_of, tokens: TokenCache::default() }
    }

    /// True when both would ask for the same token.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.made_of == other.made_of
    }

    /// The stamp of the present token.
    pub(super) async fn stamp(&self, client: &UpstreamClient, now: Timestamp) -> Result<Stamp, CredentialError> {
        self.tokens.get(now, async || self.grant.exchange(client, now).await).await
    }
}

impl Grant {
    async fn exchange(&self, client: &UpstreamClient, now: Timestamp) -> Result<Fresh<Stamp>, CredentialError> {
        match self {
            Self::Entra(entra) => bearer(entra.exchange(client, now).await?),
            Self::Google(google) => bearer(google.exchange(client, now).await?),
            Self::Role(role, region, service) => {
                let Fresh { token, expires_at } = role.exchange(client, now).await?;
                let signer = AwsSigner::new(token, region.clone(), service)?;
                Ok(Fresh { token: Stamp::Aws(Arc::new(signer)), expires_at })
            }
        }
    }
}

fn bearer(fresh: Fresh<SecretString>) -> Result<Fresh<Stamp>, CredentialError> {
    Ok(Fresh { token: Stamp::bearer(&fresh.token)?, expires_at: fresh.expires_at })
}
