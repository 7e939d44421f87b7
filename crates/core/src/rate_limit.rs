//! Rate limits: caps on tokens and requests over windows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::reading;
use crate::duration::ResetDuration;
use crate::ids::LimitId;
use crate::invalid::{Invalid, Pointer};
use crate::meter::{Count, Enforcement, MeterId, Metric, OutputClamp};
use crate::month::Month;
use crate::patch::Patch;
use crate::window::WindowPolicy;
use crate::zone::Zone;

/// A cap on tokens, on requests, or on both, each over its own window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RateLimit {
    /// Identifies the rate limit.
    pub id: LimitId,
    /// The most tokens in a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token_max_limit: Option<i64>,
    /// How long a token window is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token_reset_duration: Option<ResetDuration>,
    /// Tokens used in the current window.
    pub token_current_usage: i64,
    /// When the current token window began.
    #[schema(value_type = String, format = DateTime)]
    pub token_last_reset: Timestamp,
    /// The most requests in a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub request_max_limit: Option<i64>,
    /// How long a request window is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub request_reset_duration: Option<ResetDuration>,
    /// Requests in the current window.
    pub request_current_usage: i64,
    /// When the current request window began.
    #[schema(value_type = String, format = DateTime)]
    pub request_last_reset: Timestamp,
    /// True when windows follow the calendar in UTC, of those durations that can: others roll from the rate limit's creation.
    #[serde(default)]
    #[schema(required = true)]
    pub calendar_aligned: bool,
    /// How strictly the caps are held; absent: as the server does by default with what each counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub enforcement: Option<Enforcement>,
    /// Whether a request's output may be capped so that it fits; absent: `when_absent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub output_clamp: Option<OutputClamp>,
    /// A hash of the configuration file's definition; empty for rate limits made through the API.
    pub config_hash: String,
    /// When the rate limit was made; rolling windows begin here.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl RateLimit {
    /// The caps that are set, with their windows.
    pub fn caps(&self) -> impl Iterator<Item = (MeterId, i64, WindowPolicy)> {
        let tokens = (Metric::Tokens, self.token_max_limit, &self.token_reset_duration);
        let requests = (Metric::Requests, self.request_max_limit, &self.request_reset_duration);
        [tokens, requests].into_iter().filter_map(|(metric, cap, duration)| {
            let id = MeterId { limit: self.id.clone(), metric };
            let duration = duration.as_ref()?;
            let windows = WindowPolicy::new(duration, self.calendar_aligned, &Zone::default(), Month::default());
            Some((id, cap?, windows))
        })
    }

    /// True when a duration of it is a whole number of calendar units.
    #[must_use]
    pub fn can_be_aligned(&self) -> bool {
        let durations = [&self.token_reset_duration, &self.request_reset_duration];
        durations.into_iter().flatten().any(|duration| duration.calendar().is_some())
    }

    /// Lets those windows follow the calendar that can, or all of them roll.
    pub(crate) fn align(&mut self, aligned: bool) {
        self.calendar_aligned = aligned && self.can_be_aligned();
    }

    /// Shows what the meters read at `now`.
    pub fn observe(&mut self, read: &dyn Fn(&MeterId) -> Option<Count>, now: Timestamp) {
        for (id, _, windows) in self.caps().collect::<Vec<_>>() {
            let count = reading(&windows, self.created_at, read(&id), now);
            let (usage, last_reset) = match id.metric {
                Metric::Requests => (&mut self.request_current_usage, &mut self.request_last_reset),
                Metric::ParallelRequests | Metric::Tokens | Metric::Cost => {
                    (&mut self.token_current_usage, &mut self.token_last_reset)
                }
            };
            *usage = count.used;
            *last_reset = count.window.start;
        }
    }
}

