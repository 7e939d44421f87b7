//! What is told of one attempt, while it runs and when it has ended: metrics, its span, and content where the key wants it.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use keyward_core::ids::ModelName;
use keyward_core::ledger::Outcome;
use keyward_core::money::NanoUsd;
use keyward_core::operation::Operation;
use keyward_core::price::Usage;
use keyward_engine::Admission;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::resolve::Route;
use super::scan::Scan;
use crate::config::ContentLoggingMode;
use crate::content::ContentLog;
use crate::metrics::{AttemptLabels, Ended};
use crate::state::State;
use crate::telemetry::{AttemptEnd, AttemptSpan, Observed, RequestTrace, Sent};

/// How many pieces of a stream are looked at for the model that answers.
const FIRST_PIECES: u8 = 8;

/// A call of a model.
struct Called {
    operation: Operation,
    provider: String,
    /// The model, if the catalogue has it.
    known_model: Option<String>,
}

/// One attempt, watched.
pub(crate) struct Watch {
    labels: AttemptLabels,
    /// None when no model is called.
    called: Option<Called>,
    began: Instant,
    first_byte: Option<Duration>,
    streamed: bool,
    /// True when the answer comes in pieces.
    is_stream: bool,
    status: Option<u16>,
    span: AttemptSpan,
    response_model: Option<String>,
    pieces: u8,
    content: Option<Box<ContentLog>>,
}

impl Watch {
    /// Watches an attempt that is about to be made.
    pub(super) fn begin(
        state: &State,
        trace: &RequestTrace,
        (route, scan, body): (&Route, &Scan, &Bytes),
        (admission, attempt): (&Admission, i32),
    ) -> Self {
        let permit = &route.permit;
        let request_id = admission.request_id().as_str();
        let span = trace.attempt(&Sent {
            operation: scan.operation,
            streamed: scan.stream,
            provider: permit.provider(),
            provider_key: &route.destination.key_id,
            model: &route.destination.model,
            virtual_key: permit.virtual_key_id(),
            request_id,
            attempt,
            url: &route.destination.url,
        });
        let max_bytes = state.settings.content_logging.max_body_bytes;
        let log = || Box::new(ContentLog::new(request_id, attempt, permit.virtual_key_id(), max_bytes));
        let content = logs_content(state, permit.logs_content()).then(log);
        if let Some(log) = content.as_ref().filter(|_| attempt == 0) {
            log.request(state, body);
        }
        let is_known = |model: &&ModelName| state.catalogue.find(permit.provider().as_str(), model.as_str()).is_some();
        let known_model = [&route.destination.model, permit.model()].into_iter().find(is_known);
        Self {
            labels: AttemptLabels::new(permit.provider().as_str(), scan.operation),
            called: Some(Called {
                operation: scan.operation,
                provider: permit.provider().to_string(),
                known_model: known_model.map(ToString::to_string),
            }),
            began: Instant::now(),
            first_byte: None,
            streamed: scan.stream,
            is_stream: false,
            status: None,
            span,
            response_model: None,
            pieces: 0,
            content,
        }
    }

    /// Watches what calls no model: it is counted, and nothing more is told of it.
    pub(crate) fn counting(labels: AttemptLabels) -> Self {
        Self {
            labels,
            called: None,
            began: Instant::now(),
            first_byte: None,
            streamed: false,
            is_stream: false,
            status: None,
            span: AttemptSpan::NONE,
            response_model: None,
            pieces: 0,
            content: None,
        }
    }

    /// Tells the provider which span its own work is below.
    pub(super) fn write_trace(&self, headers: &mut http::HeaderMap) {
        self.span.write(headers);
    }

    /// The request is about to leave.
    pub(super) fn leaves(&mut self) {
        self.began = Instant::now();
    }

    /// The status of the provider's answer.
    pub(super) fn is_answered(&mut self, status: http::StatusCode) {
        self.status = Some(status.as_u16());
    }

