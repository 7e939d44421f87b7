//! The gateway: the only way to an upstream. The order of the stages is the code.
//!
//! authenticate: whose key is it (before the body is read, so that strangers cannot make us read one);
//! scan: what does the body ask for; route: what rules and weights make of that. Then, for one place after the other until one
//! answers: resolve: which provider, model and real key, and may the key use them; admit: hold what it may cost; dispatch: send the real request; relay: pass the answer on, byte for byte;
//! settle: write down what it cost. Relay and settle run in a task that outlives the client.

mod answer;
mod arriving;
mod asking;
mod attempts;
pub(crate) mod bedrock;
mod books;
pub(crate) mod credential;
mod dispatch;
mod estimate;
mod event_stream;
mod explaining;
mod frames;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod headers;
mod models;
mod objects;
mod relay;
mod report;
mod resolve;
mod resolver;
mod routes;
pub(crate) mod routing;
mod scan;
mod stream;
pub(crate) mod telling;
mod untold;
mod upstream_client;
mod usage;
mod voice;
mod watch;

use bytes::Bytes;
use keyward_core::operation::Operation;

pub(crate) use asking::ready;
pub(crate) use books::Books;
pub(crate) use estimate::Tokenizers;
pub(crate) use explaining::explain;
pub(crate) use objects::{Objects, batches};
pub(crate) use routes::routes;
pub(crate) use routing::{Sample, trial};
pub(crate) use upstream_client::{UpstreamClient, tls};
pub(crate) use voice::Voice;
pub(crate) use watch::Watch;

/// Whether the body of a chat completion can be understood.
pub(crate) fn can_be_scanned(body: &Bytes) -> bool {
    scan::Scan::of(Operation::ChatCompletions, None, body).is_ok()
}
