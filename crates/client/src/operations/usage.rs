//! Operations on usage and the ledger.

use keyward_core::ledger::{LedgerList, LedgerQuery};
use keyward_core::usage::{ForecastList, ForecastQuery, UsageReport, UsageReportQuery};

use crate::client::Client;
use crate::error::Error;

const USAGE: [&str; 3] = ["api", "governance", "usage"];

impl Client {
    /// Reports what attempts and refusals come to: as a whole, in groups, and period by period.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn usage_report(&self, query: &UsageReportQuery) -> Result<UsageReport, Error> {
        self.list("usage_report", &USAGE, query).await
    }

    /// Forecasts when budgets will be used up, first those that are used up first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn usage_forecast(&self, query: &ForecastQuery) -> Result<ForecastList, Error> {
        let [api, governance, usage] = USAGE;
        self.list("usage_forecast", &[api, governance, usage, "forecast"], query).await
    }

    /// Lists attempts, newest first unless the query says otherwise. `next` of the answer is `after` of the next page's query.
    /// [`Client::ledger_list_all`] reads them all.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn ledger_list(&self, query: &LedgerQuery) -> Result<LedgerList, Error> {
        // Tables and lines are for other readers.
        let query = LedgerQuery { format: None, ..query.clone() };
        self.list("ledger_list", &["api", "governance", "ledger"], &query).await
    }
}
