//! The real server on a port of its own, driven through the SDK; every answer is checked against the OpenAPI documents.
//!
//! Databases are SQLite files, or databases of the PostgreSQL server that `KEYWARD_TEST_POSTGRES_URL` names.

#![cfg(test)]
#![allow(unreachable_pub, reason = "the modules of a test binary are its own")]

mod api;
mod browser;
mod cli;
mod compatibility;
mod config_file;
mod contract;
mod coverage;
mod dashboard;
mod demo;
mod examples;
mod gateway;
mod guide;
mod harness;
mod mcp;
mod observability;
mod operations;
mod sdk_examples;
mod sdks;
mod torture;
