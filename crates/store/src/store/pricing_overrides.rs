//! Pricing overrides.

use jiff::Timestamp;
use keyward_core::change::Change;
use keyward_core::ids::PricingOverrideId;
use keyward_core::invalid::Invalid;
use keyward_core::list::Listed;
use keyward_core::pricing_override::{PricingOverride, PricingOverrideFilter};

use super::{Database, Store};
use crate::error::StoreError;

impl Store {
    /// Stores a new pricing override.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when something that it is for is not there.
    pub async fn pricing_override_create(
        &self,
        change: Change,
        entry: PricingOverride,
    ) -> Result<PricingOverride, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::pricing_override::create(c, &by, &entry))
    }

    /// One pricing override.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id.
    pub async fn pricing_override_get(&self, id: PricingOverrideId) -> Result<PricingOverride, StoreError> {
        reading!(self, |queries, c| queries::pricing_override::get(c, &id))
    }

    /// A page of pricing overrides, oldest first.
    ///
    /// # Errors
    /// Only faults.
    pub async fn pricing_override_list(
        &self,
        filter: PricingOverrideFilter,
    ) -> Result<Listed<PricingOverride>, StoreError> {
        reading!(self, |queries, c| queries::pricing_override::list(c, &filter))
    }

    /// Edits a pricing override to what `edit` makes of it at the instant that it is given; nobody else changes it in between.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Stale`], what `edit` refuses, and something named anew that is not there.
    pub async fn pricing_override_update(
        &self,
        change: Change,
        id: PricingOverrideId,
        edit: impl FnOnce(&PricingOverride, Timestamp) -> Result<PricingOverride, Invalid> + Send + 'static,
    ) -> Result<PricingOverride, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::pricing_override::update(c, &by, &id, edit))
    }

    /// Removes a pricing override.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id, [`StoreError::Stale`] when it has another version.
    pub async fn pricing_override_delete(&self, change: Change, id: PricingOverrideId) -> Result<(), StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::pricing_override::delete(c, &by, &id))
    }
}
