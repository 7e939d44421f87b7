//! Policies, limits and the ledger: what the engine loads, and what it writes.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use keyward_core::budget::{Budget, ModelUsage};
use keyward_core::catalogue::Catalogue;
use keyward_core::change::Change;
use keyward_core::ids::{CustomerId, LimitId, ModelConfigId, ModelName, ProviderName, TeamId, VirtualKeyId};
use keyward_core::ledger::{LedgerEntry, Reconciliation, Rerated, Rerating};
use keyward_core::list::{Listed, Page};
use keyward_core::price::Price;
use keyward_core::pricing_override::{PriceList, PricingTable};
use keyward_core::rate_limit::RateLimit;

use super::{Appended, Database, Expired, Familiarity, LedgerPlace, LedgerTotals, Policies, Store};
use crate::error::StoreError;

/// Who holds a limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LimitHolder {
    /// A customer.
    Customer(CustomerId),
    /// A team.
    Team(TeamId),
    /// A virtual key.
    VirtualKey(VirtualKeyId),
    /// A virtual key at a provider.
    ProviderConfig {
        /// The key.
        virtual_key: VirtualKeyId,
        /// The provider.
        provider: ProviderName,
        /// The one model that is limited there; none: all together.
        model: Option<ModelName>,
    },
    /// A model, a provider, or both.
    ModelConfig(ModelConfigId),
}

impl Store {
    /// What tells this very database from every other, also from one that was made anew in its place.
    #[must_use]
    pub fn database_mark(&self) -> [u8; 16] {
        self.inner.mark
    }

    /// What admission decides by beside virtual keys.
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
    pub async fn ledger_append(&self, entries: impl Into<Arc<[LedgerEntry]>>) -> Result<usize, StoreError> {
        let entries = entries.into();
        // Nearly always all are new. Only when one turns out not to be, each is looked for.
        let appended = match self.append(entries.clone(), Familiarity::AllNew).await {
            Err(error) if error.is_repetition() => self.append(entries, Familiarity::Unknown).await?,
            other => other?,
        };
        if appended.events > 0 {
            self.inner.events_written.send_modify(|times| *times += 1);
        }
        Ok(appended.entries)
    }

    async fn append(&self, entries: Arc<[LedgerEntry]>, familiarity: Familiarity) -> Result<Appended, StoreError> {
        let (policy, probe) = (self.policy.clone(), self.probe.clone());
        writing!(self, |queries, c| queries::ledger::append(c, &entries, familiarity, &policy, &probe))
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

    /// Who holds each of these limits; one that is gone is not in the map.
    ///
    /// # Errors
    /// Only faults.
    pub async fn limit_holders(&self, limits: Vec<LimitId>) -> Result<HashMap<LimitId, LimitHolder>, StoreError> {
        reading!(self, |queries, c| queries::limit::holders(c, &limits))
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
    /// Checks every counter against the ledger, and every entry against its own breakdown and its postings.
    ///
    /// # Errors
    /// Only faults: books that do not add up are an answer.
    pub async fn ledger_check(&self) -> Result<Reconciliation, StoreError> {
        reading!(self, |queries, c| queries::reconciliation::check(c))
    }

    /// The same, and sets the counters to what the ledger says. No server may be running: it would not notice.
    ///
    /// # Errors
    /// Only faults; then nothing was changed.
    pub async fn ledger_repair(&self, change: Change) -> Result<Reconciliation, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::reconciliation::repair(c, &by))
    }

    /// Prices entries anew, by the catalogue and the overrides that are in force; `otherwise` is what a model costs that the
    /// catalogue does not know. No server may be running: it would not notice.
    ///
    /// # Errors
    /// Only faults; then nothing was changed.
    pub async fn ledger_rerate(
        &self,
        change: Change,
        which: Rerating,
        catalogue: Catalogue,
        otherwise: Option<Price>,
    ) -> Result<Rerated, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| {
            let overrides = PricingTable::new(&queries::pricing_override::load_all(c)?)?;
            let prices = PriceList { catalogue: &catalogue, overrides: &overrides, otherwise };
            queries::rerating::rerate(c, &by, &which, &prices)
        })
    }

    /// Looks at up to 1,000 entries that were settled before an instant, and deletes those that no counter counts any longer.
    /// `after` is where the call before has stopped.
    ///
    /// # Errors
    /// Only faults; then nothing was deleted.
    pub async fn ledger_expire(&self, before: Timestamp, after: Option<LedgerPlace>) -> Result<Expired, StoreError> {
        writing!(self, |queries, c| queries::retention::expire(c, before, after))
    }
}
