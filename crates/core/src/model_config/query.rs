//! Which model configs a list has.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::ModelConfigScope;
use super::requests::scope_of;
use crate::ids::ProviderName;
use crate::invalid::Invalid;
use crate::list::{ListQuery, Page};

/// Which model configs are asked for. Without any member it is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ModelConfigQuery {
    /// How many entries at most: 25 unless given, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub limit: Option<String>,
    /// How many entries to skip.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub offset: Option<String>,
    /// Only entries whose model name has this in it, ignoring the case of ASCII letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only entries of this scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Only entries that name this provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Changes nothing: usage is always the figure that is enforced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_memory: Option<String>,
}

/// A checked part of the list of model configs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelConfigFilter {
    /// Which page.
    pub page: Page,
    /// Only those of this scope.
    pub scope: Option<ModelConfigScope>,
    /// Only those that name this provider.
    pub provider: Option<ProviderName>,
}

impl ModelConfigQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// A limit or offset that is not a number, or negative; a scope that does not exist.
    pub fn check(self) -> Result<ModelConfigFilter, Invalid> {
        let Self { limit, offset, search, scope, provider, from_memory: _ } = self;
        let scope = scope.filter(|text| !text.is_empty()).map(|text| scope_of(&text)).transpose()?;
        let provider = provider.filter(|text| !text.is_empty()).map(ProviderName::from);
        let query = ListQuery { limit, offset, search, from_memory: None };
        let is_filtered = scope.is_some() || provider.is_some();
        let page = if is_filtered { query.paged()? } else { query.check()? };
        Ok(ModelConfigFilter { page, scope, provider })
    }
}
