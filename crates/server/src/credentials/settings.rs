//! From a provider key's settings to its credential.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::header::HeaderName;
use keyward_core::provider::Setting;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::entra::EntraClient;
use super::error::CredentialError;
use super::exchange::TokenEndpoints;
use super::google::{Account, Google};
use super::grant::{Exchanged, Grant};
use super::sigv4::{AwsKeys, AwsSigner};
use super::sts::AwsRole;
use super::{Auth, Stamp, hidden};

/// The service that signatures of Bedrock's requests are for.
const BEDROCK: &str = "bedrock";

/// What a provider key has, each text itself.
#[derive(Debug)]
pub(crate) struct KeyTexts {
    pub(crate) secret: Option<SecretString>,
    pub(crate) settings: BTreeMap<Setting, SecretString>,
    /// Azure: the OAuth scopes to ask for.
    pub(crate) scopes: Vec<String>,
}

impl KeyTexts {
    /// What requests with this key show. `provider` is the one whose ways are followed.
    ///
    /// # Errors
    /// When something is missing or has no meaning.
    pub(crate) fn auth(&self, provider: &str, endpoints: &TokenEndpoints) -> Result<Auth, CredentialError> {
        match provider {
            "azure" => self.azure(endpoints),
            "vertex" => self.vertex(endpoints),
            "bedrock" => self.bedrock(endpoints),
            _ => Ok(self.secret.clone().map_or(Auth::Open, Auth::Secret)),
        }
    }

    fn azure(&self, endpoints: &TokenEndpoints) -> Result<Auth, CredentialError> {
        if let Some(secret) = &self.secret {
            let name = HeaderName::from_static("api-key");
            return Ok(Auth::Fixed(Stamp::Header(name, hidden(secret.expose_secret())?)));
        }
        let client = (
            self.needed(Setting::AzureClientId, "value, and no client_id")?.clone(),
            self.needed(Setting::AzureClientSecret, "client_secret")?.clone(),
        );
        let tenant = self.needed(Setting::AzureTenantId, "tenant_id")?.expose_secret();
        Ok(self.exchanged(Grant::Entra(EntraClient::new(endpoints.entra.as_ref(), tenant, client, &self.scopes)?)))
    }

    fn vertex(&self, endpoints: &TokenEndpoints) -> Result<Auth, CredentialError> {
        if let Some(credential) = self.settings.get(&Setting::VertexAuthCredentials) {
            return Ok(self.exchanged(Grant::Google(Google::Account(Account::parse(credential, endpoints)?))));
        }
        if let Some(secret) = &self.secret {
            let name = HeaderName::from_static("x-goog-api-key");
            return Ok(Auth::Fixed(Stamp::Header(name, hidden(secret.expose_secret())?)));
        }
        Ok(self.exchanged(Grant::Google(Google::ambient(endpoints)?)))
    }

    fn bedrock(&self, endpoints: &TokenEndpoints) -> Result<Auth, CredentialError> {
        if let Some(secret) = &self.secret {
            return Ok(Auth::Fixed(Stamp::bearer(secret)?));
        }
        let region = self.region()?;
        let keys = AwsKeys {
            access_key: self.needed(Setting::BedrockAccessKey, "value, and no access_key")?.clone(),
            secret_key: self.needed(Setting::BedrockSecretKey, "secret_key")?.clone(),
            session_token: self.settings.get(&Setting::BedrockSessionToken).cloned(),
        };
        let Some(role) = self.role() else {
            return Ok(Auth::Fixed(Stamp::Aws(Arc::new(AwsSigner::new(keys, region, BEDROCK)?))));
        };
        let url = endpoints
            .sts
            .as_ref()
            .map_or_else(|| format!("https://sts.{region}.{}/", domain(&region)), |origin| origin.join("/"));
        let role = AwsRole::new(url, role.to_owned(), keys, region.clone())?;
        Ok(self.exchanged(Grant::Role(role, region, BEDROCK)))
    }

    /// The region of a Bedrock key. It becomes part of a host's name.
    pub(crate) fn region(&self) -> Result<String, CredentialError> {
        let region = self.needed(Setting::BedrockRegion, "region")?.expose_secret();
        let is_region = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match !region.is_empty() && region.len() <= 32 && region.bytes().all(is_region) {
            true => Ok(region.to_owned()),
            false => Err(CredentialError::Malformed("region", "it is not the name of a region")),
        }
    }

    /// The role to assume: the ARN, when it is one of a role.
    fn role(&self) -> Option<&str> {
        self.settings.get(&Setting::BedrockArn).map(ExposeSecret::expose_secret).filter(|arn| is_role(arn))
    }

    fn needed(&self, setting: Setting, name: &'static str) -> Result<&SecretString, CredentialError> {
        self.settings.get(&setting).ok_or(CredentialError::Missing(name))
    }

    fn exchanged(&self, grant: Grant) -> Auth {
        Auth::Exchanged(Arc::new(Exchanged::new(grant, self.digest())))
    }

    /// Calls for every text that is a credential.
    pub(crate) fn each_secret(&self, call: &mut dyn FnMut(&str)) {
        let settings = self.settings.iter().filter(|(setting, _)| setting.is_secret()).map(|(_, text)| text);
        for text in self.secret.iter().chain(settings).map(ExposeSecret::expose_secret) {
            call(text);
        }
    }

    /// A digest of everything that the key is made of.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut add = |text: &str| {
            digest.update(text.len().to_le_bytes());
            digest.update(text);
        };
        add(self.secret.as_ref().map_or("", |secret| secret.expose_secret()));
        for (setting, text) in &self.settings {
            add(setting.flat());
            add(text.expose_secret());
        }
        self.scopes.iter().for_each(|scope| add(scope));
        digest.finalize().into()
    }
}

/// True for the ARN of a role; others stand for models.
pub(crate) fn is_role(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':').skip(2);
    parts.next() == Some("iam") && parts.nth(2).is_some_and(|resource| resource.starts_with("role/"))
}

/// The domain of AWS's services in a region.
pub(crate) fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

#[cfg(test)]
mod tests;
