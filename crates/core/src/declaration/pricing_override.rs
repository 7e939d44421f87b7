//! The pricing overrides of a file. The provider key may be named by its name.

use super::{FindKey, definition};
use crate::ids::PricingOverrideId;
use crate::invalid::{Invalid, Pointer};
use crate::limits::Edit;
use crate::pricing_override::{CreatePricingOverride, PricingOverride};

/// A pricing override of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredPricingOverride {
    /// Its id.
    pub id: PricingOverrideId,
    /// Where it stands in the file.
    pub at: Pointer,
    /// Everything else.
    pub request: CreatePricingOverride,
}

impl DeclaredPricingOverride {
    /// The file's definition of it.
    #[must_use]
    pub fn definition(&self) -> String {
        definition(&("pricing_override", &self.id, &self.request))
    }

    /// The same with the id of the key that it names. What `find` does not know stays as it is.
    #[must_use]
    pub fn resolved(&self, find: FindKey<'_>) -> Self {
        let mut resolved = self.clone();
        let key = &mut resolved.request.provider_key_id;
        *key = key.as_ref().map(|key| find(key).unwrap_or_else(|| key.clone()));
        resolved
    }

    /// What the file makes of `before`.
    ///
    /// # Errors
    /// What cannot be carried out, and where in the file it stands.
    pub fn edit(&self, before: Option<&PricingOverride>, edit: &mut Edit<'_>) -> Result<PricingOverride, Invalid> {
        let made = self.request.clone().build(edit).map_err(|invalid| self.locate(invalid))?;
        Ok(PricingOverride {
            id: self.id.clone(),
            config_hash: before.map(|before| before.config_hash.clone()).unwrap_or_default(),
            created_at: before.map_or(made.created_at, |before| before.created_at),
            ..made
        })
    }

    /// The same, said of the file instead of the request.
    #[must_use]
    pub fn locate(&self, invalid: Invalid) -> Invalid {
        invalid.under(&self.at)
    }
}
