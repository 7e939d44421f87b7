//! Where tokens for providers come from, as far as that is not a provider key's to say.

use std::path::PathBuf;

use keyward_core::base_url::BaseUrl;
use serde::{Deserialize, Serialize};

use super::environment;
use crate::credentials::TokenEndpoints;

/// The settings of token endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenSources {
    /// Microsoft Entra's origin, for the clouds of some countries; none: `https://login.microsoftonline.com`.
    pub entra_authority: Option<BaseUrl>,
    /// The origin of AWS's token service; none: the one of a key's region.
    pub sts_endpoint: Option<BaseUrl>,
    /// The file of Google's application default credentials; none: `GOOGLE_APPLICATION_CREDENTIALS` says.
    pub google_application_credentials: Option<PathBuf>,
    /// Whether Vertex keys without credentials may use the identity of the machine, which Google's metadata server hands out.
    pub allow_google_metadata: bool,
}

impl TokenSources {
    /// The same with what the environment has of it.
    pub(super) fn with_environment(mut self) -> Self {
        use secrecy::ExposeSecret as _;
        let path = || environment("GOOGLE_APPLICATION_CREDENTIALS").map(|path| path.expose_secret().into());
        self.google_application_credentials = self.google_application_credentials.or_else(path);
        self
    }

    /// The endpoints that keys are given their tokens by.
    pub(crate) fn endpoints(&self, block_private: bool) -> TokenEndpoints {
        TokenEndpoints {
            entra: self.entra_authority.clone(),
            sts: self.sts_endpoint.clone(),
            application_credentials: self.google_application_credentials.clone(),
            allow_metadata: self.allow_google_metadata,
            block_private,
        }
    }
}
