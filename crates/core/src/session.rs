//! Sessions: what a login opens, so that the password need not be sent again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::change::Versioned;
use crate::ids::{ManagementKeyId, SessionId};

/// A session of the administrator, or of whoever has a management key. Its token is in a cookie, and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Identifies the session; not its token.
    pub id: SessionId,
    /// Who logged in: the administrator, or the name that the management key had then.
    pub username: String,
    /// The management key that opened the session, and whose permissions and reach bound it; absent: the administrator did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub management_key_id: Option<ManagementKeyId>,
    /// True: it was opened at the dashboard, and a change under its cookie must carry the token of a page.
    #[serde(default)]
    #[schema(required = true)]
    pub from_dashboard: bool,
    /// The network address that the login came from.
    pub source: String,
    /// When the login was.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last used, to within some minutes.
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: Timestamp,
    /// When it ends however much it is used.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

impl Versioned for Session {
    fn updated_at(&self) -> Timestamp {
        self.created_at
    }
}

/// The sessions that are open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionList {
    /// The sessions, oldest first.
    pub sessions: Vec<Session>,
    /// How many there are.
    pub count: i64,
}

/// Asks for a session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The administrator's name.
    pub username: String,
    /// The password to it.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Whether managing needs a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuthStatus {
    /// True when managing needs a credential.
    pub is_auth_enabled: bool,
    /// True when the request came with the token of a session that is open.
    pub has_valid_token: bool,
    /// How the administrator shows who it is.
    pub auth_type: AuthType,
    /// Always true: inference needs a virtual key.
    pub inference_auth_enforced: bool,
}

/// How the administrator shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthType {
    /// Not at all.
    None,
    /// By user name and password.
    Password,
}
