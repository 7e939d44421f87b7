//! Why a credential cannot be used. Nothing here holds a secret, or a text that an endpoint made up.

use keyward_core::error_code::ErrorCode;

use crate::error::ApiError;

/// Why a request cannot be made one of a provider key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CredentialError {
    /// A setting that is needed is not there.
    #[error("the key has no {0}")]
    Missing(&'static str),
    /// A setting has no meaning.
    #[error("{0} cannot be used: {1}")]
    Malformed(&'static str, &'static str),
    /// A credential has characters that no header can have.
    #[error("the credential has characters that cannot be sent")]
    Unsendable,
    /// The file of credentials is not there or is not readable.
    #[error("the file of application default credentials cannot be read: {0}")]
    Unreadable(std::io::ErrorKind),
    /// The token endpoint is somewhere it must not be.
    #[error("the token endpoint is neither https nor at a permitted address")]
    Forbidden,
    /// No connection, or it broke.
    #[error("the token endpoint cannot be reached")]
    Unreachable,
    /// Nothing came in time.
    #[error("the token endpoint did not answer in time")]
    TimedOut,
    /// The endpoint said no.
    #[error("the token endpoint answered {status}{}{}", if code.is_empty() { "" } else { ": " }, code)]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The endpoint's own code, if it is one.
        code: String,
    },
    /// The endpoint said something else than its protocol has.
    #[error("the token endpoint's answer has no token in it")]
    Unusable,
    /// The request cannot be signed.
    #[error("the request cannot be signed")]
    Unsignable,
}

impl CredentialError {
    /// A refusal with the endpoint's code, when it has the form of one: what else it says may be anything.
    pub(super) fn refused(status: u16, code: Option<&str>) -> Self {
        let is_code = |code: &&str| {
            code.len() <= 64
                && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        };
        Self::Refused { status, code: code.filter(is_code).unwrap_or_default().to_owned() }
    }
}

impl From<CredentialError> for ApiError {
    /// The client learns that the key cannot be used; the log learns why.
    fn from(error: CredentialError) -> Self {
        Self::new(ErrorCode::ProviderKeyUnavailable, "The provider key's credential cannot be used at the moment")
            .because(error)
    }
}
