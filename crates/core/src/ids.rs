//! Identifiers: one newtype per kind of thing, so that a team's id can never be passed for a customer's.
//!
//! Ids are opaque strings on the wire. Those that Keyward makes are UUIDs; those of a configuration file may be
//! any text. They are cheap to clone: the hot path shares them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! string_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id's text, which clones share.
            #[must_use]
            pub fn shared(&self) -> Arc<str> {
                self.0.clone()
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid.to_string().into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    )+};
}

string_id! {
    /// Identifies a virtual key; not its secret.
    VirtualKeyId;
    /// Identifies a team.
    TeamId;
    /// Identifies a customer.
    CustomerId;
    /// Identifies a management key; not its secret.
    ManagementKeyId;
    /// Identifies a session; not its token.
    SessionId;
    /// Identifies a budget or a rate limit: whatever owns meters.
    LimitId;
    /// Identifies a model config.
    ModelConfigId;
    /// Identifies a model budget of a provider config.
    ModelBudgetId;
    /// Identifies a pricing override.
    PricingOverrideId;
    /// Identifies a provider key; not its secret.
    ProviderKeyId;
    /// The unique name of a provider, such as `openai`.
    ProviderName;
    /// A model as its provider calls it, such as `gpt-4o`.
    ModelName;
    /// Identifies a routing rule.
    RoutingRuleId;
    /// Identifies an MCP client: its `client_id`.
    McpClientId;
    /// Identifies an event, the same in every attempt to deliver it.
    EventId;
    /// Identifies an endpoint that events are delivered to, without showing its address.
    EndpointId;
    /// Identifies one request to the gateway; minted by the server, never taken from a client.
    RequestId;
}

/// Where new ids come from: randomness is passed in, so that nothing here is nondeterministic on its own.
pub type Mint<'a> = &'a mut dyn FnMut() -> Uuid;
