//! Relay and settle: one task for each admitted attempt, which outlives the client. Whatever happens, it ends in one settlement.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::{Bytes, BytesMut};
use hyper::body::Incoming;
use keyward_core::crash_point::CrashPoint;
use keyward_core::error_code::ErrorCode;
use keyward_core::ledger::Outcome;
use keyward_core::money::NanoUsd;
use keyward_core::operation::Operation;
use keyward_engine::Admission;
use tokio::sync::oneshot;

use super::answer::{Reply, builder, next_data};
use super::books::Books;
use super::dispatch::{Call, SendError, send};
use super::frames::Frames;
use super::stream::Stream;
use super::telling;
use super::untold::Untold;
use super::upstream_client::UpstreamClient;
use super::usage::{self, Usage};
use crate::error::ApiError;
use crate::upstreams::{Trial, Verdict};
use crate::{clock, lapses};

/// The longest answer that is no stream.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// Runs an admitted attempt in a task of its own and waits for the beginning of its answer.
pub(super) async fn relay(
    request: &HttpRequest,
    books: Books,
    call: Call,
    trial: Option<Trial>,
) -> Result<HttpResponse, ApiError> {
    let lost = || ApiError::new(ErrorCode::Internal, "The attempt was interrupted");
    let client = request.app_data::<UpstreamClient>().cloned().ok_or_else(lost)?;
    let (reply, answer) = oneshot::channel();
    let state = books.state().clone();
    let Some(pulse) = books.admission().map(Admission::pulse) else { return Err(lost()) };
    let give_up = state.give_up.clone();
    // An attempt that is given up is dropped, and so are its books: they charge what was held.
    state.tasks.spawn_local(async move {
        tokio::select! {
            () = give_up.cancelled() => {}
            () = run(books, client, call, trial, reply) => {}
            () = lapses::keep_alive(pulse) => {}
        }
    });
    answer.await.unwrap_or_else(|_| match state.give_up.is_cancelled() {
        true => Err(ApiError::new(ErrorCode::ShuttingDown, "The server stopped before the provider had answered")),
        false => Err(lost()),
    })
}

async fn run(mut books: Books, client: UpstreamClient, call: Call, trial: Option<Trial>, reply: Reply) {
    let Call { request, patience, timeout, relay_usage, operation, streamed, untold } = call;
    books.watch().leaves();
    let Some(admission) = books.admission() else { return };
    books.reached(CrashPoint::RequestLeaving);
    let failure = match send(admission, &client, request, patience).await {
        Ok(response) if is_compressed(&response) => {
            books.watch().is_answered(response.status());
            books.answer_began();
            learn(trial, Verdict::Failed);
            compressed().telling(books.settle(None, Outcome::UpstreamError).map(telling::cost))
        }
        Ok(response) => {
            books.watch().is_answered(response.status());
            books.answer_began();
            return match pieces_of(&response, streamed) {
                Some(frames) => {
                    learn(trial, Verdict::Served);
                    Stream::new(books, operation, (timeout, relay_usage), frames, untold).run(response, reply).await;
                }
                None => whole((books, untold), operation, timeout, response, (trial, reply)).await,
            };
        }
        Err(failure) => {
            // A rule's own patience may be shorter than anyone could answer.
            if patience >= timeout || !failure.is_for_want_of_time() {
                learn(trial, Verdict::Failed);
            }
            unanswered(&mut books, failure)
        }
    };
    // A client that went away has no use for it.
    let _ = reply.send(Err(failure));
}

/// Books an attempt that was not answered. What left may have been used.
fn unanswered(books: &mut Books, failure: SendError) -> ApiError {
    match failure {
        SendError::NotSent(error) => {
            books.release();
            error
        }
        SendError::Broken(error) => error.telling(books.settle(None, Outcome::UpstreamError).map(telling::cost)),
        SendError::TimedOut(error) => error.telling(books.settle(None, Outcome::TimedOut).map(telling::cost)),
    }
}

/// What the attempt has shown of the key counts also when the client has gone away.
fn learn(trial: Option<Trial>, verdict: Verdict) {
    if let Some(trial) = trial {
        trial.end(verdict, clock::now());
    }
}

