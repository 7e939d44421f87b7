//! Teams and customers.

use jiff::Timestamp;
use keyward_core::change::Change;
use keyward_core::ids::{CustomerId, TeamId};
use keyward_core::invalid::Invalid;
use keyward_core::ledger::Adjustment;
use keyward_core::limits::ResetUsage;
use keyward_core::list::{Listed, Page};
use keyward_core::owner::{Customer, Team, TeamFilter};

use super::{Database, Store};
use crate::error::StoreError;

impl Store {
    /// Stores a new team with its limits.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a name that is taken, [`StoreError::Invalid`] for an unknown customer.
    pub async fn team_create(&self, change: Change, team: Team) -> Result<Team, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::team::create(c, &by, &team))
    }

    /// One team with what it shows of others, unused.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id.
    pub async fn team_get(&self, id: TeamId, now: Timestamp) -> Result<Team, StoreError> {
        let reach = self.reach.clone();
        reading!(self, |queries, c| queries::team::get_with_views(c, &reach, &id, now))
    }

    /// Edits a team to what `edit` makes of it at the instant that it is given; nobody else changes it in between. Gives
    /// the team, and what the edit took off its meters.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Stale`], [`StoreError::Duplicate`], and what `edit` refuses.
    pub async fn team_update(
        &self,
        change: Change,
        id: TeamId,
        edit: impl FnOnce(&Team, Timestamp) -> Result<(Team, ResetUsage), Invalid> + Send + 'static,
    ) -> Result<(Team, Vec<Adjustment>), StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::team::update(c, &by, &id, edit))
    }

    /// A page of teams, oldest first, unused.
    ///
    /// # Errors
    /// Only faults.
    pub async fn team_list(&self, filter: TeamFilter) -> Result<Listed<Team>, StoreError> {
        let reach = self.reach.clone();
        reading!(self, |queries, c| queries::team::list(c, &reach, &filter))
    }

    /// Removes a team with its limits and their counters; its virtual keys stay, on their own.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id, [`StoreError::Stale`] when it has another version.
    pub async fn team_delete(&self, change: Change, id: TeamId) -> Result<(), StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::team::delete(c, &by, &id))
    }

    /// Stores a new customer with its limits.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a name that is taken.
    pub async fn customer_create(&self, change: Change, customer: Customer) -> Result<Customer, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::customer::create(c, &by, &customer))
    }

    /// One customer with what it shows of others, unused.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id.
    pub async fn customer_get(&self, id: CustomerId, now: Timestamp) -> Result<Customer, StoreError> {
        let reach = self.reach.clone();
        reading!(self, |queries, c| queries::customer::get_with_views(c, &reach, &id, now))
    }

    /// Edits a customer to what `edit` makes of it at the instant that it is given; nobody else changes it in between. Gives
    /// the customer, and what the edit took off its meters.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Stale`], [`StoreError::Duplicate`], and what `edit` refuses.
    pub async fn customer_update(
        &self,
        change: Change,
        id: CustomerId,
        edit: impl FnOnce(&Customer, Timestamp) -> Result<(Customer, ResetUsage), Invalid> + Send + 'static,
    ) -> Result<(Customer, Vec<Adjustment>), StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::customer::update(c, &by, &id, edit))
    }

    /// A page of customers, oldest first, unused.
    ///
    /// # Errors
    /// Only faults.
    pub async fn customer_list(&self, page: Page) -> Result<Listed<Customer>, StoreError> {
        let reach = self.reach.clone();
        reading!(self, |queries, c| queries::customer::list(c, &reach, &page))
    }

    /// Removes a customer with its limits and their counters; its teams and virtual keys stay, on their own.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id, [`StoreError::Stale`] when it has another version.
    pub async fn customer_delete(&self, change: Change, id: CustomerId) -> Result<(), StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::customer::delete(c, &by, &id))
    }
}
