//! Keyward's storage on SQLite and PostgreSQL: schema, migrations, one query module per aggregate.
//!
//! A unit of work is one synchronous closure in one transaction, compiled once per backend. It runs as a detached task,
//! so that a caller that goes away cannot cancel a half-done write. Nothing outside this crate sees a connection, and
//! secrets are sealed before they reach one.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking"))]

mod address;
mod constraint;
mod error;
mod instant;
mod key_file;
mod lock;
mod postgres;
mod recorder;
mod root_key;
mod schema;
mod seal;
mod sealed_map;
mod serving_lock;
mod sqlite;
mod store;
mod tls;

pub use error::{Noun, StoreError};
pub use root_key::{KeyHasher, RootKey};
pub use schema::TABLES;
pub use store::{
    Attempted, ConfigRecord, CredentialStamp, Expired, LedgerTotals, LimitHolder, McpServer, NewCatalogue, OpenSession,
    PendingDelivery, Policies, Reveal, SessionTerms, Store, StoreOptions, StoredAuth, StoredCatalogue, StoredPassword,
    UpstreamHeaders, UpstreamKey,
};
