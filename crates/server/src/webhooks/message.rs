//! One message to one endpoint, as the Standard Webhooks have it, and what the endpoint says to it.

use std::time::Duration;

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Request, StatusCode};
use jiff::Timestamp;
use keyward_core::event::{Event, EventType, ThresholdReached};
use serde::Serialize;

use crate::config::Webhook;
use crate::gateway::UpstreamClient;
use crate::pieces::Pieces;

/// How long an endpoint may take to answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What an endpoint says.
pub(super) enum Answer {
    /// It has taken the event.
    Accepted,
    /// It has not, and why: nothing of its answer but the status.
    Refused(String),
    /// It has not, and never will take any.
    Gone(String),
}

/// What is sent: the same in each attempt.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: EventType,
    timestamp: Timestamp,
    data: &'a ThresholdReached,
}

/// Sends an event, signed for the endpoint at this instant.
pub(super) async fn send(client: &UpstreamClient, webhook: &Webhook, event: &Event, now: Timestamp) -> Answer {
    let Some(request) = request(webhook, event, now) else {
        return Answer::Refused("the message cannot be built".to_owned());
    };
    match tokio::time::timeout(TIMEOUT, client.send(request)).await {
        Ok(Ok(response)) => answer(response.status()),
        Ok(Err(error)) if error.is_connect() => Answer::Refused("no connection could be made".to_owned()),
        Ok(Err(_)) => Answer::Refused("the connection was closed before an answer came".to_owned()),
        Err(_) => Answer::Refused(format!("no answer came within {} seconds", TIMEOUT.as_secs())),
    }
}

fn answer(status: StatusCode) -> Answer {
    let error = || format!("the endpoint answered {}", status.as_u16());
    match status {
        StatusCode::GONE => Answer::Gone(error()),
        accepted if accepted.is_success() => Answer::Accepted,
        _ => Answer::Refused(error()),
    }
}

fn request(webhook: &Webhook, event: &Event, now: Timestamp) -> Option<Request<Pieces>> {
    let Event { id, kind, at, data, deliveries: _ } = event;
    let body = serde_json::to_vec(&Body { kind: *kind, timestamp: *at, data }).ok()?;
    let timestamp = now.as_second();
    let request = Request::post(webhook.url.expose())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("keyward/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", id.as_str())
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", webhook.secret.sign(id.as_str(), timestamp, &body));
    request.body(Pieces::whole(body)).ok()
}
