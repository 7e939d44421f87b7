//! The query modules, one per aggregate. They are plain synchronous functions on the connection of the backend that
//! includes this file; each runs inside the transaction of the unit of work that calls it.

use super::{Backend, Conn, MIGRATIONS, folded};

pub(crate) mod audit;
pub(crate) mod budget_override;
mod config_hash;
pub(crate) mod customer;
pub(crate) mod declaration;
pub(crate) mod grounds;
mod idempotency;
pub(crate) mod ledger;
pub(crate) mod limit;
pub(crate) mod management_key;
pub(crate) mod mcp_client;
mod mcp_client_keys;
mod mcp_config;
pub(crate) mod meter;
pub(crate) mod migration;
mod model_budget;
pub(crate) mod model_config;
mod orphan;
pub(crate) mod policies;
pub(crate) mod pricing_override;
pub(crate) mod provider;
mod provider_config;
pub(crate) mod provider_edit;
pub(crate) mod provider_governance;
pub(crate) mod provider_key;
pub(crate) mod provider_key_edit;
mod reach;
pub(crate) mod reconciliation;
mod reference;
pub(crate) mod rerating;
pub(crate) mod retention;
pub(crate) mod root_key_check;
pub(crate) mod routing_rule;
mod search;
pub(crate) mod server_config;
pub(crate) mod session;
pub(crate) mod team;
pub(crate) mod upstream_key;
pub(crate) mod virtual_key;
pub(crate) mod virtual_key_edit;
pub(crate) mod virtual_key_list;
mod virtual_key_many;
mod virtual_key_metadata;
pub(crate) mod virtual_key_rotation;
