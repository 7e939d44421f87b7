//! Who may manage: a handler says what it does by the type it asks for, and cannot run without the check. What it then
//! changes is changed in the caller's name.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use actix_web::{FromRequest, HttpRequest, web};
use keyward_core::change::{Actor, ActorKind, Change, Idempotency};
use keyward_core::error_code::ErrorCode;

use crate::body::Body;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::state::State;

/// Proof that the caller may do what `P` stands for.
#[derive(Debug)]
pub(crate) struct Authed<P> {
    caller: Caller,
    permission: PhantomData<P>,
}

impl<P> Authed<P> {
    /// A change in the caller's name.
    pub(crate) fn change(&self, operation: &'static str) -> Change {
        self.caller.change(operation)
    }

    /// The making of what the body asks for, in the caller's name; made once, however often it is asked for under one
    /// `Idempotency-Key`.
    pub(crate) fn creation<T>(&self, operation: &'static str, body: &Body<T>) -> Change {
        let fingerprint = body.fingerprint;
        let idempotency = self.caller.idempotency_key.clone().map(|key| Idempotency { key, fingerprint });
        Change { idempotency, ..self.caller.change(operation) }
    }
}

/// A route that anyone may call.
#[derive(Debug)]
pub(crate) struct Open;

/// Something that a manager may be allowed to do. Every permission is held by the one admin at present.
pub(crate) trait Permission: 'static {}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;
        impl Permission for $name {}
    )+};
}

permissions! {
    /// Reads virtual keys.
    VirtualKeysRead,
    /// Makes, edits and deletes virtual keys.
    VirtualKeysWrite,
    /// Reads teams and customers.
    OwnersRead,
    /// Makes and deletes teams and customers.
    OwnersWrite,
    /// Reads providers and their redacted keys.
    ProvidersRead,
    /// Makes and deletes providers and their keys.
    ProvidersWrite,
    /// Reads model configs and the limits of providers.
    ModelConfigsRead,
    /// Makes, edits and deletes model configs and the limits of providers.
    ModelConfigsWrite,
    /// Reads pricing overrides.
    PricingRead,
    /// Makes, edits and deletes pricing overrides.
    PricingWrite,
    /// Reads routing rules.
    RoutingRulesRead,
    /// Makes, edits and deletes routing rules.
    RoutingRulesWrite,
    /// Reads and verifies the audit log.
    AuditRead,
    /// Reads metrics.
    MetricsRead,
}

impl<P: Permission> FromRequest for Authed<P> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = authenticate(request).and_then(|actor| Caller::of(request, actor));
        ready(caller.map(|caller| Self { caller, permission: PhantomData }))
    }
}

/// Finds out who asks.
fn authenticate(request: &HttpRequest) -> Result<Actor, ApiError> {
    let admin = request.app_data::<web::Data<State>>().map(|state| state.settings.admin.as_ref());
    match admin {
        Some(Some(credential)) if credential.accepts(request.headers()) => {
            Ok(Actor { kind: ActorKind::Admin, name: credential.username().to_owned() })
        }
        Some(Some(_)) | None => Err(ApiError::new(ErrorCode::Unauthorized, "Unauthorized")),
        Some(None) => same_machine(request.headers()).map(|()| Actor { kind: ActorKind::Local, name: String::new() }),
    }
}

impl FromRequest for Open {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self))
    }
}

/// Headers that proxies add.
const FORWARDED: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/// Without an admin credential the server listens on loopback only, and any local program may manage it. A web page may
/// not: neither one of another origin, nor one whose name was pointed at loopback. And nobody may who comes through a proxy:
/// it would make strangers look local.
fn same_machine(headers: &HeaderMap) -> Result<(), ApiError> {
    let refuse = |header: &str| {
        let message = "Without an admin credential only programs on this machine may manage the server";
        Err(ApiError::new(ErrorCode::ForbiddenOrigin, message).at(header))
    };
    if let Some(header) = FORWARDED.into_iter().find(|name| headers.contains_key(*name)) {
        return refuse(header);
    }
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return refuse("sec-fetch-site");
    }
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text(HOST), text(ORIGIN)) {
        (Some(host), _) if !is_loopback(&format!("http://{host}")) => refuse("host"),
        (_, Some(origin)) if !is_loopback(origin) => refuse("origin"),
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

fn is_loopback(origin: &str) -> bool {
    url::Url::parse(origin).is_ok_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn nobody_comes_through_a_proxy() {
        for name in FORWARDED {
            let name = HeaderName::from_static(name);
            assert!(same_machine(&headers(&[(HOST, "localhost"), (name, "203.0.113.7")])).is_err());
        }
    }

    #[test]
    fn web_pages_of_other_origins_are_kept_out() {
        for (host, origin, allowed) in [
            ("localhost:8080", None, true),
            ("127.0.0.1:8080", Some("http://localhost:8080"), true),
            ("[::1]:8080", None, true),
            ("localhost:8080", Some("https://evil.example"), false),
            ("localhost:8080", Some("null"), false),
            ("evil.example:8080", None, false),
            ("127.0.0.1.evil.example", None, false),
        ] {
            let mut pairs = vec![(HOST, host)];
            pairs.extend(origin.map(|origin| (ORIGIN, origin)));
            assert_eq!(same_machine(&headers(&pairs)).is_ok(), allowed, "{host} {origin:?}");
        }
    }
}
