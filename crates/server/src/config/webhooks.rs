//! Webhooks: who is told of events, and the secret that proves who tells.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use keyward_core::event::{Endpoint, EventType};
use keyward_core::invalid::Pointer;
use keyward_core::secret::SecretSource;
use keyward_core::webhook_url::WebhookUrl;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::file::Reader;

/// How every secret of a webhook begins.
const SECRET_PREFIX: &str = "whsec_";
/// How many bytes a secret has, at least and at most.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Somebody who is told of events.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Where they are sent.
    pub url: WebhookUrl,
    /// What they are signed with.
    pub secret: WebhookSecret,
    /// Which of them; none: all.
    pub events: Option<Vec<EventType>>,
}

impl Webhook {
    /// The endpoint as the database knows it: by a digest of its URL, which may have a secret in it.
    pub(crate) fn endpoint(&self) -> Endpoint {
        let digest = Sha256::digest(self.url.expose());
        let id: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Endpoint { id: id.into(), origin: self.url.origin(), events: self.events.clone() }
    }
}

/// The secret of a webhook: signs what is sent.
#[derive(Clone)]
pub struct WebhookSecret(Hmac<Sha256>);

/// A text is no secret of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook's secret is whsec_ and the base64 text of 24 to 64 bytes")]
pub struct InvalidWebhookSecret;

impl WebhookSecret {
    /// The signature of a message, as the header `webhook-signature` has it.
    pub(crate) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mac = self.0.clone().chain_update(format!("{id}.{timestamp}.")).chain_update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl FromStr for WebhookSecret {
    type Err = InvalidWebhookSecret;

    fn from_str(text: &str) -> Result<Self, InvalidWebhookSecret> {
        let encoded = text.strip_prefix(SECRET_PREFIX).ok_or(InvalidWebhookSecret)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| InvalidWebhookSecret)?;
        let bytes = Some(bytes).filter(|bytes| SECRET_BYTES.contains(&bytes.len())).ok_or(InvalidWebhookSecret)?;
        Hmac::new_from_slice(&bytes).map(Self).map_err(|_| InvalidWebhookSecret)
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A webhook as the file has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookInput {
    url: WebhookUrl,
    secret: SecretSource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    events: Option<Vec<EventType>>,
}

/// Looks the secrets up. `block_private`: webhooks at private addresses are refused.
pub(super) fn read(inputs: Vec<WebhookInput>, block_private: bool, reader: &mut Reader) -> Vec<Webhook> {
    let section = Pointer::from("server").member("webhooks");
    let mut webhooks: Vec<Webhook> = Vec::new();
    for (index, WebhookInput { url, secret, events }) in inputs.into_iter().enumerate() {
        let at = section.element(index);
        if block_private && url.is_private() {
            reader.error(&at.member("url"), "url must not be a private address: block_private_upstreams is on");
        }
        if webhooks.iter().any(|known| known.url == url) {
            reader.error(&at.member("url"), "another webhook has this url already");
        }
        let at = at.member("secret");
        let Some(secret) = reader.resolved(secret, &at) else { continue };
        match secret.expose_secret().parse() {
            Ok(secret) => webhooks.push(Webhook { url, secret, events }),
            Err(InvalidWebhookSecret) => reader.error(&at, InvalidWebhookSecret.to_string()),
        }
    }
    webhooks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's own tests.
    #[test]
    fn a_signature_is_the_one_that_others_compute() {
        let secret: WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(format!("{secret:?}"), "[redacted]");
    }

    #[test]
    fn a_secret_has_its_form() {
        for text in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64"] {
            assert_eq!(text.parse::<WebhookSecret>().unwrap_err(), InvalidWebhookSecret, "{text}");
        }
    }
}
