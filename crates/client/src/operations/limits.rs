//! Operations on the limits of all owners, which are read here and written through their owners.

use keyward_core::list::{BudgetList, PageQuery, RateLimitList};

use crate::client::Client;
use crate::error::Error;

impl Client {
    /// Lists the budgets of all owners.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn budget_list(&self, query: &PageQuery) -> Result<BudgetList, Error> {
        self.list("budget_list", &["api", "governance", "budgets"], query).await
    }

    /// Lists the rate limits of all owners.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn rate_limit_list(&self, query: &PageQuery) -> Result<RateLimitList, Error> {
        self.list("rate_limit_list", &["api", "governance", "rate-limits"], query).await
    }
}
