//! The operations: one method of the client for each, under its operation id, in one file per resource.

mod audit;
mod config;
mod customers;
mod events;
mod health;
mod inference;
mod limits;
mod management_keys;
mod mcp_clients;
mod model_configs;
mod pricing_overrides;
mod providers;
mod routing_rules;
mod sessions;
mod teams;
mod usage;
mod virtual_keys;
