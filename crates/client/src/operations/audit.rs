//! Operations on the audit log.

use keyward_core::audit::{AuditList, AuditQuery, AuditVerification};

use crate::client::Client;
use crate::error::Error;

const AUDIT: [&str; 2] = ["api", "audit"];

impl Client {
    /// Lists changes, newest first. `next` of the answer is `before` of the next page's query.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn audit_list(&self, query: &AuditQuery) -> Result<AuditList, Error> {
        self.list("audit_list", &AUDIT, query).await
    }

    /// Has the server follow the log's chain from its first entry to its last.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn audit_verify(&self) -> Result<AuditVerification, Error> {
        let [api, audit] = AUDIT;
        self.get("audit_verify", &[api, audit, "verify"]).await
    }
}
