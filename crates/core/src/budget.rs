//! Budgets: caps on money over a window.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::duration::{CalendarUnit, ResetDuration};
use crate::ids::{CustomerId, LimitId, ModelBudgetId, ModelConfigId, TeamId, VirtualKeyId};
use crate::meter::{Count, Enforcement, MeterId, Metric, OutputClamp};
use crate::money::NanoUsd;
use crate::month::Month;
use crate::patch::Patch;
use crate::window::WindowPolicy;
use crate::zone::Zone;

mod raise;
mod reset_config;
mod usage;

pub use raise::{BudgetOverridden, OverrideBudget, OverrideMode};
pub use reset_config::{ResetConfig, ResetConfigInput};
pub use usage::ModelUsage;

/// A cap on money over a window, and how much of it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Budget {
    /// Identifies the budget.
    pub id: LimitId,
    /// The cap in US dollars.
    pub max_limit: NanoUsd,
    /// How long a window is.
    pub reset_duration: ResetDuration,
    /// True when windows follow the calendar instead of rolling from the budget's creation.
    pub calendar_aligned: bool,
    /// The zone whose midnight aligned windows begin at.
    pub timezone: Zone,
    /// Where aligned windows begin, when it is not where the calendar's do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reset_config: Option<ResetConfig>,
    /// When the current window began.
    #[schema(value_type = String, format = DateTime)]
    pub last_reset: Timestamp,
    /// When the current window ends; null: it does not.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub resets_at: Option<Timestamp>,
    /// US dollars used in the current window.
    pub current_usage: NanoUsd,
    /// In a quota: what the current window was spent on, dearest model first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub per_model_usage: Option<Vec<ModelUsage>>,
    /// The customer whose budget it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub customer_id: Option<CustomerId>,
    /// The team whose budget it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub team_id: Option<TeamId>,
    /// The virtual key whose budget it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub virtual_key_id: Option<VirtualKeyId>,
    /// Identifies the provider config whose budget it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub provider_config_id: Option<i64>,
    /// The model config whose budget it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub model_config_id: Option<ModelConfigId>,
    /// The model budget of a provider config whose budget it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub model_budget_id: Option<ModelBudgetId>,
    /// How strictly the cap is held; absent: as the server does by default with budgets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub enforcement: Option<Enforcement>,
    /// Whether a request's output may be capped so that it fits; absent: `when_absent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub output_clamp: Option<OutputClamp>,
    /// US dollars that an override adds to the cap at present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub override_amount: Option<NanoUsd>,
    /// How long the override holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub override_mode: Option<OverrideMode>,
    /// How many windows the override still holds, the current one included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub override_cycles_left: Option<u32>,
    /// When the override ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub override_expires_at: Option<Timestamp>,
    /// A hash of the configuration file's definition; empty for budgets made through the API.
    pub config_hash: String,
    /// When the budget was made; rolling windows begin here.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Budget {
    /// A budget that begins at `now`, unused and without an owner.
    #[must_use]
    pub fn new(id: LimitId, max_limit: NanoUsd, reset_duration: ResetDuration, now: Timestamp) -> Self {
        Self {
            id,
            max_limit,
            reset_duration,
            calendar_aligned: false,
            timezone: Zone::default(),
            reset_config: None,
            last_reset: now,
            resets_at: None,
            current_usage: NanoUsd::ZERO,
            per_model_usage: None,
            customer_id: None,
            team_id: None,
            virtual_key_id: None,
            provider_config_id: None,
            model_config_id: None,
            model_budget_id: None,
            enforcement: None,
            output_clamp: None,
            override_amount: None,
            override_mode: None,
            override_cycles_left: None,
            override_expires_at: None,
            config_hash: String::new(),
            created_at: now,
            updated_at: now,
        }
    }

    /// How the budget's windows lie in time.
    #[must_use]
    pub fn windows(&self) -> WindowPolicy {
        let quarter_start = self.reset_config.map_or(Month::default(), |config| config.quarter_start_month);
        WindowPolicy::new(&self.reset_duration, self.calendar_aligned, &self.timezone, quarter_start)
    }

    /// Lets windows follow the calendar, if they can, or roll. Where quarters begin is forgotten when there are none.
    pub fn align(&mut self, aligned: bool) {
        self.calendar_aligned = aligned && self.reset_duration.calendar().is_some();
        self.reset_config = self.reset_config.filter(|_| self.has_quarters());
    }

    /// True when windows are quarters of the calendar.
    pub(crate) fn has_quarters(&self) -> bool {
        let quarters = self.reset_duration.calendar().is_some_and(|(_, unit)| unit == CalendarUnit::Quarter);
        self.calendar_aligned && quarters
    }

    /// The id of the budget's one meter.
    #[must_use]
    pub fn meter_id(&self) -> MeterId {
        MeterId { limit: self.id.clone(), metric: Metric::Cost }
    }

    /// Shows what the meter reads at `now`.
    pub fn observe(&mut self, count: Option<Count>, now: Timestamp) {
        let windows = self.windows();
        let reading = reading(&windows, self.created_at, count, now);
        self.last_reset = reading.window.start;
        self.resets_at = windows.end(reading.window);
        self.current_usage = NanoUsd::from_nanos(reading.used);
        self.show_override(now);
    }
}

/// What a counter reads at `now`; one that was never touched reads zero.
pub(crate) fn reading(windows: &WindowPolicy, anchor: Timestamp, count: Option<Count>, now: Timestamp) -> Count {
    let window = windows.window_at(anchor, now);
    count.map_or(Count::empty(window), |count| count.rolled(window, now))
}

/// A budget as requests give it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetInput {
    /// The existing budget that is meant, on update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<LimitId>,
    /// The cap in US dollars, more than zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_limit: Option<NanoUsd>,
    /// How long a window is, such as `1d` or `1M`; `never`: the budget is prepaid, and its one window does not end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_duration: Option<ResetDuration>,
    /// Follow the calendar; needs a duration in `d`, `w`, `M`, `Q` or `Y`. Defaults to the owner's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar_aligned: Option<bool>,
    /// The zone whose midnight aligned windows begin at; UTC unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Zone>,
    /// Where aligned quarters begin; null: with January.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<ResetConfigInput>)]
    pub reset_config: Patch<ResetConfigInput>,
    /// How strictly the cap is held; null: as the server does by default with budgets.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Enforcement>)]
    pub enforcement: Patch<Enforcement>,
    /// Whether a request's output may be capped so that it fits; null: `when_absent`.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<OutputClamp>)]
    pub output_clamp: Patch<OutputClamp>,
}

impl BudgetInput {
    /// A budget of `max_limit` over `reset_duration`.
    #[must_use]
    pub fn new(max_limit: NanoUsd, reset_duration: ResetDuration) -> Self {
        Self { max_limit: Some(max_limit), reset_duration: Some(reset_duration), ..Self::default() }
    }
}
