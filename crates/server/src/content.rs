//! Content in the log: what a virtual key sends and gets, where the server's settings leave it to each key and the key wants it.
//! Never headers; never a credential; never more of a body than is configured.

use bytes::Bytes;
use keyward_core::ids::VirtualKeyId;

use crate::state::State;

mod redaction;

pub(crate) use redaction::without_credentials;
use redaction::{Concealed, excerpt};

/// The target of everything that is logged here.
pub(crate) const TARGET: &str = "keyward::content";
/// What is logged of one body, and what it means.
pub(crate) const FIELDS: [(&str, &str); 6] = [
    ("part", "`request` or `answer`"),
    ("request_id", "the request id"),
    ("attempt", "which attempt of the request, from 0"),
    ("virtual_key_id", "the id of the virtual key"),
    ("bytes", "how long the body is; of an answer that was cut, how much of it came"),
    ("body", "the body, redacted and cut"),
];
/// How much of an answer is kept beyond what is logged: a credential at its end is recognised only whole.
const MARGIN: usize = 8 * 1024;

/// The content of one attempt, on its way into the log.
pub(crate) struct ContentLog {
    request_id: String,
    attempt: i32,
    virtual_key: VirtualKeyId,
    max_bytes: usize,
    answer: Vec<u8>,
    answer_bytes: usize,
}

impl ContentLog {
    pub(crate) fn new(request_id: &str, attempt: i32, virtual_key: &VirtualKeyId, max_bytes: usize) -> Self {
        let (request_id, virtual_key) = (request_id.to_owned(), virtual_key.clone());
        Self { request_id, attempt, virtual_key, max_bytes, answer: Vec::new(), answer_bytes: 0 }
    }

    /// Logs what the client has sent.
    pub(crate) fn request(&self, state: &State, body: &Bytes) {
        self.write(state, "request", body, body.len());
    }

    /// Keeps what the client gets, as far as it is going to be logged.
    pub(crate) fn relayed(&mut self, bytes: &[u8]) {
        let room = self.max_bytes.saturating_add(MARGIN).saturating_sub(self.answer.len());
        self.answer.extend(bytes.iter().take(room));
        self.answer_bytes = self.answer_bytes.saturating_add(bytes.len());
    }

    /// Logs what the client has got.
    pub(crate) fn ended(&self, state: &State) {
        self.write(state, "answer", &self.answer, self.answer_bytes);
    }

    fn write(&self, state: &State, part: &str, body: &[u8], bytes: usize) {
        let mut concealed = Concealed::default();
        state.upstreams.each_secret(&mut |secret| concealed.add(secret));
        let body = excerpt(body, bytes, self.max_bytes, &concealed);
        let (request_id, attempt, virtual_key_id) = (&self.request_id, self.attempt, self.virtual_key.as_str());
        tracing::info!(target: TARGET, part, request_id, attempt, virtual_key_id, bytes, body, "content");
    }
}
