//! Operations on sessions. A program has no use for one of its own: it sends a password or a management key with each request.

use keyward_core::ids::SessionId;
use keyward_core::list::Done;
use keyward_core::session::{AuthStatus, Login, SessionList};

use crate::client::Client;
use crate::error::Error;

const SESSION: [&str; 2] = ["api", "session"];
const SESSIONS: [&str; 2] = ["api", "sessions"];

impl Client {
    /// Opens a session. Its token is in the cookie that the answer sets, which this client does not keep: it tells whether the
    /// password is right.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn session_login(&self, request: &Login) -> Result<Done, Error> {
        let [api, session] = SESSION;
        self.post("session_login", &[api, session, "login"], request).await
    }

    /// Ends the session whose token is the client's bearer token.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn session_logout(&self) -> Result<Done, Error> {
        let [api, session] = SESSION;
        self.act("session_logout", &[api, session, "logout"]).await
    }

    /// Tells whether managing needs a credential.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn session_status(&self) -> Result<AuthStatus, Error> {
        let [api, session] = SESSION;
        self.get("session_status", &[api, session, "is-auth-enabled"]).await
    }

    /// Lists the open sessions.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn session_list(&self) -> Result<SessionList, Error> {
        self.get("session_list", &SESSIONS).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn session_delete(&self, id: &SessionId) -> Result<Done, Error> {
        let [api, sessions] = SESSIONS;
        self.delete("session_delete", &[api, sessions, id.as_str()]).await
    }
}
