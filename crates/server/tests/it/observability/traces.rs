//! Spans and figures, as a collector gets them.

use std::time::Duration;

use futures_util::StreamExt;
use keyward_client::{CreateVirtualKey, VirtualKey};
use keyward_server::config::TelemetrySettings;
use opentelemetry_proto::tonic::metrics::v1::HistogramDataPoint;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;

use crate::gateway::{called, chat, demo_cost, with_budget};
use crate::harness::{App, Collector, Reply, Scripted, attribute};

const ANSWER: &str = r#"{"id":"a","model":"gpt-4o-mini-2024-07-18","choices":[],
    "usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4}}}"#;
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A server that tells a collector, with what else a test wants of it.
async fn telling(collector: &Collector, change: impl FnOnce(&mut TelemetrySettings) + 'static) -> App {
    let endpoint = collector.base_url();
    let settings = |settings: &mut keyward_server::config::Settings| {
        // Nothing is sent until the server stops, unless a test has it otherwise.
        let mut telemetry =
            TelemetrySettings { export_interval: Duration::from_secs(3600), ..TelemetrySettings::to(endpoint) };
        change(&mut telemetry);
        settings.telemetry = Some(telemetry);
    };
    App::builder().settings(settings).start().await
}

/// Calls a model as part of a trace.
async fn traced(app: &App, key: &VirtualKey, model: &str, sampled: &str) -> Reply {
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] }).to_string();
    let parent = format!("00-{TRACE}-{PARENT}-{sampled}");
    let request = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose());
    request.header("traceparent", parent).header("tracestate", "vendor=value").body(body).send().await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of(span: &Span, name: &str) -> String {
    attribute(&span.attributes, name).unwrap_or_else(|| panic!("{} has no {name}", span.name))
}

