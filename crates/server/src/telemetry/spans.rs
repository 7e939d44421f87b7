//! Spans: one for each request at the gateway, and below it one for each attempt.
//!
//! The span of a request ends when nobody works on it any more: neither its handler nor the task of an attempt, which may outlive it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::{HttpRequest, web};
use jiff::Timestamp;
use keyward_core::ids::{ModelName, ProviderKeyId, ProviderName, VirtualKeyId};
use keyward_core::ledger::Outcome;
use keyward_core::money::NanoUsd;
use keyward_core::operation::Operation;
use keyward_core::price::Usage;

use super::Telemetry;
use super::names::{self, Attribute};
use super::trace_context::TraceContext;
use super::wire::{self, KeyValue, Value, nanoseconds};
use crate::clock;
use crate::content::without_credentials;
use crate::error::ApiError;
use crate::state::State;

/// The trace of one request; nothing at all when traces are off.
#[derive(Clone, Default)]
pub(crate) struct RequestTrace(Option<Arc<Running>>);

struct Running {
    state: web::Data<State>,
    telemetry: Arc<Telemetry>,
    context: TraceContext,
    parent: Option<u64>,
    name: String,
    started: Timestamp,
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    attributes: Vec<KeyValue>,
    has_failed: bool,
    attempts: i64,
    /// True when it is known whose request it is.
    is_somebodys: bool,
}

impl RequestTrace {
    /// Begins the span of a request at a route. It goes on with the trace that the client is part of.
    pub(crate) fn begin(state: &web::Data<State>, request: &HttpRequest, request_id: &str) -> Self {
        let Some(telemetry) = state.telemetry.clone() else { return Self::default() };
        let client = TraceContext::of(request.headers());
        let context = match &client {
            Some(client) => client.child(),
            None => TraceContext::root(telemetry.samples()),
        };
        let (method, route) = (request.method().as_str(), request.match_pattern().unwrap_or_default());
        let attributes =
            vec![names::METHOD.of(method), names::ROUTE.of(route.as_str()), names::REQUEST_ID.of(request_id)];
        Self(Some(Arc::new(Running {
            state: state.clone(),
            telemetry,
            context,
            parent: client.map(|client| client.span_id),
            name: format!("{method} {route}"),
            started: clock::now(),
            said: Mutex::new(Said { attributes, ..Said::default() }),
        })))
    }

    /// Whose request it is, and what it asks for. What a client calls a model may be anything: a credential is taken out.
    pub(crate) fn asks(&self, virtual_key: &VirtualKeyId, operation: Operation, model: &str) {
        if let Some(running) = &self.0 {
            running.said().is_somebodys = true;
        }
        self.say(&names::VIRTUAL_KEY, virtual_key.as_str());
        self.say(&names::OPERATION, names::operation(operation));
        if self.0.is_some() {
            self.say(&names::REQUEST_MODEL, without_credentials(model));
        }
    }

    /// The request was answered by a provider.
    pub(crate) fn answered(&self, status: u16) {
        let error = (status >= 400).then(|| status.to_string());
        self.end(status, error);
    }

    /// The request got an error of Keyward's own.
    pub(crate) fn refused(&self, error: &ApiError) {
        self.end(error.code().status(), Some(error.code().to_string()));
    }

    fn end(&self, status: u16, error: Option<String>) {
        let Some(running) = &self.0 else { return };
        self.say(&names::STATUS, i64::from(status));
        if let Some(error) = error {
            self.say(&names::ERROR, error);
        }
        // A refusal is the client's, not a failure of the server's.
        running.said().has_failed |= status >= 500;
    }

    fn say(&self, attribute: &Attribute, value: impl Into<Value>) {
        if let Some(running) = &self.0 {
            running.said().attributes.push(attribute.of(value));
        }
    }

    /// Begins the span of an attempt.
    pub(crate) fn attempt(&self, sent: &Sent<'_>) -> AttemptSpan {
        let Some(running) = &self.0 else { return AttemptSpan(None) };
        running.said().attempts += 1;
        let operation = names::operation(sent.operation);
        let model = without_credentials(sent.model.as_str());
        let mut attributes = vec![
            names::OPERATION.of(operation),
            names::PROVIDER.of(names::provider(sent.provider.as_str())),
            names::OWN_PROVIDER.of(sent.provider.as_str()),
            names::REQUEST_MODEL.of(model.as_str()),
            names::STREAMED.of(sent.streamed),
            names::METHOD.of("POST"),
            names::VIRTUAL_KEY.of(sent.virtual_key.as_str()),
            names::PROVIDER_KEY.of(sent.provider_key.as_str()),
            names::REQUEST_ID.of(sent.request_id),
            names::ATTEMPT.of(i64::from(sent.attempt)),
        ];
        if let Ok(url) = url::Url::parse(sent.url) {
            attributes.extend(url.host_str().map(|host| names::SERVER_ADDRESS.of(host)));
            attributes.extend(url.port_or_known_default().map(|port| names::SERVER_PORT.of(i64::from(port))));
        }
        AttemptSpan(Some(Box::new(OpenSpan {
            context: running.context.child(),
            name: format!("{operation} {model}"),
            started: clock::now(),
            attributes,
            request: running.clone(),
        })))
    }
}

