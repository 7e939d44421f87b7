//! What a caller of the management API presents: a password, the token of a session, or a management key.

use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderMap};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use keyward_core::secret::MANAGEMENT_KEY_PREFIX;
use secrecy::SecretString;

/// How the token of every session begins.
pub(crate) const SESSION_PREFIX: &str = "kws-";
/// The cookie that has it.
pub(crate) const SESSION_COOKIE: &str = "token";

/// What a caller presents. The first place that has something decides.
#[derive(Debug)]
pub(crate) enum Presented {
    /// User name and password.
    Password(String, SecretString),
    /// The token of a session.
    Session {
        /// The token.
        token: SecretString,
        /// True: a browser has sent it by itself, so it says nothing about who wants the request.
        by_cookie: bool,
    },
    /// A management key.
    ManagementKey(SecretString),
    /// Something else.
    Unknown,
    /// Nothing.
    Nothing,
}

impl Presented {
    /// What the headers of a request present.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |name| {
            headers.get(name).map(|value: &actix_web::http::header::HeaderValue| value.to_str().unwrap_or_default())
        };
        if let Some(authorization) = text(AUTHORIZATION) {
            return Self::authorization(authorization);
        }
        let api_key = headers.get("x-api-key").and_then(|value| value.to_str().ok());
        if let Some(key) = api_key.filter(|key| is_management_key(key)) {
            return Self::ManagementKey(key.into());
        }
        match text(COOKIE).and_then(cookie) {
            Some(token) => Self::Session { token: token.into(), by_cookie: true },
            None => Self::Nothing,
        }
    }

    fn authorization(text: &str) -> Self {
        let (scheme, value) = text.split_once(' ').unwrap_or((text, ""));
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("basic") {
            return password(value);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Self::Unknown;
        }
        if is_management_key(value) {
            Self::ManagementKey(value.into())
        } else if value.starts_with(SESSION_PREFIX) {
            Self::Session { token: value.into(), by_cookie: false }
        } else {
            // The older API's way.
            password(value)
        }
    }
}

/// Whether a text looks like a management key's secret.
pub(crate) fn is_management_key(text: &str) -> bool {
    let prefix = text.get(..MANAGEMENT_KEY_PREFIX.len());
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(MANAGEMENT_KEY_PREFIX))
}

fn password(encoded: &str) -> Presented {
    let decoded = BASE64_STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((username, password)) => Presented::Password(username.to_owned(), password.into()),
        None => Presented::Unknown,
    }
}

fn cookie(header: &str) -> Option<&str> {
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs
        .into_iter()
        .find(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn shown(name: &'static str, value: &str) -> String {
        use secrecy::ExposeSecret as _;
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        match Presented::of(&headers) {
            Presented::Password(name, password) => format!("{name} {}", password.expose_secret()),
            Presented::Session { token, by_cookie } => format!("session {} {by_cookie}", token.expose_secret()),
            Presented::ManagementKey(key) => format!("key {}", key.expose_secret()),
            Presented::Unknown => "unknown".to_owned(),
            Presented::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn each_way_to_present_a_credential_is_read() {
        let pair = BASE64_STANDARD.encode("admin:a:b");
        for (name, value, expected) in [
            ("authorization", format!("Basic {pair}"), "admin a:b"),
            ("authorization", format!("bearer {pair}"), "admin a:b"),
            ("authorization", "Bearer kws-1".to_owned(), "session kws-1 false"),
            ("authorization", "Bearer sk-kw-1".to_owned(), "key sk-kw-1"),
            ("authorization", "Bearer sk-bf-1".to_owned(), "unknown"),
            ("authorization", "Basic %%%".to_owned(), "unknown"),
            ("authorization", String::new(), "unknown"),
            ("x-api-key", "sk-kw-1".to_owned(), "key sk-kw-1"),
            ("x-api-key", "sk-bf-1".to_owned(), "nothing"),
            ("cookie", "a=b; token=kws-1; token=kws-2".to_owned(), "session kws-1 true"),
            ("cookie", "mytoken=kws-1; token=".to_owned(), "nothing"),
        ] {
            assert_eq!(shown(name, &value), expected, "{name}: {value}");
        }
    }
}
