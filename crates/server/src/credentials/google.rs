//! Google: a service account's signed statement, a user's refresh token, or the machine's own identity, for a token.

use std::path::PathBuf;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::cache::Fresh;
use super::error::CredentialError;
use super::exchange::{TokenEndpoints, ask, post_form, token};
use crate::gateway::UpstreamClient;
use crate::pieces::Pieces;

mod statement;

use statement::Signatory;

/// Where tokens are when a credential does not say so.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// Where the machine's own token is. The address is written out: names that lead there are refused everywhere.
const METADATA: &str = "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token";

/// Who a token is for.
#[derive(Debug)]
pub(super) enum Google {
    /// The one in a credential.
    Account(Account),
    /// Whom the file of application default credentials names at the time.
    File(PathBuf, TokenEndpoints),
    /// The machine.
    Machine,
}

/// An account that a credential is of.
#[derive(Debug)]
pub(super) enum Account {
    /// A service account, by its private key.
    Service(Signatory),
    /// A user, by a refresh token.
    User { token_uri: String, client_id: String, client_secret: SecretString, refresh_token: SecretString },
}

/// A file of credentials, as Google's console and command line write it.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum File {
    ServiceAccount {
        client_email: String,
        private_key: String,
        private_key_id: Option<String>,
        token_uri: Option<String>,
    },
    AuthorizedUser {
        client_id: String,
        client_secret: String,
        refresh_token: String,
        token_uri: Option<String>,
    },
    #[serde(other)]
    Other,
}

impl Account {
    /// Reads a credential.
    pub(super) fn parse(text: &SecretString, endpoints: &TokenEndpoints) -> Result<Self, CredentialError> {
        let malformed = |why| CredentialError::Malformed("auth_credentials", why);
        let file = serde_json::from_str(text.expose_secret())
            .map_err(|_| malformed("it is not the JSON of a service account or a user"))?;
        let permitted = |uri: Option<String>| endpoints.permitted(uri.as_deref().unwrap_or(TOKEN_URI));
        match file {
            File::ServiceAccount { client_email, private_key, private_key_id, token_uri } => {
                let private_key = SecretString::from(private_key);
                let signatory = Signatory::new(client_email, &private_key, private_key_id, permitted(token_uri)?);
                Ok(Self::Service(signatory.ok_or_else(|| malformed("its private_key is not an RSA key"))?))
            }
            File::AuthorizedUser { client_id, client_secret, refresh_token, token_uri } => Ok(Self::User {
                token_uri: permitted(token_uri)?,
                client_id,
                client_secret: client_secret.into(),
                refresh_token: refresh_token.into(),
            }),
            File::Other => Err(malformed("only service accounts and users are supported")),
        }
    }

    async fn exchange(&self, client: &UpstreamClient, now: Timestamp) -> Result<Fresh<SecretString>, CredentialError> {
        let answer = match self {
            Self::Service(signatory) => {
                let statement = signatory.statement(now)?;
                let grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
                let fields = [("grant_type", grant_type), ("assertion", statement.expose_secret())];
                post_form(client, signatory.token_uri(), &fields).await?
            }
            Self::User { token_uri, client_id, client_secret, refresh_token } => {
                let fields = [
                    ("grant_type", "refresh_token"),
                    ("client_id", client_id),
                    ("client_secret", client_secret.expose_secret()),
                    ("refresh_token", refresh_token.expose_secret()),
                ];
                post_form(client, token_uri, &fields).await?
            }
        };
        token(&answer, now)
    }
}

impl Google {
    /// Whom the machine's surroundings say that we are.
    pub(super) fn ambient(endpoints: &TokenEndpoints) -> Result<Self, CredentialError> {
        match &endpoints.application_credentials {
            Some(path) => Ok(Self::File(path.clone(), endpoints.clone())),
            None if endpoints.allow_metadata => Ok(Self::Machine),
            None => Err(CredentialError::Missing("auth_credentials, and there are no application default credentials")),
        }
    }

    pub(super) async fn exchange(
        &self,
        client: &UpstreamClient,
        now: Timestamp,
    ) -> Result<Fresh<SecretString>, CredentialError> {
        match self {
            Self::Account(account) => account.exchange(client, now).await,
            Self::File(path, endpoints) => {
                let path = path.clone();
                let text = tokio::task::spawn_blocking(move || std::fs::read_to_string(path))
                    .await
                    .unwrap_or(Err(std::io::ErrorKind::Interrupted.into()))
                    .map_err(|error| CredentialError::Unreadable(error.kind()))?;
                Account::parse(&text.into(), endpoints)?.exchange(client, now).await
            }
            Self::Machine => {
                let request = http::Request::get(METADATA).header("metadata-flavor", "Google").body(Pieces::default());
                token(&ask(client, request.map_err(|_| CredentialError::Unsendable)?).await?, now)
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
