//! Spans: what is told of a call, and what never is.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyward_client::{Retries, TeamQuery};
use tracing::instrument::WithSubscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::loopback::{Loopback, answer};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Kept {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_call_is_a_span_with_its_operation_and_without_its_secrets() {
    let empty = r#"{"teams":[],"count":0,"total_count":0,"limit":0,"offset":0}"#;
    let served = answer("200 OK", "x-request-id: req-1\r\n", empty);
    let server = Loopback::answering_in_turn([answer("502 Bad Gateway", "", ""), served]).await;
    let retries = Retries::up_to(1).waiting(Duration::from_millis(1), Duration::from_millis(1));
    let client = server.builder().retries(retries).admin("admin", "hunter2").virtual_key("sk-bf-hunter2");
    let client = client.build().unwrap();
    let query = TeamQuery { search: Some("hunter2".to_owned()), ..TeamQuery::default() };

    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(kept.clone())
        .finish();
    client.team_list(&query).with_subscriber(subscriber).await.unwrap();

    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ours = |line: &&serde_json::Value| line["target"].as_str().unwrap().starts_with("keyward_client");
    let ours: Vec<_> = lines.iter().filter(ours).collect();
    let [again, closed] = ours[..] else { panic!("{text}") };
    assert_eq!(again["fields"]["message"], "the call is made again");
    let span = &closed["span"];
    assert_eq!((&span["operation"], &span["url.path"]), (&"team_list".into(), &"/api/governance/teams".into()));
    assert_eq!((&span["http.response.status_code"], &span["keyward.request_id"]), (&200.into(), &"req-1".into()));
    assert!(!ours.iter().any(|line| line.to_string().contains("hunter2")), "{text}");
}
