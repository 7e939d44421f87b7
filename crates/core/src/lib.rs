//! What Keyward's things are: entities, requests, money, windows, prices, scope sets, errors.
//!
//! Nothing here does I/O, reads a clock, an environment or a random source: instants and ids are passed in. The server,
//! the store, the engine and the client SDK all speak in these types.

#![deny(clippy::as_conversions, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking"))]

pub mod address;
pub mod allow_list;
pub mod audit;
pub mod authority;
pub mod base_url;
pub mod budget;
pub mod catalogue;
pub mod change;
pub mod chat;
pub mod crash_point;
pub mod declaration;
pub mod duration;
pub mod embeddings;
pub mod error_body;
pub mod error_code;
pub mod event;
mod expiry;
pub mod explanation;
pub mod ids;
pub mod invalid;
pub mod ledger;
pub mod limits;
pub mod list;
pub mod management_key;
pub mod mcp_client;
pub mod mcp_tools;
pub mod meter;
pub mod model_budget;
pub mod model_config;
pub mod model_list;
pub mod money;
pub mod month;
mod name;
pub mod operation;
pub mod owner;
pub mod patch;
pub mod permission;
pub mod price;
pub mod pricing_override;
pub mod provider;
pub mod provider_config;
pub mod provider_governance;
pub mod provider_object;
pub mod rate_limit;
pub mod refusal;
pub mod responses;
pub mod routing_rule;
pub mod scope;
pub mod scope_set;
pub mod secret;
pub mod server_config;
pub mod session;
pub mod usage;
pub mod virtual_key;
pub mod webhook_url;
pub mod window;
pub mod zone;
