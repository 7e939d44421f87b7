//! Operations on pricing overrides.

use keyward_core::ids::PricingOverrideId;
use keyward_core::list::{Done, PricingOverrideChanged, PricingOverrideDetail, PricingOverrideList};
use keyward_core::pricing_override::{
    CreatePricingOverride, PricingOverride, PricingOverrideQuery, UpdatePricingOverride,
};

use crate::client::Client;
use crate::error::Error;

const PRICING_OVERRIDES: [&str; 3] = ["api", "governance", "pricing-overrides"];

fn one(id: &PricingOverrideId) -> [&str; 4] {
    let [api, governance, pricing_overrides] = PRICING_OVERRIDES;
    [api, governance, pricing_overrides, id.as_str()]
}

impl Client {
    /// Makes a pricing override.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pricing_override_create(
        &self,
        request: &CreatePricingOverride,
    ) -> Result<PricingOverrideChanged, Error> {
        self.create("pricing_override_create", &PRICING_OVERRIDES, request).await
    }

    /// Lists pricing overrides.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pricing_override_list(&self, query: &PricingOverrideQuery) -> Result<PricingOverrideList, Error> {
        self.list("pricing_override_list", &PRICING_OVERRIDES, query).await
    }

    /// Reads a pricing override.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pricing_override_get(&self, id: &PricingOverrideId) -> Result<PricingOverride, Error> {
        self.get("pricing_override_get", &one(id)).await.map(|detail: PricingOverrideDetail| detail.pricing_override)
    }

    /// Edits a pricing override: what is absent stays.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pricing_override_update(
        &self,
        id: &PricingOverrideId,
        request: &UpdatePricingOverride,
    ) -> Result<PricingOverrideChanged, Error> {
        self.put("pricing_override_update", &one(id), request).await
    }

    /// Does what [`Client::pricing_override_update`] does, by the other documented method.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pricing_override_patch(
        &self,
        id: &PricingOverrideId,
        request: &UpdatePricingOverride,
    ) -> Result<PricingOverrideChanged, Error> {
        self.patch("pricing_override_patch", &one(id), request).await
    }

    /// Deletes a pricing override.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pricing_override_delete(&self, id: &PricingOverrideId) -> Result<Done, Error> {
        self.delete("pricing_override_delete", &one(id)).await
    }
}
