//! OpenTelemetry: traces and figures for a collector, over HTTP. Off unless an endpoint is configured; then nothing of this runs.
//!
//! A request never waits for it: spans go into a queue with a bound, and what does not fit is dropped and counted.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::TelemetrySettings;

mod export;
mod figures;
mod names;
mod spans;
mod trace_context;
mod wire;

pub(crate) use export::export;
use figures::Figures;
pub(crate) use figures::Observed;
pub(crate) use names::{ATTRIBUTES, INSTRUMENTS};
pub(crate) use spans::{AttemptEnd, AttemptSpan, RequestTrace, Sent};

/// How many spans may wait for their export.
const QUEUE: usize = 4096;

/// What a server tells a collector.
pub(crate) struct Telemetry {
    settings: TelemetrySettings,
    figures: Figures,
    spans: mpsc::Sender<wire::Span>,
    /// Ends the export, once everything that waits is sent.
    finish: CancellationToken,
}

/// Spans on their way out.
pub(crate) struct Waiting(mpsc::Receiver<wire::Span>);

impl Telemetry {
    /// The telemetry of a server, and what it has to export.
    pub(crate) fn new(settings: TelemetrySettings, now: Timestamp) -> (Arc<Self>, Waiting) {
        let (spans, waiting) = mpsc::channel(QUEUE);
        let figures = Figures::since(now);
        (Arc::new(Self { settings, figures, spans, finish: CancellationToken::new() }), Waiting(waiting))
    }

    /// Whether a trace that begins here is recorded.
    fn samples(&self) -> bool {
        rand::random::<f64>() < self.settings.sample_ratio
    }

    /// Says that there will be no more.
    pub(crate) fn finish(&self) {
        self.finish.cancel();
    }
}
