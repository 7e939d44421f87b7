//! Asking a token endpoint: one POST or GET, bounded in time and length, to where tokens may be asked for.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, Limited};
use jiff::{SignedDuration, Timestamp};
use keyward_core::base_url::BaseUrl;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::cache::Fresh;
use super::error::CredentialError;
use crate::gateway::UpstreamClient;
use crate::pieces::Pieces;
use crate::upstreams::is_private;

/// How long an exchange may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const LONGEST: usize = 64 * 1024;
/// The longest life of a token that is believed.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Where tokens come from, as far as that is this server's and not a key's to say.
#[derive(Debug, Clone)]
pub(crate) struct TokenEndpoints {
    /// Microsoft Entra's origin; none: the world's own.
    pub(crate) entra: Option<BaseUrl>,
    /// The origin of AWS's token service; none: the region's own.
    pub(crate) sts: Option<BaseUrl>,
    /// The file of Google's application default credentials.
    pub(crate) application_credentials: Option<PathBuf>,
    /// True: the metadata server of Google's machines may be asked for the machine's own token.
    pub(crate) allow_metadata: bool,
    /// True: private addresses are not permitted.
    pub(crate) block_private: bool,
}

impl TokenEndpoints {
    /// A URL that came with a credential, when tokens may be asked for there: over TLS; on this machine also without, unless
    /// private addresses are not permitted.
    pub(super) fn permitted(&self, text: &str) -> Result<String, CredentialError> {
        let base: BaseUrl = text.parse().map_err(|_| CredentialError::Forbidden)?;
        let url = Url::parse(text).map_err(|_| CredentialError::Forbidden)?;
        let is_loopback = base.literal_address().is_some_and(|address| address.is_loopback());
        let is_safe = url.scheme() == "https" || is_loopback;
        match is_safe && !(self.block_private && is_private(&base)) {
            true => Ok(url.into()),
            false => Err(CredentialError::Forbidden),
        }
    }
}

/// An answer, whole.
pub(super) struct Answer {
    pub(super) status: http::StatusCode,
    pub(super) body: Bytes,
}

/// Sends a request to a token endpoint.
pub(super) async fn ask(client: &UpstreamClient, request: http::Request<Pieces>) -> Result<Answer, CredentialError> {
    let asked = async {
        let response = client.send(request).await.map_err(|_| CredentialError::Unreachable)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LONGEST).collect().await.map_err(|_| CredentialError::Unusable)?;
        Ok(Answer { status: head.status, body: body.to_bytes() })
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err(CredentialError::TimedOut))
}

/// Sends a form.
pub(super) async fn post_form(
    client: &UpstreamClient,
    url: &str,
    fields: &[(&str, &str)],
) -> Result<Answer, CredentialError> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = http::Request::post(url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("accept", "application/json")
        .body(Pieces::whole(body));
    ask(client, request.map_err(|_| CredentialError::Unsendable)?).await
}

/// What OAuth's token endpoints answer with.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: Seconds,
}

/// Some endpoints write the number as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(i64),
    Text(String),
}

#[derive(Deserialize)]
struct TokenRefusal {
    error: String,
    /// Entra's own.
    #[serde(default)]
    error_codes: Vec<u64>,
}

/// The token in an answer of OAuth.
pub(super) fn token(answer: &Answer, now: Timestamp) -> Result<Fresh<SecretString>, CredentialError> {
    if !answer.status.is_success() {
        let code = serde_json::from_slice(&answer.body).ok().map(|TokenRefusal { error, error_codes }| {
            error_codes.first().map_or(error.clone(), |number| format!("{error}.{number}"))
        });
        return Err(CredentialError::refused(answer.status.as_u16(), code.as_deref()));
    }
    let TokenAnswer { access_token, expires_in } =
        serde_json::from_slice(&answer.body).map_err(|_| CredentialError::Unusable)?;
    let seconds = match expires_in {
        Seconds::Number(seconds) => seconds,
        Seconds::Text(text) => text.parse().map_err(|_| CredentialError::Unusable)?,
    };
    let life = SignedDuration::from_secs(seconds.max(0)).min(LONGEST_LIFE);
    let expires_at = now.checked_add(life).map_err(|_| CredentialError::Unusable)?;
    match access_token.is_empty() {
        true => Err(CredentialError::Unusable),
        false => Ok(Fresh { token: access_token.into(), expires_at }),
    }
}
