//! The published contract, held against a server: every answer is documented, and every documented answer is given.
//!
//! [`Contract`] judges single answers. [`verify`] talks to a server, lets the contract judge whatever it says, and reports by
//! operation. Nothing here knows Keyward's code: what it goes by are the documents below `openapi/`, so that it can hold another
//! implementation of the API to them as well.

mod call;
mod contract;
mod coverage;
mod credential;
mod document;
mod headers;
mod junit;
mod report;
mod run;
mod scenario;
mod schema;
mod sse;
mod unprovoked;
mod upstream;
mod verify;
mod violation;

pub mod seeds;

pub use contract::{Contract, Exchange};
pub use coverage::Reached;
pub use credential::{Credential, InvalidCredential};
pub use document::{Document, Operation};
pub use junit::{Unwritable, write as write_junit};
pub use report::{OperationReport, Report};
pub use sse::{Event, Events, Malformed};
pub use unprovoked::{UNPROVOKED, Unprovoked, is_unaudited};
pub use verify::{CannotRun, Options, verify};
pub use violation::Violation;
