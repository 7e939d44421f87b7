//! Recording changes: what a unit of work that edits is given, so that it can leave its trace in the audit log.

use hmac::{Hmac, KeyInit as _, Mac as _};
use keyward_core::change::{Change, Versioned};
use sha2::Sha256;

use crate::error::StoreError;
use crate::root_key::RootKey;

/// Makes the hashes of the audit log's chain. Without the root key nobody can.
#[derive(Clone)]
pub(crate) struct AuditChain(Hmac<Sha256>);

impl AuditChain {
    pub(crate) fn new(root: &RootKey) -> Result<Self, StoreError> {
        let key = root.derive::<32>("audit-chain")?;
        Hmac::new_from_slice(key.as_slice()).map(Self).map_err(|error| StoreError::internal(error.to_string()))
    }

    /// The hash of an entry that follows the one with the hash `previous`. The length in front keeps the two apart.
    pub(crate) fn link(&self, previous: &[u8], entry: &[u8]) -> Vec<u8> {
        let length = u64::try_from(previous.len()).unwrap_or(u64::MAX).to_be_bytes();
        self.0.clone().chain_update(length).chain_update(previous).chain_update(entry).finalize().into_bytes().to_vec()
    }
}

/// A change that is being carried out, and the means to record it.
pub(crate) struct Recorder {
    pub(crate) change: Change,
    pub(crate) chain: AuditChain,
}

impl Recorder {
    /// Makes sure that the version at hand is one that the author means to change.
    pub(crate) fn expects(&self, before: &impl Versioned) -> Result<(), StoreError> {
        match self.change.precondition.accepts(before.version()) {
            true => Ok(()),
            false => Err(StoreError::Stale),
        }
    }
}
