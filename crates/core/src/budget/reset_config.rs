//! Where the aligned windows of a budget begin: fiscal quarters.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::month::Month;
use crate::patch::Patch;

/// Where aligned windows begin, when it is not where the calendar's do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResetConfig {
    /// The month that a quarter begins with.
    #[schema(value_type = i64, minimum = 1, maximum = 12)]
    pub quarter_start_month: Month,
}

/// Where aligned windows shall begin: on update, absent keeps and null clears.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResetConfigInput {
    /// The month that a quarter begins with. Only for aligned budgets whose `reset_duration` is in `Q`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 12)]
    pub quarter_start_month: Patch<Month>,
}

impl ResetConfigInput {
    /// The month that a request asks for.
    pub(crate) fn month(asked: &Patch<Self>) -> Patch<Month> {
        match asked {
            Patch::Absent => Patch::Absent,
            Patch::Null => Patch::Null,
            Patch::Value(config) => config.quarter_start_month.clone(),
        }
    }
}