    /// The provider's answer has begun.
    pub(super) fn answer_began(&mut self, state: &State) {
        let after = self.began.elapsed();
        self.first_byte = Some(after);
        state.metrics.answer_began(self.labels, after);
    }

    /// An answer, or the data of one of its first pieces: it may name the model.
    pub(super) fn read(&mut self, data: &[u8]) {
        if self.span.is_recorded() && self.response_model.is_none() && self.pieces < FIRST_PIECES {
            self.pieces += 1;
            self.response_model = model_in(data);
        }
    }

    /// What goes to the client.
    pub(super) fn relayed(&mut self, bytes: &[u8]) {
        if let Some(content) = &mut self.content {
            content.relayed(bytes);
        }
    }

    /// The answer comes in pieces.
    pub(super) fn streams(&mut self) {
        self.is_stream = true;
    }

    /// The attempt has ended, and this is what was charged for it.
    pub(super) fn ended(&mut self, state: &State, outcome: Outcome, usage: Option<&Usage>, cost: NanoUsd) {
        let took = self.began.elapsed();
        let is_stream = self.is_stream;
        state.metrics.attempt_ended(self.labels, Ended { outcome, usage, cost, took, is_stream });
        let first_chunk = self.first_byte.filter(|_| self.streamed);
        if let (Some(telemetry), Some(called)) = (&state.telemetry, &self.called) {
            let Called { operation, provider, known_model } = called;
            let (operation, model) = (*operation, known_model.as_deref());
            telemetry.observe(&Observed { operation, provider, model, outcome, usage, cost, took, first_chunk });
        }
        let (status, response_model) = (self.status, self.response_model.as_deref());
        self.span.end(&AttemptEnd { outcome, status, usage, cost: Some(cost), response_model, first_chunk });
    }

    /// The attempt has ended, and nothing was charged: no byte of it left, or it had been given up before.
    pub(super) fn uncharged(&mut self, state: &State, outcome: Outcome) {
        state.metrics.attempt_released();
        let (status, response_model) = (self.status, self.response_model.as_deref());
        self.span.end(&AttemptEnd { outcome, status, usage: None, cost: None, response_model, first_chunk: None });
    }

    /// Nothing goes to the client any more.
    pub(super) fn closed(&mut self, state: &State) {
        if let Some(content) = self.content.take().filter(|_| self.first_byte.is_some()) {
            content.ended(state);
        }
    }
}

/// Whether what a key sends and gets is logged.
const fn logs_content(state: &State, key_wants_it: bool) -> bool {
    match state.settings.content_logging.mode {
        ContentLoggingMode::Off => false,
        ContentLoggingMode::PerKey => key_wants_it,
    }
}

/// The model that an answer names, in whichever dialect.
fn model_in(data: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(default, borrow, alias = "modelVersion")]
        model: Option<Cow<'a, str>>,
        #[serde(default, borrow)]
        message: Option<&'a RawValue>,
        #[serde(default, borrow)]
        response: Option<&'a RawValue>,
    }

    let named: Named<'_> = serde_json::from_slice(data).ok()?;
    let inner = named.message.or(named.response).and_then(|inner| {
        let inner: Named<'_> = serde_json::from_str(inner.get()).ok()?;
        inner.model.map(Cow::into_owned)
    });
    named.model.map(Cow::into_owned).or(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_found_in_each_dialect() {
        for (data, model) in [
            (r#"{"id":"a","model":"gpt-4o-mini-2024-07-18","choices":[]}"#, Some("gpt-4o-mini-2024-07-18")),
            (r#"{"type":"message_start","message":{"model":"claude-x","usage":{}}}"#, Some("claude-x")),
            (r#"{"type":"response.created","response":{"model":"gpt-5"}}"#, Some("gpt-5")),
            (r#"{"candidates":[],"modelVersion":"gemini-x"}"#, Some("gemini-x")),
            (r#"{"message":"no model"}"#, None),
            ("[DONE]", None),
        ] {
            assert_eq!(model_in(data.as_bytes()).as_deref(), model, "{data}");
        }
    }
}
