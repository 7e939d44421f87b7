//! Which kind of thing a broken uniqueness constraint is about: the backends report it differently.

use diesel::result::DatabaseErrorInformation;

use crate::error::Noun;

/// What already exists, when the violated constraint belongs to a named thing.
pub(crate) fn duplicated(information: &dyn DatabaseErrorInformation) -> Option<Noun> {
    match information.table_name().or_else(|| sqlite_table(information.message()))? {
        "virtual_keys" => Some(Noun::VirtualKey),
        "teams" => Some(Noun::Team),
        "customers" => Some(Noun::Customer),
        "providers" => Some(Noun::Provider),
        "provider_keys" => Some(Noun::ProviderKey),
        "budgets" => Some(Noun::Budget),
        "rate_limits" => Some(Noun::RateLimit),
        "model_configs" => Some(Noun::ModelConfig),
        "routing_rules" => Some(Noun::RoutingRule),
        "mcp_clients" => Some(Noun::McpClient),
        "management_keys" => Some(Noun::ManagementKey),
        _ => None,
    }
}

/// SQLite has only a message: `UNIQUE constraint failed: teams.name`.
fn sqlite_table(message: &str) -> Option<&str> {
    let (_, column) = message.rsplit_once(": ")?;
    Some(column.split_once('.')?.0)
}
