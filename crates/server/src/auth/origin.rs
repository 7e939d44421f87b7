//! Where a request comes from, as far as browsers and proxies tell: web pages must not manage on their own.

use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use keyward_core::error_code::ErrorCode;
use url::{Host, Url};

use crate::error::ApiError;

/// Headers that proxies add.
const FORWARDED: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/// Without an admin credential the server listens on loopback only, and any local program may manage it. A web page may
/// not: neither one of another origin, nor one whose name was pointed at loopback. And nobody may who comes through a proxy:
/// it would make strangers look local.
pub(super) fn same_machine(headers: &HeaderMap) -> Result<(), ApiError> {
    let refuse = |header: &str| {
        let message = "Without an admin credential only programs on this machine may manage the server";
        Err(ApiError::new(ErrorCode::ForbiddenOrigin, message).at(header))
    };
    if let Some(header) = FORWARDED.into_iter().find(|name| headers.contains_key(*name)) {
        return refuse(header);
    }
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return refuse("sec-fetch-site");
    }
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text(HOST), text(ORIGIN)) {
        (Some(host), _) if !is_loopback(&format!("http://{host}")) => refuse("host"),
        (Some(host), Some(origin)) if !is_at(origin, host) => refuse("origin"),
        (None, Some(_)) => refuse("origin"),
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

/// A cookie is sent by the browser whichever page asks for the request. So a change under a cookie needs the browser's word that
/// the page is the server's own, or one of an allowed origin.
pub(crate) fn same_origin(headers: &HeaderMap, allowed: &[String]) -> Result<(), ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (origin, site) = (text("origin"), text("sec-fetch-site"));
    if origin.is_some_and(|origin| allowed.iter().any(|known| known == origin)) {
        return Ok(());
    }
    let is_own = origin.zip(text("host")).is_some_and(|(origin, host)| is_at(origin, host));
    let is_proved = match (site, origin) {
        (Some(site), None) => site == "same-origin",
        (Some(site), Some(_)) => site == "same-origin" && is_own,
        (None, _) => is_own,
    };
    if is_proved {
        return Ok(());
    }
    let message = "A change that a web page asks for must come from the server's own pages or from an allowed origin";
    Err(ApiError::new(ErrorCode::ForbiddenOrigin, message).at("origin"))
}

/// A page of another origin must not log anybody in or out, or guess passwords from its reader's address.
pub(crate) fn not_foreign(headers: &HeaderMap, allowed: &[String]) -> Result<(), ApiError> {
    let says = |name: &str| headers.contains_key(name);
    let is_program = !says("origin") && headers.get("sec-fetch-site").is_none_or(|site| site == "none");
    if is_program { Ok(()) } else { same_origin(headers, allowed) }
}

/// Whether an origin is at this host and port. A proxy may speak TLS for the server, so the scheme does not count.
fn is_at(origin: &str, host: &str) -> bool {
    let Some((scheme, _)) = origin.split_once("://") else { return false };
    match (Url::parse(origin), Url::parse(&format!("{scheme}://{host}"))) {
        (Ok(origin), Ok(host)) => origin.host() == host.host() && origin.port() == host.port() && origin.has_host(),
        (Ok(_) | Err(_), Ok(_) | Err(_)) => false,
    }
}

/// Whether a URL is at this machine.
pub(crate) fn is_loopback(origin: &str) -> bool {
    Url::parse(origin).is_ok_and(|url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn nobody_comes_through_a_proxy() {
        for name in FORWARDED {
            assert!(same_machine(&headers(&[("host", "localhost"), (name, "203.0.113.7")])).is_err());
        }
    }

    #[test]
    fn web_pages_of_other_origins_are_kept_out() {
        for (host, origin, allowed) in [
            ("localhost:8080", None, true),
            ("localhost:8080", Some("http://localhost:8080"), true),
            ("localhost:8080", Some("http://localhost:3000"), false),
            ("127.0.0.1:8080", Some("http://localhost:8080"), false),
            ("[::1]:8080", None, true),
            ("localhost:8080", Some("https://evil.example"), false),
            ("localhost:8080", Some("null"), false),
            ("evil.example:8080", None, false),
            ("127.0.0.1.evil.example", None, false),
        ] {
            let mut pairs = vec![("host", host)];
            pairs.extend(origin.map(|origin| ("origin", origin)));
            assert_eq!(same_machine(&headers(&pairs)).is_ok(), allowed, "{host} {origin:?}");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_foreign_and_a_program_is_not() {
        for (origin, site, allowed) in [
            (None, None, true),
            (None, Some("none"), true),
            (None, Some("cross-site"), false),
            (None, Some("same-site"), false),
            (Some("https://kw.example"), Some("same-origin"), true),
            (Some("https://evil.example"), None, false),
        ] {
            let mut pairs = vec![("host", "kw.example")];
            pairs.extend(origin.map(|origin| ("origin", origin)));
            pairs.extend(site.map(|site| ("sec-fetch-site", site)));
            assert_eq!(not_foreign(&headers(&pairs), &[]).is_ok(), allowed, "{origin:?} {site:?}");
        }
    }

    #[test]
    fn a_change_under_a_cookie_needs_a_proof_of_origin() {
        let known = ["https://admin.example".to_owned()];
        for (origin, site, allowed) in [
            (Some("https://kw.example"), None, true),
            (Some("http://kw.example"), Some("same-origin"), true),
            (Some("https://admin.example"), Some("cross-site"), true),
            (None, Some("same-origin"), true),
            (None, None, false),
            (None, Some("none"), false),
            (None, Some("same-site"), false),
            (Some("https://evil.example"), None, false),
            (Some("https://evil.example"), Some("same-origin"), false),
            (Some("https://kw.example"), Some("cross-site"), false),
            (Some("https://kw.example:8443"), None, false),
            (Some("null"), None, false),
        ] {
            let mut pairs = vec![("host", "kw.example")];
            pairs.extend(origin.map(|origin| ("origin", origin)));
            pairs.extend(site.map(|site| ("sec-fetch-site", site)));
            assert_eq!(same_origin(&headers(&pairs), &known).is_ok(), allowed, "{origin:?} {site:?}");
        }
    }
}
