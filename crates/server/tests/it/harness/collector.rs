//! A collector of traces and metrics: keeps what comes, and reads it with the declarations of OpenTelemetry itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use keyward_core::base_url::BaseUrl;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{HistogramDataPoint, Metric};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// A collector on a port of its own.
pub struct Collector {
    address: std::net::SocketAddr,
    told: Arc<Mutex<Vec<Told>>>,
    arrivals: mpsc::UnboundedReceiver<String>,
    _serving: AbortOnDropHandle<()>,
}

/// One request that came.
#[derive(Clone)]
pub struct Told {
    pub head: String,
    pub body: Vec<u8>,
}

impl Collector {
    /// A collector that answers everything with this status.
    pub async fn answering(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let (sender, arrivals) = mpsc::unbounded_channel();
        let kept = told.clone();
        let serving = TaskTracker::new().spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let Some(message) = read(&mut connection).await else { continue };
                let path = message.head.split(' ').nth(1).unwrap().to_owned();
                kept.lock().unwrap().push(message);
                let answer = format!("HTTP/1.1 {status} Any\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                // Whoever asked may have gone away, and so may the test.
                let _ = connection.write_all(answer.as_bytes()).await;
                let _ = sender.send(path);
            }
        });
        Self { address, told, arrivals, _serving: AbortOnDropHandle::new(serving) }
    }

    pub async fn start() -> Self {
        Self::answering(200).await
    }

    pub fn base_url(&self) -> BaseUrl {
        BaseUrl::of_address(self.address)
    }

    /// Waits until something comes on this path.
    pub async fn arrival(&mut self, path: &str) {
        while self.arrivals.recv().await.unwrap() != path {}
    }

    /// Everything that came, as it came.
    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    fn bodies(&self, path: &str) -> Vec<Vec<u8>> {
        let told = self.told();
        told.into_iter().filter(|told| told.head.starts_with(&format!("POST {path} "))).map(|told| told.body).collect()
    }

    /// The spans that came, in the order of their beginning.
    pub fn spans(&self) -> Vec<Span> {
        let requests = self.bodies("/v1/traces").into_iter();
        let resources =
            requests.flat_map(|body| ExportTraceServiceRequest::decode(body.as_slice()).unwrap().resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        let mut spans: Vec<Span> = scopes.flat_map(|scope| scope.spans).collect();
        spans.sort_by_key(|span| span.start_time_unix_nano);
        spans
    }

    /// The figures of the last export, by their names.
    pub fn figures(&self) -> BTreeMap<String, Vec<HistogramDataPoint>> {
        let last = self.bodies("/v1/metrics").pop().unwrap_or_default();
        let request = ExportMetricsServiceRequest::decode(last.as_slice()).unwrap();
        let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        scopes.flat_map(|scope| scope.metrics).map(points).collect()
    }
}

fn points(metric: Metric) -> (String, Vec<HistogramDataPoint>) {
    let Some(Data::Histogram(histogram)) = metric.data else { panic!("{} is no histogram", metric.name) };
    (metric.name, histogram.data_points)
}

/// An attribute as text.
pub fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.clone() {
        Some(AnyValue { value: Some(Value::StringValue(text)) }) => Some(text),
        Some(AnyValue { value: Some(Value::IntValue(number)) }) => Some(number.to_string()),
        Some(AnyValue { value: Some(Value::BoolValue(is_so)) }) => Some(is_so.to_string()),
        Some(AnyValue { value: Some(Value::DoubleValue(number)) }) => Some(number.to_string()),
        other => panic!("{name} is {other:?}"),
    }
}

async fn read(connection: &mut TcpStream) -> Option<Told> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = connection.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
        if bytes.len() - end - 4 >= length {
            return Some(Told { head, body: bytes.split_off(end + 4) });
        }
    }
}
