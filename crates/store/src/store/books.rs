//! Policies, limits and the ledger: what the engine loads, and what it writes.

use jiff::Timestamp;
use keyward_core::budget::{Budget, ModelUsage};
use keyward_core::ids::VirtualKeyId;
use keyward_core::ledger::LedgerEntry;
use keyward_core::list::{Listed, Page};
use keyward_core::rate_limit::RateLimit;

use super::{Database, LedgerTotals, Policies, Store};
use crate::error::StoreError;

impl Store {
    /// What tells this very database from every other, also from one that was made anew in its place.
    #[must_use]
    pub fn database_mark(&self) -> [u8; 16] {
        self.inner.mark
    }

    /// Everything that admission decides by.
    ///
    /// # Errors
    /// Only faults.
    pub async fn policies_load(&self) -> Result<Policies, StoreError> {
        reading!(self, |queries, c| queries::policies::load(c))
    }

    /// Records attempts and adds what they used to the counters, all or nothing. An entry that is there already is
    /// skipped, so that a batch may be given again. Returns how many were new; when it returns, they are on the disk.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another server has taken the database, and faults; then nothing was recorded.
    pub async fn ledger_append(&self, entries: Vec<LedgerEntry>) -> Result<usize, StoreError> {
        writing!(self, |queries, c| queries::ledger::append(c, &entries))
    }

    /// Budgets of all owners, oldest first, unused.
    ///
    /// # Errors
    /// Only faults.
    pub async fn budget_list(&self, page: Page) -> Result<Listed<Budget>, StoreError> {
        reading!(self, |queries, c| queries::limit::budgets(c, &page))
    }

    /// Rate limits of all owners, oldest first, unused.
    ///
    /// # Errors
    /// Only faults.
    pub async fn rate_limit_list(&self, page: Page) -> Result<Listed<RateLimit>, StoreError> {
        reading!(self, |queries, c| queries::limit::rate_limits(c, &page))
    }

    /// What a virtual key has used since an instant, model by model, dearest first.
    ///
    /// # Errors
    /// Only faults.
    pub async fn usage_by_model(
        &self,
        virtual_key: VirtualKeyId,
        since: Timestamp,
    ) -> Result<Vec<ModelUsage>, StoreError> {
        reading!(self, |queries, c| queries::ledger::usage_by_model(c, &virtual_key, since))
    }

    /// What the ledger says a virtual key has used since it was made.
    ///
    /// # Errors
    /// Only faults.
    pub async fn ledger_totals(&self, virtual_key: VirtualKeyId) -> Result<LedgerTotals, StoreError> {
        reading!(self, |queries, c| queries::ledger::totals(c, &virtual_key))
    }
}
