//! AWS's token service: an account's keys for those of a role's session.

use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use roxmltree::Document;

use super::cache::Fresh;
use super::error::CredentialError;
use super::exchange::{Answer, ask};
use super::sigv4::{AwsKeys, AwsSigner};
use crate::gateway::UpstreamClient;
use crate::pieces::Pieces;

/// What our sessions are called in the account's logs.
const SESSION: &str = "keyward";

/// A role that is assumed.
#[derive(Debug)]
pub(super) struct AwsRole {
    url: String,
    arn: String,
    own: AwsSigner,
}

impl AwsRole {
    pub(super) fn new(url: String, arn: String, keys: AwsKeys, region: String) -> Result<Self, CredentialError> {
        Ok(Self { url, arn, own: AwsSigner::new(keys, region, "sts")? })
    }

    pub(super) async fn exchange(
        &self,
        client: &UpstreamClient,
        now: Timestamp,
    ) -> Result<Fresh<AwsKeys>, CredentialError> {
        let fields =
            [("Action", "AssumeRole"), ("Version", "2011-06-15"), ("RoleArn", &self.arn), ("RoleSessionName", SESSION)];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = http::Request::post(&self.url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .body(Pieces::whole(body));
        let mut request = request.map_err(|_| CredentialError::Unsendable)?;
        self.own.sign(&mut request, now)?;
        session(&ask(client, request).await?)
    }
}

/// The session in an answer.
fn session(answer: &Answer) -> Result<Fresh<AwsKeys>, CredentialError> {
    let text = std::str::from_utf8(&answer.body).ok();
    let document = text.and_then(|text| Document::parse(text).ok());
    let found = |parent: &str, name: &str| {
        let parent = document.as_ref()?.descendants().find(|node| node.tag_name().name() == parent)?;
        parent.children().find(|node| node.tag_name().name() == name)?.text().map(str::trim)
    };
    if !answer.status.is_success() {
        return Err(CredentialError::refused(answer.status.as_u16(), found("Error", "Code")));
    }
    let of_session = |name| found("Credentials", name).filter(|text| !text.is_empty()).ok_or(CredentialError::Unusable);
    let token = AwsKeys {
        access_key: of_session("AccessKeyId")?.into(),
        secret_key: of_session("SecretAccessKey")?.into(),
        session_token: Some(of_session("SessionToken")?.into()),
    };
    let expires_at = of_session("Expiration")?.parse().map_err(|_| CredentialError::Unusable)?;
    Ok(Fresh { token, expires_at })
}

#[cfg(test)]
mod tests;