/// Nobody asked for that: what it unpacks to could be of any size, and its usage cannot be read.
fn is_compressed(response: &http::Response<Incoming>) -> bool {
    response.headers().get(http::header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity")
}

fn compressed() -> ApiError {
    ApiError::new(ErrorCode::UpstreamInvalid, "The provider's answer is compressed, which nobody asked for")
}

/// How an answer comes in pieces; none: it comes whole. Errors do.
fn pieces_of(response: &http::Response<Incoming>, streamed: bool) -> Option<Frames> {
    let content_type = response.headers().get(http::header::CONTENT_TYPE)?;
    response.status().is_success().then(|| Frames::of(content_type.as_bytes(), streamed)).flatten()
}

/// Relays an answer that comes as one body: read whole, settled, then passed on.
async fn whole(
    (mut books, mut untold): (Books, Untold),
    operation: Operation,
    timeout: Duration,
    response: http::Response<Incoming>,
    (trial, reply): (Option<Trial>, Reply),
) {
    let (head, body) = response.into_parts();
    let answer = match collect(body, timeout).await {
        Ok(body) => {
            learn(trial, Verdict::of(head.status, &head.headers, &body, clock::now()));
            books.watch().read(&body);
            books.watch().relayed(&body);
            judge((&mut books, &mut untold), operation, &head, body, &reply)
        }
        Err((error, outcome)) => {
            learn(trial, Verdict::Failed);
            Err(error.telling(books.settle(None, outcome).map(telling::cost)))
        }
    };
    // A client that went away has no use for it.
    let _ = reply.send(answer);
}

/// Settles an answer by what it says it used. An error of the provider used nothing unless it says so.
fn judge(
    (books, untold): (&mut Books, &mut Untold),
    operation: Operation,
    head: &http::response::Parts,
    body: Bytes,
    reply: &Reply,
) -> Result<HttpResponse, ApiError> {
    let reported = told(operation, head, &body);
    if !head.status.is_success() {
        let cost = books.settle(Some(reported.ok().flatten().unwrap_or_default()), Outcome::UpstreamError);
        let mut answer = costing(head, cost);
        return Ok(answer.insert_header(("x-keyward-error-source", "provider")).body(body));
    }
    match reported {
        Ok(reported) => {
            let outcome = if reply.is_closed() { Outcome::ClientCancelled } else { Outcome::Completed };
            if reported.is_none() {
                untold.read(&body);
            }
            let cost = books.settle_or_count(reported, untold, outcome);
            Ok(costing(head, cost).body(body))
        }
        Err(error) => {
            let cost = books.settle(None, Outcome::UpstreamError);
            let message = "The provider's answer is not JSON";
            Err(ApiError::new(ErrorCode::UpstreamInvalid, message).because(error).telling(cost.map(telling::cost)))
        }
    }
}

/// What an answer says it used; an error when it is not what its operation answers with.
fn told(operation: Operation, head: &http::response::Parts, body: &[u8]) -> Result<Option<Usage>, serde_json::Error> {
    let content_type = head.headers.get(http::header::CONTENT_TYPE);
    let is_text = content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"text/"));
    match operation {
        // Free by declaration.
        _ if operation.is_free() => Ok(Some(Usage::default())),
        // Subtitles and plain text tell nothing.
        Operation::Transcriptions | Operation::Translations if is_text => Ok(None),
        _ => usage::of_answer(usage::shape(operation), body),
    }
}

/// A response that says what it cost.
fn costing(head: &http::response::Parts, cost: Option<NanoUsd>) -> HttpResponseBuilder {
    let mut answer = builder(head);
    if let Some(cost) = cost {
        answer.insert_header(telling::cost(cost));
    }
    answer
}

async fn collect(mut body: Incoming, timeout: Duration) -> Result<Bytes, (ApiError, Outcome)> {
    let mut collected = BytesMut::new();
    while let Some(data) = next_data(&mut body, timeout).await? {
        if collected.len() + data.len() > MAX_ANSWER {
            let error = ApiError::new(ErrorCode::UpstreamInvalid, "The provider's answer is too long");
            return Err((error, Outcome::UpstreamError));
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected.freeze())
}
