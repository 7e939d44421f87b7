//! The export: batches of spans, and the figures, to a collector. What it does not take is dropped and counted.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use prost::Message;

use super::names::{SERVICE, SERVICE_VERSION};
use super::{Telemetry, Waiting, wire};
use crate::clock;
use crate::gateway::UpstreamClient;
use crate::metrics::Metrics;
use crate::pieces::Pieces;
use crate::state::State;

/// How many spans go at once.
const BATCH: usize = 512;
/// How long the collector may take for one batch.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the last batches may take in all.
const LAST: Duration = Duration::from_secs(5);
/// How much of an answer is read, so that its connection can be used again.
const MAX_ANSWER: usize = 64 * 1024;

/// Exports until the telemetry is finished, and then what still waits.
pub(crate) async fn export(state: Arc<State>, telemetry: Arc<Telemetry>, waiting: Waiting, client: UpstreamClient) {
    let Waiting(mut waiting) = waiting;
    let mut exporter = Exporter { metrics: &state.metrics, telemetry: &telemetry, client, is_heard: true };
    let mut due = tokio::time::interval(telemetry.settings.export_interval);
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let room = BATCH - batch.len();
        tokio::select! {
            () = telemetry.finish.cancelled() => break,
            _ = due.tick() => {
                exporter.spans(&mut batch).await;
                exporter.figures().await;
            }
            _ = waiting.recv_many(&mut batch, room) => {}
        }
        if batch.len() >= BATCH {
            exporter.spans(&mut batch).await;
        }
    }
    waiting.close();
    let last = async {
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            exporter.spans(&mut batch).await;
        }
        exporter.spans(&mut batch).await;
        exporter.figures().await;
    };
    if tokio::time::timeout(LAST, last).await.is_err() {
        tracing::warn!("the collector did not take the last traces and metrics in time");
    }
}

struct Exporter<'a> {
    metrics: &'a Metrics,
    telemetry: &'a Telemetry,
    client: UpstreamClient,
    /// False while the collector takes nothing.
    is_heard: bool,
}

impl Exporter<'_> {
    async fn spans(&mut self, batch: &mut Vec<wire::Span>) {
        if batch.is_empty() {
            return;
        }
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let scope_spans = vec![wire::ScopeSpans { scope: Some(scope()), spans: std::mem::take(batch) }];
        let of_resource = wire::ResourceSpans { resource: Some(self.resource()), scope_spans };
        let message = wire::Traces { resource_spans: vec![of_resource] };
        let is_accepted = self.send("/v1/traces", message.encode_to_vec()).await;
        self.metrics.spans_exported(count, is_accepted);
    }

    async fn figures(&mut self) {
        let metrics = self.telemetry.figures.at(clock::now());
        if metrics.is_empty() {
            return;
        }
        let scope_metrics = vec![wire::ScopeMetrics { scope: Some(scope()), metrics }];
        let of_resource = wire::ResourceMetrics { resource: Some(self.resource()), scope_metrics };
        let message = wire::Metrics { resource_metrics: vec![of_resource] };
        let is_accepted = self.send("/v1/metrics", message.encode_to_vec()).await;
        self.metrics.metrics_exported(is_accepted);
    }

    fn resource(&self) -> wire::Resource {
        let settings = &self.telemetry.settings;
        let own = [SERVICE.of(settings.service_name.as_str()), SERVICE_VERSION.of(env!("CARGO_PKG_VERSION"))];
        let configured = settings.resource.iter().map(|(name, value)| wire::KeyValue::text(name, value));
        wire::Resource { attributes: own.into_iter().chain(configured).collect() }
    }

    /// Whether the collector has taken it. What it says of it stays out of the log, and so do the headers.
    async fn send(&mut self, path: &str, body: Vec<u8>) -> bool {
        let taken = tokio::time::timeout(TIMEOUT, self.ask(path, body)).await;
        let why = match taken {
            Ok(Ok(status)) if status.is_success() => None,
            Ok(Ok(status)) => Some(format!("it answered {}", status.as_u16())),
            Ok(Err(why)) => Some(why.to_owned()),
            Err(_) => Some(format!("it did not answer within {} seconds", TIMEOUT.as_secs())),
        };
        match (&why, self.is_heard) {
            (Some(why), true) => {
                tracing::warn!(why, "the collector does not take traces and metrics; they are dropped")
            }
            (None, false) => tracing::info!("the collector takes traces and metrics again"),
            (Some(_), false) | (None, true) => {}
        }
        self.is_heard = why.is_none();
        self.is_heard
    }

    async fn ask(&self, path: &str, body: Vec<u8>) -> Result<StatusCode, &'static str> {
        let settings = &self.telemetry.settings;
        let request = Request::post(settings.endpoint.join(path))
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(USER_AGENT, concat!("keyward/", env!("CARGO_PKG_VERSION")));
        let request = settings.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let request = request.body(Pieces::whole(body)).map_err(|_| "the request cannot be built")?;
        let response = self.client.send(request).await.map_err(|_| "the connection failed")?;
        let status = response.status();
        // Only read so that the connection can be used again.
        let _ = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        Ok(status)
    }
}

fn scope() -> wire::Scope {
    wire::Scope { name: "keyward".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}
