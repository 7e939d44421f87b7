//! What the verifier shows a server.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// A credential for the management API. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user name and a password.
    Password(String, String),
    /// A management key, or the token of a session.
    Token(String),
    /// None: a server that asks for none.
    Nothing,
}

/// A user without a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a user name and a password are separated by a colon")]
pub struct InvalidCredential;

impl Credential {
    /// Reads `name:password`.
    ///
    /// # Errors
    /// When there is no colon.
    pub fn user(pair: &str) -> Result<Self, InvalidCredential> {
        let (name, password) = pair.split_once(':').ok_or(InvalidCredential)?;
        Ok(Self::Password(name.to_owned(), password.to_owned()))
    }

    /// The value of the header `Authorization`.
    pub(crate) fn authorization(&self) -> Option<String> {
        match self {
            Self::Password(name, password) => Some(basic(name, password)),
            Self::Token(token) => Some(format!("Bearer {token}")),
            Self::Nothing => None,
        }
    }
}

/// `Authorization` with a password.
pub(crate) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password(..) => "Password(…)",
            Self::Token(_) => "Token(…)",
            Self::Nothing => "Nothing",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_read_and_never_shown() {
        let user = Credential::user("me:a:b").unwrap();
        assert_eq!(user.authorization().as_deref(), Some("Basic bWU6YTpi"));
        assert_eq!(Credential::user("me"), Err(InvalidCredential));
        let shown = format!("{user:?} {:?}", Credential::Token("secret".to_owned()));
        assert_eq!(shown, "Password(…) Token(…)");
    }
}
