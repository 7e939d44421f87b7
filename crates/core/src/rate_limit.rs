//! Rate limits: caps on tokens and requests over windows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::reading;
use crate::duration::ResetDuration;
use crate::ids::LimitId;
use crate::meter::{Count, MeterId, Metric};
use crate::patch::Patch;
use crate::window::WindowPolicy;

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
    /// A hash of the configuration file's definition; empty for rate limits made through the API.
    pub config_hash: String,
    /// When the rate limit was made; its windows begin here.
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
            Some((id, cap?, WindowPolicy::Rolling(duration.as_ref()?.length())))
        })
    }

    /// Shows what the meters read at `now`.
    pub fn observe(&mut self, read: &dyn Fn(&MeterId) -> Option<Count>, now: Timestamp) {
        for (id, _, windows) in self.caps().collect::<Vec<_>>() {
            let count = reading(&windows, self.created_at, read(&id), now);
            let (usage, last_reset) = match id.metric {
                Metric::Requests => (&mut self.request_current_usage, &mut self.request_last_reset),
                Metric::Tokens | Metric::Cost => (&mut self.token_current_usage, &mut self.token_last_reset),
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
}
