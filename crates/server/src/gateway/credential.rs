//! The caller's virtual key, from any of the five headers that clients send one in.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpRequest, web};
use keyward_core::error_body::ErrorExtra;
use keyward_core::error_code::ErrorCode;
use keyward_core::refusal::Refusal;
use keyward_core::secret::{KeyHash, VIRTUAL_KEY_PREFIX};

use crate::auth::presented::is_management_key;
use crate::error::ApiError;
use crate::state::State;
use crate::usage::Refused;

/// The header that always carries a virtual key.
const OWN_HEADER: &str = "x-bf-vk";
/// Headers that carry one when their value begins like one; with `Bearer` before it in the first.
const SHARED_HEADERS: [&str; 4] = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];

/// How a route is metered: declared in its handler's signature, so that no route is without.
pub(crate) trait MeteringClass: 'static {
    /// Makes a failure to authenticate one of the door that the route belongs to.
    fn refused(state: &State, error: ApiError) -> ApiError;
}

macro_rules! classes_at_an_upstream {
    ($($(#[$doc:meta])* $class:ident)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(crate) struct $class;

            impl MeteringClass for $class {
                fn refused(state: &State, error: ApiError) -> ApiError {
                    state.refused(&error, Refused::default());
                    error.in_gateway(ErrorExtra::default())
                }
            }
        )+
    };
}

classes_at_an_upstream! {
    /// Charged for the tokens that were used.
    Tokens
    /// Charged for images, seconds or characters, or for tokens where the provider tells them.
    Units
    /// Free by declaration: no provider bills it. Request limits count it.
    Unbilled
    /// Charged for each call of a tool, by the tool's price. Lists of tools are free: they are Keyward's own.
    Tools
}

/// Free of charge, because no upstream is involved.
#[derive(Debug)]
pub(crate) struct Free;

impl MeteringClass for Free {
    fn refused(_: &State, error: ApiError) -> ApiError {
        error
    }
}

/// The virtual key that calls, on a route metered as `C`.
#[derive(Debug)]
pub(crate) struct Metered<C> {
    /// How the key is found.
    pub(crate) hash: KeyHash,
    class: PhantomData<C>,
}

impl<C: MeteringClass> FromRequest for Metered<C> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(state) = request.app_data::<web::Data<State>>() else {
            return ready(Err(ApiError::new(ErrorCode::Internal, "The server has no state")));
        };
        ready(Self::of(request, state))
    }
}

impl<C: MeteringClass> Metered<C> {
    /// Whose request it is.
    pub(crate) fn of(request: &HttpRequest, state: &State) -> Result<Self, ApiError> {
        let secret = secret(request.headers()).map_err(|error| C::refused(state, error))?;
        Ok(Self { hash: state.hasher.hash(secret), class: PhantomData })
    }
}

/// The one secret that the headers carry.
fn secret(headers: &HeaderMap) -> Result<&str, ApiError> {
    let mut found: Option<&str> = None;
    let mut foreign = None;
    for name in std::iter::once(OWN_HEADER).chain(SHARED_HEADERS) {
        for value in headers.get_all(name) {
            let text = value.to_str().map_err(|_| {
                let message = format!("The header {name} is not readable text");
                ApiError::new(ErrorCode::InvalidRequest, message).at(name)
            })?;
            let secret = if name == "authorization" { bearer(text) } else { text.trim() };
            if is_management_key(secret) {
                let message = "A management key cannot be used in place of a virtual key";
                return Err(ApiError::new(ErrorCode::ManagementKeyRefused, message).at(name));
            }
            if name != OWN_HEADER && !looks_like_virtual_key(secret) {
                foreign = Some(name);
            } else if found.is_some_and(|other| other != secret) {
                let message = "Several headers carry virtual keys, and they differ";
                return Err(ApiError::new(ErrorCode::ConflictingCredentials, message).at(name));
            } else {
                found = Some(secret);
            }
        }
    }
    match (found, foreign) {
        (Some(secret), _) => Ok(secret),
        (None, Some(name)) => Err(ApiError::from(Refusal::UnknownKey).at(name)),
        (None, None) => {
            let message = "Missing virtual key. Provide it via x-bf-vk header, Authorization Bearer, x-api-key, \
                           x-goog-api-key, or api-key header.";
            Err(ApiError::new(ErrorCode::VirtualKeyRequired, message))
        }
    }
}

fn bearer(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => secret.trim(),
        Some(_) | None => "",
    }
}

fn looks_like_virtual_key(secret: &str) -> bool {
    let prefix = secret.get(..VIRTUAL_KEY_PREFIX.len());
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(VIRTUAL_KEY_PREFIX))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn code(pairs: &[(&'static str, &[u8])]) -> Result<String, ErrorCode> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        secret(&headers).map(str::to_owned).map_err(|error| error.code())
    }

    #[test]
    fn any_of_the_five_headers_carries_a_key() {
        for header in ["x-bf-vk", "x-api-key", "x-goog-api-key", "api-key"] {
            assert_eq!(code(&[(header, b"sk-bf-a")]), Ok("sk-bf-a".to_owned()));
        }
        assert_eq!(code(&[("authorization", b"bearer sk-bf-a")]), Ok("sk-bf-a".to_owned()));
        assert_eq!(code(&[("x-bf-vk", b"anything")]), Ok("anything".to_owned()));
    }

    #[test]
    fn foreign_keys_are_ignored_beside_a_virtual_key_and_refused_alone() {
        assert_eq!(code(&[("authorization", b"Bearer sk-other"), ("x-bf-vk", b"sk-bf-a")]), Ok("sk-bf-a".to_owned()));
        assert_eq!(code(&[("authorization", b"Bearer sk-other")]), Err(ErrorCode::InvalidVirtualKey));
        assert_eq!(code(&[]), Err(ErrorCode::VirtualKeyRequired));
    }

    #[test]
    fn a_management_key_is_refused_wherever_it_is() {
        for pair in [("x-bf-vk", &b"sk-kw-a"[..]), ("x-api-key", b"SK-KW-a"), ("authorization", b"Bearer sk-kw-a")] {
            assert_eq!(code(&[pair]), Err(ErrorCode::ManagementKeyRefused));
            assert_eq!(code(&[pair, ("api-key", b"sk-bf-a")]), Err(ErrorCode::ManagementKeyRefused));
        }
    }

    #[test]
    fn differing_and_unreadable_keys_are_refused() {
        let same = [("x-bf-vk", &b"sk-bf-a"[..]), ("x-api-key", b"sk-bf-a")];
        assert_eq!(code(&same), Ok("sk-bf-a".to_owned()));
        let differing = [("x-bf-vk", &b"sk-bf-a"[..]), ("x-api-key", b"sk-bf-b")];
        assert_eq!(code(&differing), Err(ErrorCode::ConflictingCredentials));
        assert_eq!(code(&[("x-bf-vk", b"sk-bf-\xff")]), Err(ErrorCode::InvalidRequest));
    }
}
