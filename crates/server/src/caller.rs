//! The caller of an operation: who it is, from where it calls, and on what conditions it wants a change.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, IF_MATCH};
use keyward_core::authority::Authority;
use keyward_core::change::{Actor, Author, Change, Grounds, Precondition};
use keyward_core::invalid::Invalid;

use crate::auth::address;
use crate::clock;
use crate::error::ApiError;
use crate::params::LONGEST;
use crate::request_id::RequestIdentity;

/// Makes a create repeatable.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest idempotency key, in bytes.
pub(crate) const MAX_IDEMPOTENCY_KEY: usize = 255;

/// Who asks, and on what conditions.
#[derive(Debug)]
pub(crate) struct Caller {
    author: Author,
    precondition: Precondition,
    pub(crate) idempotency_key: Option<String>,
}

impl Caller {
    /// The caller of this request, who is known to be `actor`.
    pub(crate) fn of(
        request: &HttpRequest,
        actor: Actor,
        authority: Authority,
        grounds: Grounds,
    ) -> Result<Self, ApiError> {
        let source = address(request);
        let request_id = RequestIdentity::of(request)?.id().clone();
        let precondition = header(request, &IF_MATCH)?.map(Precondition::parse).transpose()?.unwrap_or_default();
        let idempotency_key = header(request, &IDEMPOTENCY_KEY)?.map(idempotency_key).transpose()?;
        let author = Author { actor, authority, grounds, source, request_id };
        Ok(Self { author, precondition, idempotency_key })
    }

    /// Who calls, and what it may do.
    pub(crate) const fn author(&self) -> &Author {
        &self.author
    }

    /// What the caller may do.
    pub(crate) const fn authority(&self) -> &Authority {
        &self.author.authority
    }

    /// A change in the caller's name.
    pub(crate) fn change(&self, operation: &'static str) -> Change {
        Change {
            operation,
            author: self.author.clone(),
            at: clock::now(),
            precondition: self.precondition.clone(),
            idempotency: None,
        }
    }
}

/// The one value of a header, as text.
fn header<'a>(request: &'a HttpRequest, name: &HeaderName) -> Result<Option<&'a str>, Invalid> {
    let mut values = request.headers().get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) if text.len() > LONGEST => {
                let message = format!("the header {name} is longer than {LONGEST} characters");
                Err(Invalid::at_header(name.as_str(), message))
            }
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Invalid::at_header(name.as_str(), format!("the header {name} has characters outside ASCII"))),
        },
        (Some(_), Some(_)) => Err(Invalid::at_header(name.as_str(), format!("the header {name} is there twice"))),
    }
}

fn idempotency_key(text: &str) -> Result<String, Invalid> {
    if text.is_empty() || text.len() > MAX_IDEMPOTENCY_KEY {
        let message = format!("Idempotency-Key must have 1 to {MAX_IDEMPOTENCY_KEY} characters");
        return Err(Invalid::at_header(IDEMPOTENCY_KEY.as_str(), message));
    }
    Ok(text.to_owned())
}
