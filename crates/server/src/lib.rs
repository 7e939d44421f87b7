//! The Keyward server: the management API, the gateway, and the `keyward` command.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking"))]

mod access;
mod admin;
mod api;
mod auth;
mod body;
mod caller;
pub mod cli;
mod clock;
mod clouds;
pub mod config;
mod content;
mod cors;
mod credentials;
mod dashboard;
pub mod demo;
mod descriptors;
mod envelope;
mod error;
mod expiry;
mod gateway;
mod health;
pub mod in_process;
mod journal;
mod json;
mod kept;
mod lapses;
mod ledger_writer;
mod mcp;
mod metrics;
mod no_such_route;
pub mod observability;
pub mod openapi;
mod params;
mod pieces;
mod reference;
mod request_id;
mod retention;
mod routes;
mod server;
mod spreadsheet;
mod state;
mod tagged;
mod telemetry;
mod upstreams;
mod usage;
mod webhooks;

pub use admin::AdminCredential;
#[cfg(any(test, fuzzing))]
pub use gateway::fuzzing;
pub use ledger_writer::NotDurable;
pub use server::{Server, ServerError};
