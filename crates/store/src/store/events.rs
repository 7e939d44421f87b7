//! Events and their deliveries.

use std::sync::Arc;

use jiff::Timestamp;
use keyward_core::event::{Event, EventPolicy};
use keyward_core::ids::{EndpointId, EventId};
use keyward_core::list::{Listed, Page};
use tokio::sync::watch;

use super::{Database, Store};
use crate::error::StoreError;

/// An event that an endpoint has not accepted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingDelivery {
    /// The event; its deliveries are not looked up.
    pub event: Event,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is tried next.
    pub next_at: Timestamp,
}

/// What became of an attempt to deliver an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempted {
    /// It was accepted, then.
    Delivered(Timestamp),
    /// It was in vain.
    Failed {
        /// Why, without anything secret.
        error: String,
        /// When it is tried again; none: never.
        next_at: Option<Timestamp>,
    },
}

impl Store {
    /// The same database, with events as this policy has them. Without one there are none.
    #[must_use]
    pub fn announcing(self, policy: EventPolicy) -> Self {
        Self { policy: Arc::new(policy), ..self }
    }

    /// Changes whenever events were written.
    #[must_use]
    pub fn events_written(&self) -> watch::Receiver<u64> {
        self.inner.events_written.subscribe()
    }

    /// A page of events with their deliveries, newest first.
    ///
    /// # Errors
    /// Only faults.
    pub async fn event_list(&self, page: Page) -> Result<Listed<Event>, StoreError> {
        reading!(self, |queries, c| queries::event::list(c, &page))
    }

    /// Up to `most` events that an endpoint has not accepted yet, the one that is tried next first.
    ///
    /// # Errors
    /// Only faults.
    pub async fn deliveries_pending(
        &self,
        endpoint: EndpointId,
        most: i64,
    ) -> Result<Vec<PendingDelivery>, StoreError> {
        reading!(self, |queries, c| queries::event::pending(c, &endpoint, most))
    }

    /// Writes down what became of an attempt to deliver an event.
    ///
    /// # Errors
    /// Only faults.
    pub async fn delivery_settle(
        &self,
        event: EventId,
        endpoint: EndpointId,
        attempted: Attempted,
    ) -> Result<(), StoreError> {
        writing!(self, |queries, c| queries::event::settle(c, &event, &endpoint, attempted))
    }

    /// Gives up what is addressed to endpoints that the policy does not have. Returns how many deliveries those were.
    ///
    /// # Errors
    /// Only faults.
    pub async fn deliveries_abandon(&self) -> Result<usize, StoreError> {
        let endpoints: Vec<EndpointId> = self.policy.endpoints.iter().map(|endpoint| endpoint.id.clone()).collect();
        writing!(self, |queries, c| queries::event::abandon(c, &endpoints))
    }

    /// Removes events that came about before an instant: those that are not waiting for anybody, were not delivered since, and whose
    /// window is counted no longer. Returns how many those were.
    ///
    /// # Errors
    /// Only faults.
    pub async fn events_expire(&self, before: Timestamp) -> Result<usize, StoreError> {
        writing!(self, |queries, c| queries::event::expire(c, before))
    }
}