impl Running {
    fn said(&self) -> std::sync::MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a span over; what does not fit is counted and forgotten.
    fn hand_over(&self, span: wire::Span) {
        if self.context.is_sampled && self.telemetry.spans.try_send(span).is_err() {
            self.state.metrics.spans_dropped(1);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Said { mut attributes, has_failed, attempts, is_somebodys } = std::mem::take(&mut *self.said());
        // That its trace is recorded, a client without a virtual key may not demand: it could drive the spans of others out.
        if !is_somebodys && self.parent.is_some() && !self.telemetry.samples() {
            return;
        }
        attributes.push(names::ATTEMPTS.of(attempts));
        let name = std::mem::take(&mut self.name);
        let open = Finished { name, kind: wire::KIND_SERVER, parent: self.parent, started: self.started };
        let span = open.span(&self.context, attributes, has_failed, clock::now());
        self.hand_over(span);
    }
}

/// What an attempt is about.
pub(crate) struct Sent<'a> {
    pub(crate) operation: Operation,
    pub(crate) streamed: bool,
    pub(crate) provider: &'a ProviderName,
    pub(crate) provider_key: &'a ProviderKeyId,
    pub(crate) model: &'a ModelName,
    pub(crate) virtual_key: &'a VirtualKeyId,
    pub(crate) request_id: &'a str,
    pub(crate) attempt: i32,
    pub(crate) url: &'a str,
}

/// The span of an attempt that runs; nothing when traces are off.
pub(crate) struct AttemptSpan(Option<Box<OpenSpan>>);

struct OpenSpan {
    context: TraceContext,
    name: String,
    started: Timestamp,
    attributes: Vec<KeyValue>,
    request: Arc<Running>,
}

/// How an attempt ended.
pub(crate) struct AttemptEnd<'a> {
    pub(crate) outcome: Outcome,
    pub(crate) status: Option<u16>,
    pub(crate) usage: Option<&'a Usage>,
    pub(crate) cost: Option<NanoUsd>,
    pub(crate) response_model: Option<&'a str>,
    /// Of a stream: when its answer began.
    pub(crate) first_chunk: Option<Duration>,
}

impl AttemptSpan {
    /// Of an attempt that has no span.
    pub(crate) const NONE: Self = Self(None);

    /// True when somebody listens.
    pub(crate) const fn is_recorded(&self) -> bool {
        self.0.is_some()
    }

    /// Tells the provider which span its own work is below. When traces are off, the client's own word stays.
    pub(crate) fn write(&self, headers: &mut http::HeaderMap) {
        if let Some(open) = &self.0 {
            open.context.write(headers);
        }
    }

    /// Ends the span; the first call counts.
    pub(crate) fn end(&mut self, end: &AttemptEnd<'_>) {
        let Some(open) = self.0.take() else { return };
        let OpenSpan { context, name, started, mut attributes, request } = *open;
        attributes.push(names::OUTCOME.of(end.outcome.as_str()));
        attributes.extend(end.status.map(|status| names::STATUS.of(i64::from(status))));
        attributes.extend(end.response_model.map(|model| names::RESPONSE_MODEL.of(without_credentials(model))));
        attributes.extend(end.first_chunk.map(|after| names::FIRST_CHUNK.of(after.as_secs_f64())));
        attributes.extend(end.cost.map(|cost| names::COST.of(cost.nanos())));
        if let Some(Usage { counts, .. }) = end.usage {
            let read = counts.cached_input.saturating_add(counts.cached_audio_input);
            attributes.extend([
                names::INPUT_TOKENS.of(counts.total_input()),
                names::OUTPUT_TOKENS.of(counts.total_output()),
                names::CACHE_READ.of(read.saturating_add(counts.cached_image_input)),
                names::CACHE_CREATION.of(counts.cache_write.saturating_add(counts.cache_write_1h)),
            ]);
        }
        let has_failed = has_failed(end.outcome);
        attributes.extend(error_of(end.outcome).map(|error| names::ERROR.of(error)));
        let parent = Some(request.context.span_id);
        let finished = Finished { name, kind: wire::KIND_CLIENT, parent, started };
        request.hand_over(finished.span(&context, attributes, has_failed, clock::now()));
    }
}

/// What an attempt that did not complete is in `error.type`.
pub(super) const fn error_of(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Completed => None,
        Outcome::ClientCancelled | Outcome::TimedOut | Outcome::UpstreamError | Outcome::Abandoned => {
            Some(outcome.as_str())
        }
    }
}

const fn has_failed(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Completed | Outcome::ClientCancelled => false,
        Outcome::TimedOut | Outcome::UpstreamError | Outcome::Abandoned => true,
    }
}

/// What is the same in spans of both kinds.
struct Finished {
    name: String,
    kind: i32,
    parent: Option<u64>,
    started: Timestamp,
}

impl Finished {
    fn span(self, at: &TraceContext, attributes: Vec<KeyValue>, has_failed: bool, ended: Timestamp) -> wire::Span {
        wire::Span {
            trace_id: at.trace_id.to_be_bytes().to_vec(),
            span_id: at.span_id.to_be_bytes().to_vec(),
            trace_state: at.state.clone(),
            parent_span_id: self.parent.map(|parent| parent.to_be_bytes().to_vec()).unwrap_or_default(),
            name: self.name,
            kind: self.kind,
            start_time_unix_nano: nanoseconds(self.started),
            end_time_unix_nano: nanoseconds(ended),
            attributes,
            status: has_failed.then_some(wire::Status { code: wire::STATUS_ERROR }),
            flags: 1,
        }
    }
}
