//! Whom events are delivered to, and how far that has come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EventType, Thresholds};
use crate::ids::EndpointId;

/// When there is an event, and whom it is delivered to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPolicy {
    /// The shares of a cap that are told.
    pub thresholds: Thresholds,
    /// Those who want to be told.
    pub endpoints: Vec<Endpoint>,
}

impl EventPolicy {
    /// Nothing is told to nobody.
    #[must_use]
    pub const fn silent() -> Self {
        Self { thresholds: Thresholds::NONE, endpoints: Vec::new() }
    }
}

/// Somebody who wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Identifies the endpoint.
    pub id: EndpointId,
    /// What may be shown of its address: scheme, host and port.
    pub origin: String,
    /// Which events it wants; none: all.
    pub events: Option<Vec<EventType>>,
}

impl Endpoint {
    /// Whether it wants events of this type.
    #[must_use]
    pub fn wants(&self, kind: EventType) -> bool {
        self.events.as_ref().is_none_or(|wanted| wanted.contains(&kind))
    }
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is tried, again if it must be.
    Pending,
    /// The endpoint has accepted it.
    Delivered,
    /// It was tried in vain often enough, or its endpoint is configured no longer.
    GivenUp,
}

/// The delivery of an event to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventDelivery {
    /// Scheme, host and port of the endpoint; the rest of its address may be a secret.
    pub endpoint: String,
    /// How far it has come.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is tried next; null: it is not.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub next_at: Option<Timestamp>,
    /// When it was accepted; null: it was not.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub delivered_at: Option<Timestamp>,
    /// Why the last attempt was in vain; null: it was not.
    #[schema(required = true)]
    pub last_error: Option<String>,
}
