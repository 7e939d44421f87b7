//! Operations on events.

use keyward_core::event::{EventList, EventQuery};

use crate::client::Client;
use crate::error::Error;

impl Client {
    /// Lists events of all owners, newest first, and how far their deliveries have come.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn event_list(&self, query: &EventQuery) -> Result<EventList, Error> {
        self.list("event_list", &["api", "governance", "events"], query).await
    }
}
