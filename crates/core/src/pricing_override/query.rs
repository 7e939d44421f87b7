//! Which pricing overrides a list has.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::PricingScopeKind;
use crate::ids::{ProviderKeyId, ProviderName, VirtualKeyId};
use crate::invalid::Invalid;
use crate::list::{ListQuery, Page};

/// Which pricing overrides are asked for. Without any member it is all of them; an empty id is no filter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PricingOverrideQuery {
    /// How many entries at most: 25 unless given, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub limit: Option<String>,
    /// How many entries to skip.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub offset: Option<String>,
    /// Only entries whose name has this in it, ignoring the case of ASCII letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only entries of this kind of scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_kind: Option<String>,
    /// Only entries for this virtual key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_key_id: Option<String>,
    /// Only entries for this provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// Only entries for this provider key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_key_id: Option<String>,
}

/// A checked part of the list of pricing overrides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PricingOverrideFilter {
    /// Which page.
    pub page: Page,
    /// Only those of this kind of scope.
    pub scope_kind: Option<PricingScopeKind>,
    /// Only those for this virtual key.
    pub virtual_key_id: Option<VirtualKeyId>,
    /// Only those for this provider.
    pub provider_id: Option<ProviderName>,
    /// Only those for this provider key.
    pub provider_key_id: Option<ProviderKeyId>,
}

impl PricingOverrideQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// A limit or offset that is not a number, or negative; a kind of scope that does not exist.
    pub fn check(self) -> Result<PricingOverrideFilter, Invalid> {
        let page =
            ListQuery { limit: self.limit, offset: self.offset, search: self.search, from_memory: None }.check()?;
        Ok(PricingOverrideFilter {
            page,
            scope_kind: trimmed(self.scope_kind).map(|text| PricingScopeKind::parse(&text)).transpose()?,
            virtual_key_id: trimmed(self.virtual_key_id).map(Into::into),
            provider_id: trimmed(self.provider_id).map(Into::into),
            provider_key_id: trimmed(self.provider_key_id).map(Into::into),
        })
    }
}

fn trimmed(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
