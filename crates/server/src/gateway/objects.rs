//! What providers keep beyond one request: responses, files, batches. It belongs to the virtual key that made it through Keyward:
//! for all others it is not there. It is only ever asked for where it was made, with the provider key that made it.
//!
//! Keeping costs nothing, so that requests about objects are free by declaration. What a batch costs is charged when it becomes
//! known, once.

mod about;
mod batch;
pub(crate) mod batches;
mod bounded;
mod collected;
mod errand;
mod file;
mod keeping;
mod line;
mod list;
mod message_batch;
mod owned;
mod tally;
mod told;
mod way;

pub(super) use errand::Errand;
pub(super) use keeping::Keeping;
pub(super) use list::{AnthropicRange, ObjectPage, Range};
pub(crate) use owned::Objects;
pub(super) use owned::{place, remember};
