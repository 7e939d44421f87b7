//! Events: what others are told when the usage of a limit comes near to its cap, once in each of its windows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{EventId, LimitId};
use crate::meter::Metric;
use crate::refusal::Quantity;
use crate::scope::Scope;

mod delivery;
mod list;
mod threshold;

pub use delivery::{DeliveryState, Endpoint, EventDelivery, EventPolicy};
pub use list::{EventList, EventQuery};
pub use threshold::{InvalidThreshold, Threshold, Thresholds};

/// What kind of thing an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum EventType {
    /// The usage of a budget has reached a threshold.
    #[serde(rename = "budget.threshold_reached")]
    BudgetThresholdReached,
    /// The usage of a rate limit, in tokens or in requests, has reached a threshold.
    #[serde(rename = "rate_limit.threshold_reached")]
    RateLimitThresholdReached,
}

impl EventType {
    /// What is told about a limit on this metric.
    #[must_use]
    pub const fn of(metric: Metric) -> Self {
        match metric {
            Metric::Cost => Self::BudgetThresholdReached,
            Metric::Tokens | Metric::Requests | Metric::ParallelRequests => Self::RateLimitThresholdReached,
        }
    }
}

/// Something that others are told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Identifies the event; every attempt to deliver it has it as `webhook-id`.
    pub id: EventId,
    /// What kind of thing it tells.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When the attempt was settled that brought it about.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What it tells.
    pub data: ThresholdReached,
    /// Whom it was or is to be delivered to, by address.
    pub deliveries: Vec<EventDelivery>,
}

/// The usage of a limit has reached a share of its cap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ThresholdReached {
    /// Whose limit it is.
    pub scope: Scope,
    /// The budget or rate limit.
    pub limit: LimitId,
    /// What it counts.
    pub metric: Metric,
    /// The share of the cap that was reached, in percent.
    pub threshold: Threshold,
    /// What was used in the window then: US dollars, tokens or requests.
    pub used: Quantity,
    /// The cap that held for the attempt, with what an override has added to it: US dollars, tokens or requests.
    pub cap: Quantity,
    /// When the window began.
    #[schema(value_type = String, format = DateTime)]
    pub window_start: Timestamp,
    /// When the window ends; null: it does not.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub window_end: Option<Timestamp>,
}
