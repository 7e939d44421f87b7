//! The admin's credential as the environment or the configuration file gives it.

use secrecy::SecretString;

/// The admin's credential, and who gave it.
#[derive(Debug, Clone)]
pub struct AdminCredential {
    pub(crate) username: String,
    pub(crate) password: SecretString,
    /// True: from the environment, which the API cannot overrule. False: from the file, which it can.
    pub(crate) is_fixed: bool,
}

impl AdminCredential {
    /// The credential of this user name and password, which the API cannot change.
    #[must_use]
    pub fn new(username: &str, password: &SecretString) -> Self {
        Self { username: username.to_owned(), password: password.clone(), is_fixed: true }
    }

    /// The same, until the API says something else.
    #[must_use]
    pub fn as_seed(self) -> Self {
        Self { is_fixed: false, ..self }
    }
}
