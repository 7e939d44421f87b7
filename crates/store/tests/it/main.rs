//! The store on a database of its own per test: SQLite, or PostgreSQL when `KEYWARD_TEST_POSTGRES_URL` names a server.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod attempt;
mod audit;
mod database;
mod entities;
mod epochs;
mod events;
mod ledger;
mod opening;
mod provider_objects;
mod reconciliation;
mod references;
mod request;
mod rerating;
mod retention;
mod schema;
mod secrets;
mod usage;
mod virtual_keys;
