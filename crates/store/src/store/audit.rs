//! The audit log.

use keyward_core::audit::{AuditFilter, AuditList, AuditVerification};

use super::{Database, Store};
use crate::error::StoreError;

impl Store {
    /// A page of the audit log, newest first.
    ///
    /// # Errors
    /// Only faults.
    pub async fn audit_list(&self, filter: AuditFilter) -> Result<AuditList, StoreError> {
        reading!(self, |queries, c| queries::audit::list(c, &filter))
    }

    /// Follows the audit log's chain from its first entry to its last.
    ///
    /// # Errors
    /// Only faults: a broken chain is an answer.
    pub async fn audit_verify(&self) -> Result<AuditVerification, StoreError> {
        let chain = self.inner.chain.clone();
        reading!(self, |queries, c| queries::audit::verify(c, &chain))
    }
}
