//! Routing rules.

use jiff::Timestamp;
use keyward_core::change::Change;
use keyward_core::ids::RoutingRuleId;
use keyward_core::invalid::Invalid;
use keyward_core::list::Listed;
use keyward_core::routing_rule::{RoutingRule, RoutingRuleFilter};

use super::{Database, Store};
use crate::error::StoreError;

impl Store {
    /// Stores a new routing rule.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a name that is taken in its scope, [`StoreError::Invalid`] for a scope, provider or
    /// provider key that is not there.
    pub async fn routing_rule_create(&self, change: Change, rule: RoutingRule) -> Result<RoutingRule, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::routing_rule::create(c, &by, &rule))
    }

    /// One routing rule.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id.
    pub async fn routing_rule_get(&self, id: RoutingRuleId) -> Result<RoutingRule, StoreError> {
        reading!(self, |queries, c| queries::routing_rule::get(c, &id))
    }

    /// The routing rules that match, oldest first.
    ///
    /// # Errors
    /// Only faults.
    pub async fn routing_rule_list(&self, filter: RoutingRuleFilter) -> Result<Listed<RoutingRule>, StoreError> {
        reading!(self, |queries, c| queries::routing_rule::list(c, &filter))
    }

    /// Edits a routing rule to what `edit` makes of it at the instant that it is given; nobody else changes it in between.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Stale`], what `edit` refuses, and the errors of
    /// [`Store::routing_rule_create`].
    pub async fn routing_rule_update(
        &self,
        change: Change,
        id: RoutingRuleId,
        edit: impl FnOnce(&RoutingRule, Timestamp) -> Result<RoutingRule, Invalid> + Send + 'static,
    ) -> Result<RoutingRule, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::routing_rule::update(c, &by, &id, edit))
    }

    /// Removes a routing rule.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id, [`StoreError::Stale`] when it has another version.
    pub async fn routing_rule_delete(&self, change: Change, id: RoutingRuleId) -> Result<(), StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::routing_rule::delete(c, &by, &id))
    }
}
