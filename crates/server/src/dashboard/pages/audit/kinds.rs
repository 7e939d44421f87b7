//! The kinds of things that the audit log tells of.

use crate::dashboard::components::choice::{Choice, Options};

/// What each is called in the log, and here.
const KINDS: [(&str, &str); 14] = [
    ("config", "Configuration"),
    ("customer", "Customers"),
    ("ledger", "Ledger"),
    ("management_key", "Management keys"),
    ("mcp_client", "MCP clients"),
    ("model_config", "Limits of models and providers"),
    ("price_catalogue", "Price catalogue"),
    ("pricing_override", "Pricing overrides"),
    ("provider", "Providers"),
    ("provider_key", "Provider keys"),
    ("routing_rule", "Routing rules"),
    ("session", "Sessions"),
    ("team", "Teams"),
    ("virtual_key", "Virtual keys"),
];

/// A choice among them.
pub(super) fn kinds() -> Choice {
    Choice::Few(KINDS.map(|(kind, name)| (kind.to_owned(), name.to_owned())).into_iter().collect::<Options>())
}
