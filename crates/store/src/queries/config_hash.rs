//! What the configuration file said last of each thing, as a keyed hash. It is no configuration of the thing: writing it changes
//! no version and is not recorded.

use diesel::prelude::*;

use super::Conn;
use crate::error::StoreError;
use crate::schema::{
    budgets, customers, mcp_clients, model_configs, pricing_overrides, provider_keys, providers, rate_limits,
    routing_rules, server_config, teams, virtual_keys,
};

/// A thing that a configuration file can declare.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject<'a> {
    Customer(&'a str),
    Team(&'a str),
    VirtualKey(&'a str),
    ModelConfig(&'a str),
    RoutingRule(&'a str),
    PricingOverride(&'a str),
    Provider(&'a str),
    ProviderKey(&'a str),
    McpClient(&'a str),
    /// A budget or a rate limit: their ids are distinct.
    Limit(&'a str),
    Client,
}

/// Remembers the hash of what the file says of a thing.
pub(super) fn set(c: &mut Conn, subject: Subject<'_>, hash: &str) -> Result<(), StoreError> {
    macro_rules! set {
        ($table:ident, $key:ident, $id:expr) => {{
            let row = $table::table.filter($table::$key.eq($id)).filter($table::config_hash.ne(hash));
            diesel::update(row).set($table::config_hash.eq(hash)).execute(c)?;
        }};
    }
    match subject {
        Subject::Customer(id) => set!(customers, id, id),
        Subject::Team(id) => set!(teams, id, id),
        Subject::VirtualKey(id) => set!(virtual_keys, id, id),
        Subject::ModelConfig(id) => set!(model_configs, id, id),
        Subject::RoutingRule(id) => set!(routing_rules, id, id),
        Subject::PricingOverride(id) => set!(pricing_overrides, id, id),
        Subject::Provider(name) => set!(providers, name, name),
        Subject::ProviderKey(id) => set!(provider_keys, id, id),
        Subject::McpClient(id) => set!(mcp_clients, id, id),
        Subject::Limit(id) => {
            set!(budgets, id, id);
            set!(rate_limits, id, id);
        }
        Subject::Client => set!(server_config, id, 1),
    }
    Ok(())
}
