//! Webhook URLs: where events are sent.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::address::AddressClass;
use crate::base_url::{is_forbidden, literal_address};

/// An address that events are sent to: over `https`, or over `http` on this machine or to a private address. Its path and query may be
/// a secret, so `Debug` shows the origin only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebhookUrl(Url);

/// Why a text is no webhook URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWebhookUrl {
    /// Not a URL at all.
    #[error("url is not a URL: {0}")]
    Malformed(url::ParseError),
    /// Not safe on the way there.
    #[error("url must begin with https://; http:// is for localhost, and for addresses that are loopback or private")]
    Scheme,
    /// The signature is the credential, and nobody would see the fragment.
    #[error("url must not have credentials or a fragment")]
    Extras,
    /// Link-local and metadata addresses are nobody's to be told anything.
    #[error("url must not be a link-local or metadata address")]
    Forbidden,
}

impl WebhookUrl {
    /// The URL as text. Do not log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Whether it is, as it is written, on this machine or in a private network.
    #[must_use]
    pub fn is_private(&self) -> bool {
        is_private(&self.0)
    }
}

fn is_private(url: &Url) -> bool {
    let name = url.host_str().map(|name| name.trim_end_matches('.')).unwrap_or_default();
    let is_here = name == "localhost" || name.ends_with(".localhost");
    is_here || literal_address(url).map(AddressClass::of) == Some(AddressClass::Private)
}

impl FromStr for WebhookUrl {
    type Err = InvalidWebhookUrl;

    fn from_str(text: &str) -> Result<Self, InvalidWebhookUrl> {
        let url = Url::parse(text).map_err(InvalidWebhookUrl::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidWebhookUrl::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(InvalidWebhookUrl::Extras);
        }
        if is_forbidden(&url) {
            return Err(InvalidWebhookUrl::Forbidden);
        }
        match url.scheme() == "https" || is_private(&url) {
            true => Ok(Self(url)),
            false => Err(InvalidWebhookUrl::Scheme),
        }
    }
}

impl TryFrom<String> for WebhookUrl {
    type Error = InvalidWebhookUrl;

    fn try_from(text: String) -> Result<Self, InvalidWebhookUrl> {
        text.parse()
    }
}

impl From<WebhookUrl> for String {
    fn from(url: WebhookUrl) -> Self {
        url.0.into()
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_in_private_networks() {
        let read = |text: &str| text.parse::<WebhookUrl>().map(|url| url.is_private());
        for private in
            ["http://127.0.0.1:9/x", "http://[::1]/", "http://10.1.2.3", "http://localhost:9", "https://10.1.2.3"]
        {
            assert_eq!(read(private), Ok(true), "{private}");
        }
        assert_eq!(read("https://hooks.example/x?token=1"), Ok(false));
        for public in ["http://hooks.example", "http://1.1.1.1", "ftp://127.0.0.1", "http://localhost.example"] {
            assert_eq!(read(public), Err(InvalidWebhookUrl::Scheme), "{public}");
        }
        for forbidden in
            ["http://169.254.169.254", "https://[::ffff:169.254.169.254]/", "https://metadata.google.internal."]
        {
            assert_eq!(read(forbidden), Err(InvalidWebhookUrl::Forbidden), "{forbidden}");
        }
        assert_eq!(read("https://u:p@hooks.example"), Err(InvalidWebhookUrl::Extras));
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        let url: WebhookUrl = "https://hooks.example:8443/services/T0/token?key=1".parse().unwrap();
        assert_eq!(format!("{url:?}"), "https://hooks.example:8443");
    }
}
