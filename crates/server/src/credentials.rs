//! Credentials of provider keys: what makes a request one of that key.
//!
//! In two steps. [`Auth::ready`] gets what is needed, which may ask a token endpoint; [`Stamp::sign`] puts it on a request, and asks
//! nobody. So a token endpoint that fails does so before anything is held, and a signature can cover the body as it leaves.

use std::fmt;
use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::gateway::UpstreamClient;
use crate::pieces::Pieces;

mod cache;
mod entra;
mod error;
mod exchange;
mod google;
mod grant;
mod settings;
mod sigv4;
mod sts;

pub(crate) use error::CredentialError;
pub(crate) use exchange::TokenEndpoints;
use grant::Exchanged;
pub(crate) use settings::{KeyTexts, domain, is_role};
use sigv4::AwsSigner;

/// How requests show whose they are.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// They need not.
    Open,
    /// By a secret that goes where the request's dialect has it.
    Secret(SecretString),
    /// By something that never changes.
    Fixed(Stamp),
    /// By a token that is exchanged for something else, and kept while it is valid.
    Exchanged(Arc<Exchanged>),
}

/// Where a dialect has a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// In `Authorization`, as a bearer token.
    Bearer,
    /// In a header of its own.
    Header(HeaderName),
}

/// What goes on a request.
#[derive(Clone, Debug)]
pub(crate) enum Stamp {
    /// Nothing.
    Nothing,
    /// A header, and what else the provider wants to know.
    Header(HeaderName, HeaderValue),
    /// A signature of AWS.
    Aws(Arc<AwsSigner>),
}

impl Auth {
    /// Gets what the next request needs. A secret goes where `scheme` has it.
    ///
    /// # Errors
    /// When a token endpoint does not give a token.
    pub(crate) async fn ready(
        &self,
        scheme: &Scheme,
        client: &UpstreamClient,
        now: Timestamp,
    ) -> Result<Stamp, CredentialError> {
        match self {
            Self::Open => Ok(Stamp::Nothing),
            Self::Secret(secret) => Stamp::of(scheme, secret),
            Self::Fixed(stamp) => Ok(stamp.clone()),
            Self::Exchanged(exchanged) => exchanged.stamp(client, now).await,
        }
    }

    /// True when requests show nothing.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// The same, with the token that `before` has got already, when it was got for the same.
    pub(crate) fn keeping(self, before: &Self) -> Self {
        match (&self, before) {
            (Self::Exchanged(new), Self::Exchanged(old)) if new.is_same(old) => Self::Exchanged(Arc::clone(old)),
            (Self::Open | Self::Secret(_) | Self::Fixed(_) | Self::Exchanged(_), _) => self,
        }
    }
}

impl Stamp {
    fn of(scheme: &Scheme, secret: &SecretString) -> Result<Self, CredentialError> {
        Ok(match scheme {
            Scheme::Bearer => Self::bearer(secret)?,
            Scheme::Header(name) => Self::Header(name.clone(), hidden(secret.expose_secret())?),
        })
    }

    /// A bearer token.
    fn bearer(token: &SecretString) -> Result<Self, CredentialError> {
        Ok(Self::Header(AUTHORIZATION, hidden(&format!("Bearer {}", token.expose_secret()))?))
    }

    /// Puts it on a request, which must not be changed afterwards.
    ///
    /// # Errors
    /// When the request cannot carry it.
    pub(crate) fn sign(
        &self,
        mut request: http::Request<Pieces>,
        now: Timestamp,
    ) -> Result<http::Request<Pieces>, CredentialError> {
        match self {
            Self::Nothing => {}
            Self::Header(name, value) => {
                request.headers_mut().insert(name.clone(), value.clone());
            }
            Self::Aws(signer) => signer.sign(&mut request, now)?,
        }
        Ok(request)
    }
}

/// A header's value that is left out wherever headers are shown.
fn hidden(text: &str) -> Result<HeaderValue, CredentialError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| CredentialError::Unsendable)?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer => f.write_str("Authorization"),
            Self::Header(name) => f.write_str(name.as_str()),
        }
    }
}

#[cfg(test)]
mod tests;
