//! Usage: reports, forecasts, the ledger to read, and what is written besides the ledger.

use std::collections::{HashMap, HashSet};

use keyward_core::budget::Budget;
use keyward_core::ids::RequestId;
use keyward_core::ledger::{LedgerFilter, LedgerRecord, Posting};
use keyward_core::money::NanoUsd;
use keyward_core::usage::{BudgetScope, Filters, Hour, RefusalCount, ReportBuilder, UsageReport, UsageRequest};

use super::{Database, Store};
use crate::error::StoreError;

impl Store {
    /// What usage comes to, as far as it is in reach.
    ///
    /// # Errors
    /// Only faults.
    pub async fn usage_report(&self, mut request: UsageRequest) -> Result<UsageReport, StoreError> {
        let Some(filters) = request.filters.clone().within(&self.reach) else {
            return Ok(ReportBuilder::new(&request).finish());
        };
        request.filters = filters;
        let reach = self.reach.clone();
        reading!(self, |queries, c| queries::usage::report(c, &request, &reach))
    }

    /// What was spent between two hours, by each of these.
    ///
    /// # Errors
    /// Only faults.
    pub async fn usage_spent(
        &self,
        by: HashSet<Filters>,
        from: Hour,
        to: Hour,
    ) -> Result<HashMap<Filters, NanoUsd>, StoreError> {
        reading!(self, |queries, c| queries::usage::spent(c, by, (from, to)))
    }

    /// The budgets in reach, of the 10,000 oldest, unused, each with what it covers.
    ///
    /// # Errors
    /// Only faults.
    pub async fn budget_scopes(&self) -> Result<Vec<(Budget, BudgetScope)>, StoreError> {
        let reach = self.reach.clone();
        reading!(self, |queries, c| queries::usage::budget_scopes(c, &reach))
    }

    /// Up to `limit` entries that match, as far as they are in reach.
    ///
    /// # Errors
    /// Only faults.
    pub async fn ledger_list(&self, mut filter: LedgerFilter, limit: i64) -> Result<Vec<LedgerRecord>, StoreError> {
        let Some(filters) = filter.filters.clone().within(&self.reach) else { return Ok(Vec::new()) };
        filter.filters = filters;
        reading!(self, |queries, c| queries::ledger::list(c, &filter, limit))
    }

    /// What an entry did to each meter that covered it, in checking order. Whose the entry is was looked at before.
    ///
    /// # Errors
    /// Only faults.
    pub async fn ledger_postings(&self, request: RequestId, attempt: i32) -> Result<Vec<Posting>, StoreError> {
        reading!(self, |queries, c| queries::ledger::postings_of(c, request.as_str(), attempt))
    }

    /// Adds how often requests were refused.
    ///
    /// # Errors
    /// Only faults; then nothing was added.
    pub async fn refusals_add(&self, refusals: Vec<RefusalCount>) -> Result<(), StoreError> {
        writing!(self, |queries, c| queries::usage::refuse(c, &refusals))
    }

    /// Adds up the next hour before `end` that is not added up yet, so that reports have less to read. False: there is none.
    ///
    /// # Errors
    /// Only faults; then nothing was changed.
    pub async fn usage_fold(&self, end: Hour) -> Result<bool, StoreError> {
        writing!(self, |queries, c| queries::usage::fold(c, end))
    }
}