/// The value of a header that the provider got.
fn sent(upstream: &Scripted, name: &str) -> Option<String> {
    let request = upstream.requests().pop().unwrap();
    request.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_is_below_its_request_and_the_provider_below_the_attempt() {
    let (collector, upstream) =
        (Collector::start().await, Scripted::answering("200 OK", "application/json", ANSWER).await);
    let app = telling(&collector, |_| {}).await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    let reply = traced(&app, &key, "openai/gpt-4o-mini", "01").await;
    assert_eq!(reply.status, 200);
    app.stopped().await;
    let spans = collector.spans();
    let [request, attempt] = spans.as_slice() else { panic!("{spans:#?}") };
    assert_eq!((hex(&request.trace_id), hex(&request.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()));
    assert_eq!((&attempt.trace_id, &attempt.parent_span_id), (&request.trace_id, &request.span_id));
    assert_eq!((request.kind, attempt.kind), (2, 3), "a server's and a client's");
    assert!(request.start_time_unix_nano <= attempt.start_time_unix_nano);
    assert!(attempt.end_time_unix_nano <= request.end_time_unix_nano && attempt.start_time_unix_nano > 0);
    assert_eq!((request.trace_state.as_str(), request.status.clone()), ("vendor=value", None));
    let parent = format!("00-{TRACE}-{}-01", hex(&attempt.span_id));
    assert_eq!(sent(&upstream, "traceparent"), Some(parent), "the provider is below the attempt");
    assert_eq!(sent(&upstream, "tracestate").as_deref(), Some("vendor=value"));
    assert_eq!(request.name, "POST /v1/chat/completions");
    assert_eq!(attempt.name, "chat gpt-4o-mini");
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/v1/chat/completions"),
        ("http.response.status_code", "200"),
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.request.model", "openai/gpt-4o-mini"),
        ("keyward.request.attempts", "1"),
        ("keyward.request.id", reply.header("x-request-id")),
        ("keyward.virtual_key.id", key.id.as_str()),
    ] {
        assert_eq!(of(request, name), value, "{name}");
    }
    for (name, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-4o-mini"),
        ("gen_ai.response.model", "gpt-4o-mini-2024-07-18"),
        ("gen_ai.usage.input_tokens", "12"),
        ("gen_ai.usage.output_tokens", "3"),
        ("gen_ai.usage.cache_read.input_tokens", "4"),
        ("server.address", "127.0.0.1"),
        ("http.response.status_code", "200"),
        ("keyward.attempt.outcome", "completed"),
        ("keyward.attempt.number", "0"),
        ("keyward.virtual_key.id", key.id.as_str()),
        ("keyward.request.id", reply.header("x-request-id")),
    ] {
        assert_eq!(of(attempt, name), value, "{name}");
    }
    assert!(of(attempt, "keyward.cost.nano_usd").parse::<i64>().unwrap() > 0);
    assert_eq!(attribute(&attempt.attributes, "error.type"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_has_a_span_and_a_failed_one_says_so() {
    let (collector, upstream) =
        (Collector::start().await, Scripted::answering("500 No", "application/json", "{}").await);
    let app = telling(&collector, |_| {}).await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    let body = json!({ "model": "openai/gpt-4o-mini", "messages": [{ "role": "user", "content": "hi" }], "fallbacks": ["demo/echo"] }).to_string();
    let call = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose()).body(body);
    assert_eq!(call.send().await.status, 200);
    app.stopped().await;
    let spans = collector.spans();
    let [request, failed, served] = spans.as_slice() else { panic!("{spans:#?}") };
    assert_eq!(of(request, "keyward.request.attempts"), "2");
    assert!(request.parent_span_id.is_empty(), "nobody was there before");
    assert_eq!(
        (of(failed, "error.type"), of(failed, "http.response.status_code")),
        ("upstream_error".into(), "500".into())
    );
    assert_eq!(failed.status.as_ref().map(|status| status.code), Some(2));
    assert_eq!(
        (of(served, "keyward.attempt.number"), of(served, "keyward.provider.name")),
        ("1".into(), "demo".into())
    );
    assert_eq!((&failed.parent_span_id, &served.parent_span_id), (&request.span_id, &request.span_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_has_a_span_and_no_attempt() {
    let collector = Collector::start().await;
    let app = telling(&collector, |_| {}).await;
    let key = app.key(with_budget("0.000001")).await;
    assert_eq!(called(&app, &key, "demo/echo").await.status, 402);
    let stranger = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", "sk-bf-fake").body("{}");
    assert_eq!(stranger.send().await.status, 401);
    app.stopped().await;
    let spans = collector.spans();
    let told = |span: &Span| (of(span, "error.type"), of(span, "http.response.status_code"));
    let told: Vec<_> = spans.iter().map(told).collect();
    assert_eq!(told, [("budget_exceeded".to_owned(), "402".to_owned()), ("invalid_api_key".into(), "401".into())]);
    assert!(spans.iter().all(|span| span.status.is_none()), "a refusal is no failure of the server's");
    assert!(collector.figures().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_when_it_began_and_its_request_ends_after_it() {
    let collector = Collector::start().await;
    let app = telling(&collector, |_| {}).await;
    let key = app.key(with_budget("1")).await;
    let mut stream = app.caller(&key).chat_completion_stream(&chat("demo/echo", "a b c")).await.unwrap();
    while stream.next().await.is_some() {}
    app.stopped().await;
    let spans = collector.spans();
    let [request, attempt] = spans.as_slice() else { panic!("{spans:#?}") };
    assert_eq!(
        (of(attempt, "gen_ai.request.stream"), of(attempt, "gen_ai.response.model")),
        ("true".into(), "echo".into())
    );
    assert!(of(attempt, "gen_ai.response.time_to_first_chunk").parse::<f64>().unwrap() > 0.0);
    assert!(request.end_time_unix_nano >= attempt.end_time_unix_nano);
    assert_eq!(collector.figures()["gen_ai.client.operation.time_to_first_chunk"][0].count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sampled_is_passed_on_and_not_told() {
    let (collector, upstream) =
        (Collector::start().await, Scripted::answering("200 OK", "application/json", ANSWER).await);
    let app = telling(&collector, |telemetry| telemetry.sample_ratio = 0.0).await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    traced(&app, &key, "openai/gpt-4o-mini", "00").await;
    let parent = sent(&upstream, "traceparent").unwrap();
    assert!(parent.starts_with(&format!("00-{TRACE}-")) && parent.ends_with("-00") && !parent.contains(PARENT));
    called(&app, &key, "openai/gpt-4o-mini").await;
    assert!(sent(&upstream, "traceparent").unwrap().ends_with("-00"));
    let stranger = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", "sk-bf-nobody");
    let stranger = stranger.header("traceparent", format!("00-{TRACE}-{PARENT}-01")).body("{}").send().await;
    assert_eq!(stranger.status, 401, "who nobody knows demands no trace");
    app.stopped().await;
    assert!(collector.spans().is_empty());
    assert!(!collector.figures().is_empty(), "figures do not depend on it");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_collector_the_clients_word_is_passed_on() {
    let upstream = Scripted::answering("200 OK", "application/json", ANSWER).await;
    let app = App::start().await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    traced(&app, &key, "openai/gpt-4o-mini", "01").await;
    assert_eq!(sent(&upstream, "traceparent"), Some(format!("00-{TRACE}-{PARENT}-01")));
    called(&app, &key, "openai/gpt-4o-mini").await;
    assert_eq!(sent(&upstream, "traceparent"), None);
}

/// Attributes of figures come from closed sets: what a client or an admin makes up is none.
#[tokio::test(flavor = "multi_thread")]
async fn figures_count_attempts_and_have_no_names_that_somebody_made_up() {
    let (collector, upstream) =
        (Collector::start().await, Scripted::answering("200 OK", "application/json", ANSWER).await);
    let app = telling(&collector, |_| {}).await;
    app.provider("made-up-provider", upstream.base_url()).await;
    let key = app.key(CreateVirtualKey::default()).await;
    for _ in 0..2 {
        assert_eq!(called(&app, &key, "made-up-provider/made-up-model").await.status, 200);
    }
    let echoed = called(&app, &key, "demo/echo").await.json()["usage"].clone();
    let text = String::from_utf8(app.raw("GET", "/metrics").send().await.body).unwrap();
    let line = "keyward_attempts_total{provider=\"other\",operation=\"chat_completion\",outcome=\"completed\"} 2";
    assert!(text.lines().any(|found| found == line) && !text.contains("made-up"), "{text}");
    let count = "keyward_attempt_duration_seconds_count{provider=\"other\",operation=\"chat_completion\"} 2";
    assert!(text.lines().any(|found| found == count), "{text}");
    app.stopped().await;
    let figures = collector.figures();
    let names: Vec<&str> = figures.keys().map(String::as_str).collect();
    let expected = ["gen_ai.client.operation.duration", "gen_ai.client.token.usage", "keyward.client.operation.cost"];
    assert_eq!(names, expected);
    let points = &figures["gen_ai.client.token.usage"];
    let sum = |provider: &str, kind: &str| {
        let has =
            |point: &&HistogramDataPoint, name, value| attribute(&point.attributes, name).as_deref() == Some(value);
        let of_provider = points.iter().filter(|point| has(point, "gen_ai.provider.name", provider));
        let point = of_provider.into_iter().find(|point| has(point, "gen_ai.token.type", kind)).unwrap();
        assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        (point.count, point.sum.unwrap())
    };
    assert_eq!((sum("_OTHER", "input"), sum("_OTHER", "output")), ((2, 24.0), (2, 6.0)));
    let tokens = |name: &str| echoed[name].as_u64().unwrap();
    assert_eq!(sum("demo", "input"), (1, tokens("prompt_tokens") as f64));
    let dollars: f64 = demo_cost(tokens("prompt_tokens"), tokens("completion_tokens")).to_string().parse().unwrap();
    let costs = figures["keyward.client.operation.cost"].iter().filter_map(|point| point.sum);
    assert!((costs.sum::<f64>() - dollars).abs() < 1e-9);
    let metrics = collector.told().into_iter().filter(|told| told.head.starts_with("POST /v1/metrics "));
    let metrics: Vec<u8> = metrics.flat_map(|told| told.body).collect();
    assert!(!String::from_utf8_lossy(&metrics).contains("made-up"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_takes_nothing_hurts_nobody_and_what_is_lost_is_counted() {
    let mut collector = Collector::answering(503).await;
    let app = telling(&collector, |telemetry| telemetry.export_interval = Duration::from_millis(5)).await;
    let key = app.key(with_budget("1")).await;
    // The second export is sent when the first one is counted.
    for _ in 0..2 {
        assert_eq!(called(&app, &key, "demo/echo").await.status, 200);
        collector.arrival("/v1/traces").await;
    }
    let text = String::from_utf8(app.raw("GET", "/metrics").send().await.body).unwrap();
    let is_there = |start: &str| text.lines().any(|line| line.starts_with(start));
    assert!(is_there("keyward_telemetry_spans_dropped_total{reason=\"not_accepted\"} "), "{text}");
    assert!(is_there("keyward_telemetry_exports_total{signal=\"traces\",outcome=\"failed\"} "), "{text}");
    app.stopped().await;
}
