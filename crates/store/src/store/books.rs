//! Policies and the ledger: what the engine loads, and what it writes.

use keyward_core::ids::VirtualKeyId;
use keyward_core::ledger::LedgerEntry;

use super::{Database, LedgerTotals, Policies, Store};
use crate::error::StoreError;

impl Store {
    /// Everything that admission decides by.
    ///
    /// # Errors
    /// Only faults.
    pub async fn policies_load(&self) -> Result<Policies, StoreError> {
        let sealer = self.sealer();
        reading!(self, |queries, c| queries::policies::load(c, &sealer))
    }

    /// Records attempts and adds what they used to the counters, all or nothing. An entry that is there already is
    /// skipped, so that a batch may be given again.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another server has taken the database, and faults; then nothing was recorded.
    pub async fn ledger_append(&self, entries: Vec<LedgerEntry>) -> Result<(), StoreError> {
        writing!(self, |queries, c| queries::ledger::append(c, &entries))
    }

    /// What the ledger says a virtual key has used since it was made.
    ///
    /// # Errors
    /// Only faults.
    pub async fn ledger_totals(&self, virtual_key: VirtualKeyId) -> Result<LedgerTotals, StoreError> {
        reading!(self, |queries, c| queries::ledger::totals(c, &virtual_key))
    }
}
