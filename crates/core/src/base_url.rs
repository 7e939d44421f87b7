//! Base URLs: where a provider is.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::address::AddressClass;

/// The origin of a provider, with an optional path prefix, without a trailing slash or `/v1`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(String);

/// Why a text is no base URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBaseUrl {
    /// Not a URL at all.
    #[error("base_url is not a URL: {0}")]
    Malformed(url::ParseError),
    /// Not reachable over HTTP.
    #[error("base_url must begin with http:// or https://")]
    Scheme,
    /// Credentials belong in a provider key; queries and fragments have no place.
    #[error("base_url must not have credentials, a query or a fragment")]
    Extras,
    /// Link-local and metadata addresses are never upstreams.
    #[error("base_url must not be a link-local or metadata address")]
    Forbidden,
}

impl BaseUrl {
    /// The plain HTTP origin at a socket address.
    #[must_use]
    pub fn of_address(address: SocketAddr) -> Self {
        Self(format!("http://{address}"))
    }

    /// The URL as text, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of `path`, which begins with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The host's address, when it is written as one.
    #[must_use]
    pub fn literal_address(&self) -> Option<IpAddr> {
        Url::parse(&self.0).ok().as_ref().and_then(literal_address)
    }
}

/// The address that a URL's host is written as.
pub(crate) fn literal_address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// Whether a URL's host, as it is written, hands out credentials of the machine.
pub(crate) fn is_forbidden(url: &Url) -> bool {
    // A name that ends in a dot is the same name.
    let name = url.host_str().map(|name| name.trim_end_matches('.'));
    let forbidden_name = name == Some("metadata.google.internal");
    forbidden_name || literal_address(url).map(AddressClass::of) == Some(AddressClass::Forbidden)
}

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidBaseUrl> {
        let url = Url::parse(text).map_err(InvalidBaseUrl::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidBaseUrl::Scheme);
        }
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        if has_credentials || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidBaseUrl::Extras);
        }
        if is_forbidden(&url) {
            return Err(InvalidBaseUrl::Forbidden);
        }
        let text = url.as_str().trim_end_matches('/');
        Ok(Self(text.strip_suffix("/v1").unwrap_or(text).to_owned()))
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = InvalidBaseUrl;

    fn try_from(text: String) -> Result<Self, InvalidBaseUrl> {
        text.parse()
    }
}

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> Self {
        url.0
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_or_version_is_understood() {
        for text in [
            "https://api.example.com",
            "https://api.example.com/",
            "https://api.example.com/v1",
            "https://api.example.com/v1/",
        ] {
            let url: BaseUrl = text.parse().unwrap();
            assert_eq!(url.join("/v1/chat/completions"), "https://api.example.com/v1/chat/completions");
        }
    }

    #[test]
    fn addresses_that_hand_out_credentials_are_refused_in_every_spelling() {
        for text in [
            "http://169.254.169.254",
            "http://0xA9FEA9FE/",
            "http://2852039166",
            "http://[::ffff:169.254.169.254]/",
            "http://[fe80::1]",
            "http://metadata.google.internal",
            "http://metadata.google.internal.",
        ] {
            assert_eq!(text.parse::<BaseUrl>(), Err(InvalidBaseUrl::Forbidden), "{text}");
        }
        assert_eq!("ftp://example.com".parse::<BaseUrl>(), Err(InvalidBaseUrl::Scheme));
        assert_eq!("https://u:p@example.com".parse::<BaseUrl>(), Err(InvalidBaseUrl::Extras));
        assert!("http://127.0.0.1:9".parse::<BaseUrl>().is_ok());
    }
}
