//! Admission: the engine decides what may be spent, holds it, and settles what was.
//!
//! The way in is a chain of types, each made from the one before and by nobody else: a key's hash becomes a [`Principal`],
//! that a [`Permit`] for one provider and model, that an [`Admission`]. Only an admission may reach an upstream, and it ends
//! in exactly one ledger entry or in a release. There is no HTTP here, no SQL, and no clock: instants are passed in.

#![deny(clippy::as_conversions, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking"))]

mod admission;
mod admit;
mod afterwards;
mod alike;
mod counter;
mod counters;
mod explain;
mod identity;
mod journal;
mod model_policy;
mod open;
mod plan;
mod policies;
mod policy;
mod standing;
mod sync;
mod terms;
mod tools;

pub use admission::{Admission, Ledger, Pulse, Settlement};
pub use admit::{Attempt, Demand, Engine};
pub use afterwards::{Inquiry, Spent};
pub use explain::{Coverage, Explanation, Granted, MeterLevel};
pub use identity::{Permit, Principal};
pub use journal::{
    Inspection, Journal, JournalError, JournalOptions, OpenHold, Receipt, Recovery, SegmentInspection, Tail, inspect,
};
pub use standing::{Choice, Holder, Reading};
pub use terms::OutputDemand;
