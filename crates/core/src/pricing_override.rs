//! Pricing overrides: prices in place of the catalogue's, for some models and some callers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::change::Versioned;
use crate::ids::{PricingOverrideId, ProviderKeyId, ProviderName, VirtualKeyId};

mod cost_field;
mod matching;
mod patch;
mod place;
mod price_list;
mod query;
mod requests;
mod scope;
mod table;

pub use cost_field::CostField;
pub use matching::{MatchType, Pattern, RequestType};
pub use patch::{PricePatch, UnitPrice};
pub(crate) use place::Place;
pub use price_list::PriceList;
pub use query::{PricingOverrideFilter, PricingOverrideQuery};
pub use requests::{CreatePricingOverride, UpdatePricingOverride};
pub use scope::{PricingScope, PricingScopeKind};
pub use table::{Priced, PricingTable};

/// Prices in place of the catalogue's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PricingOverride {
    /// Identifies the pricing override.
    #[schema(value_type = String)]
    pub id: PricingOverrideId,
    /// A name for people.
    pub name: String,
    /// Whose requests it is for.
    pub scope_kind: PricingScopeKind,
    /// The virtual key, when the scope has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub virtual_key_id: Option<VirtualKeyId>,
    /// The provider's name, when the scope has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub provider_id: Option<ProviderName>,
    /// The provider key, when the scope has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub provider_key_id: Option<ProviderKeyId>,
    /// How `pattern` is compared with the model.
    pub match_type: MatchType,
    /// The model, or with `wildcard` what its name begins with, and `*`.
    pub pattern: String,
    /// The kinds of requests that it is for.
    pub request_types: Vec<RequestType>,
    /// The prices.
    pub patch: PricePatch,
    /// The prices as JSON text.
    pub pricing_patch: String,
    /// A hash of the configuration file's definition; empty when made through the API.
    pub config_hash: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Versioned for PricingOverride {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}
