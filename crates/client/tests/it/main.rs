//! The client against a server on the loopback that answers what a test tells it to.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and its server runs for as long as the test"
)]

mod answers;
mod errors;
mod inference;
mod loopback;
mod operations;
mod pages;
mod requests;
mod retries;
mod streams;
mod timeouts;
#[cfg(feature = "tracing")]
mod traces;