/// A rate limit as requests give it: on update, absent keeps and null clears.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimitInput {
    /// The most tokens in a window, more than zero.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<i64>)]
    pub token_max_limit: Patch<i64>,
    /// How long a token window is, such as `1m`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<ResetDuration>)]
    pub token_reset_duration: Patch<ResetDuration>,
    /// The most requests in a window, more than zero.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<i64>)]
    pub request_max_limit: Patch<i64>,
    /// How long a request window is, such as `1m`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<ResetDuration>)]
    pub request_reset_duration: Patch<ResetDuration>,
    /// Follow the calendar; needs a duration in `d`, `w`, `M`, `Q` or `Y`. Defaults to the owner's setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar_aligned: Option<bool>,
    /// How strictly the caps are held; null: as the server does by default with what each counts.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Enforcement>)]
    pub enforcement: Patch<Enforcement>,
    /// Whether a request's output may be capped so that it fits; null: `when_absent`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<OutputClamp>)]
    pub output_clamp: Patch<OutputClamp>,
}

/// What a rule of a list of rate limits counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateMetric {
    /// Tokens of all classes.
    Tokens,
    /// Requests.
    Requests,
}

impl RateMetric {
    /// The metric's name, as a sentence has it.
    const fn noun(self) -> &'static str {
        match self {
            Self::Tokens => "token",
            Self::Requests => "request",
        }
    }
}

/// One cap of a list of rate limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimitRule {
    /// What it counts.
    pub metric: RateMetric,
    /// The most tokens or requests, as `metric` says, in a window; more than zero.
    pub max_limit: i64,
    /// How long a window is, such as `1m`.
    pub reset_duration: ResetDuration,
}

/// The one rate limit that a request asks for, in either of its forms. The list is the full set: a metric without a rule has
/// no cap.
///
/// # Errors
/// Both forms at once, two rules for one metric, and a cap that is not more than zero.
pub(crate) fn either_form(
    single: Patch<RateLimitInput>,
    rules: Patch<Vec<RateLimitRule>>,
    at: &Pointer,
) -> Result<Patch<RateLimitInput>, Invalid> {
    let at = at.member("rate_limits");
    match (single, rules) {
        (single, Patch::Absent) => Ok(single),
        (Patch::Absent, Patch::Null) => Ok(Patch::Null),
        (Patch::Absent, Patch::Value(rules)) if rules.is_empty() => Ok(Patch::Null),
        (Patch::Absent, Patch::Value(rules)) => combined(rules, &at).map(Patch::Value),
        (Patch::Null | Patch::Value(_), Patch::Null | Patch::Value(_)) => {
            Err(Invalid::at(at, "only one of 'rate_limit' or 'rate_limits' may be set"))
        }
    }
}

fn combined(rules: Vec<RateLimitRule>, at: &Pointer) -> Result<RateLimitInput, Invalid> {
    let mut limit = RateLimitInput {
        token_max_limit: Patch::Null,
        token_reset_duration: Patch::Null,
        request_max_limit: Patch::Null,
        request_reset_duration: Patch::Null,
        ..RateLimitInput::default()
    };
    for (index, rule) in rules.into_iter().enumerate() {
        let at = at.element(index);
        let noun = rule.metric.noun();
        let (cap, duration) = match rule.metric {
            RateMetric::Tokens => (&mut limit.token_max_limit, &mut limit.token_reset_duration),
            RateMetric::Requests => (&mut limit.request_max_limit, &mut limit.request_reset_duration),
        };
        if *cap != Patch::Null {
            return Err(Invalid::at(at.member("metric"), format!("there may be one {noun} rule at most")));
        }
        check_positive(noun, rule.max_limit, at.member("max_limit"))?;
        check_ends(&rule.reset_duration, &at.member("reset_duration"))?;
        (*cap, *duration) = (Patch::Value(rule.max_limit), Patch::Value(rule.reset_duration));
    }
    Ok(limit)
}

/// A rate is over time: its windows end. What never resets is a balance, which only budgets are.
pub(crate) fn check_ends(duration: &ResetDuration, at: &Pointer) -> Result<(), Invalid> {
    match duration.is_never() {
        true => Err(Invalid::at(at.clone(), "a rate limit's window has to end: 'never' is for budgets")),
        false => Ok(()),
    }
}

/// A cap must be more than zero.
pub(crate) fn check_positive(noun: &str, cap: i64, at: Pointer) -> Result<(), Invalid> {
    match cap {
        ..=0 => Err(Invalid::at(at, format!("rate limit {noun} max limit cannot be negative or zero: {cap}"))),
        1.. => Ok(()),
    }
}
