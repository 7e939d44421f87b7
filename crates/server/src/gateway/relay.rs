//! Relay and settle: one task for each admitted attempt, which outlives the client. Whatever happens, it ends in one settlement.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::{Bytes, BytesMut};
use hyper::body::Incoming;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::ModelName;
use keyward_core::ledger::Outcome;
use keyward_core::money::NanoUsd;
use keyward_core::operation::Operation;
use keyward_engine::Admission;
use tokio::sync::oneshot;

use super::answer::{Expected, MAX_ANSWER, Reply, builder, next_data};
use super::bedrock::{self, About};
use super::books::Books;
use super::dispatch::{Call, Proof, SendError, send};
use super::frames::Frames;
use super::objects;
use super::stream::Stream;
use super::telling;
use super::upstream_client::UpstreamClient;
use super::usage::{self, Usage};
use crate::error::ApiError;
use crate::upstreams::{Trial, Verdict};
use crate::{clock, lapses};

/// Runs an admitted attempt in a task of its own and waits for the beginning of its answer.
pub(super) async fn relay(
    request: &HttpRequest,
    books: Books,
    call: Call,
    trial: Option<Trial>,
) -> Result<HttpResponse, ApiError> {
    attended(request, books, |books, client, reply| run(books, client, call, trial, reply)).await
}

/// Runs what is done about an admitted attempt in a task that outlives the client, and waits for the beginning of its answer.
pub(super) async fn attended<F, Fut>(request: &HttpRequest, books: Books, run: F) -> Result<HttpResponse, ApiError>
where
    F: FnOnce(Books, UpstreamClient, Reply) -> Fut + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let lost = || ApiError::new(ErrorCode::Internal, "The attempt was interrupted");
    let client = request.app_data::<UpstreamClient>().cloned().ok_or_else(lost)?;
    let (reply, answer) = oneshot::channel();
    let state = books.state().clone();
    let Some(pulse) = books.admission().map(Admission::pulse) else { return Err(lost()) };
    let give_up = state.give_up.clone();
    // It is large, and a task is moved about until it runs.
    let run = Box::pin(run(books, client, reply));
    // An attempt that is given up is dropped, and so are its books: they charge what was held.
    state.tasks.spawn_local(async move {
        tokio::select! {
            () = give_up.cancelled() => {}
            () = run => {}
            () = lapses::keep_alive(pulse) => {}
        }
    });
    answer.await.unwrap_or_else(|_| match state.give_up.is_cancelled() {
        true => Err(ApiError::new(ErrorCode::ShuttingDown, "The server stopped before the provider had answered")),
        false => Err(lost()),
    })
}

async fn run(mut books: Books, client: UpstreamClient, call: Call, trial: Option<Trial>, reply: Reply) {
    let Call { request, patience, expected } = call;
    books.leaves();
    let Some(admission) = books.admission() else { return };
    let failure = match send(Proof::attempt(admission), &client, request, patience).await {
        Ok(response) if is_compressed(&response) => {
            books.watch().is_answered(response.status());
            books.answer_began();
            learn(trial, Verdict::Failed);
            compressed().telling(books.settle(None, Outcome::UpstreamError).map(telling::cost))
        }
        Ok(response) => {
            books.watch().is_answered(response.status());
            books.answer_began();
            return match pieces_of(&response, &expected) {
                Some(frames) => {
                    learn(trial, Verdict::Served);
                    Stream::new(books, expected, frames).run(response, reply).await;
                }
                None => whole(books, expected, response, trial, reply).await,
            };
        }
        Err(failure) => {
            // A rule's own patience may be shorter than anyone could answer.
            if failure.is_of_provider() && (patience >= expected.timeout || !failure.is_for_want_of_time()) {
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
        SendError::NotSent(error) | SendError::Unable(error) => {
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
pub(super) fn is_compressed(response: &http::Response<Incoming>) -> bool {
    response.headers().get(http::header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity")
}

pub(super) fn compressed() -> ApiError {
    ApiError::new(ErrorCode::UpstreamInvalid, "The provider's answer is compressed, which nobody asked for")
}

/// How an answer comes in pieces; none: it comes whole. Errors do.
fn pieces_of(response: &http::Response<Incoming>, expected: &Expected) -> Option<Frames> {
    let content_type = match response.headers().get(http::header::CONTENT_TYPE)?.as_bytes() {
        // What becomes of it.
        bedrock::CONTENT_TYPE if expected.of_converse.is_some() => bedrock::BECOMES,
        other => other,
    };
    response.status().is_success().then(|| Frames::of(content_type, expected.is_array())).flatten()
}

/// What an answer of Converse is about.
pub(super) fn about(response: &http::Response<Incoming>, model: ModelName) -> About {
    let request_id = response.headers().get("x-amzn-requestid").and_then(|id| id.to_str().ok()).unwrap_or_default();
    About { request_id: request_id.to_owned(), created: clock::now().as_second(), model: model.to_string() }
}

/// The body in the dialect of the request.
fn in_dialect(
    of_converse: Option<&About>,
    head: &http::response::Parts,
    body: Bytes,
) -> Result<Bytes, serde_json::Error> {
    let Some(about) = of_converse else { return Ok(body) };
    let error_type = head.headers.get("x-amzn-errortype").and_then(|name| name.to_str().ok());
    Ok(match head.status.is_success() {
        true => bedrock::completion(&body, about)?.into(),
        false => bedrock::error_body(head.status.as_u16(), error_type, &body).into(),
    })
}

/// Relays an answer that comes as one body: read whole, settled, then passed on.
async fn whole(
    mut books: Books,
    mut expected: Expected,
    response: http::Response<Incoming>,
    trial: Option<Trial>,
    reply: Reply,
) {
    let of_converse = expected.of_converse.take().map(|model| about(&response, model));
    let (head, body) = response.into_parts();
    let answer = match collect(body, expected.timeout).await {
        Ok(body) => {
            learn(trial, Verdict::of(head.status, &head.headers, &body, clock::now()));
            let keeping = expected.keeping.take().filter(|_| head.status.is_success());
            let kept = keeping.and_then(|keeping| keeping.of_answer(&body));
            let judged = match in_dialect(of_converse.as_ref(), &head, body) {
                Ok(body) => {
                    books.watch().read(&body);
                    books.watch().relayed(&body);
                    judge(&mut books, &mut expected, &head, body, &reply)
                }
                Err(error) => Err(unreadable(&mut books, error)),
            };
            objects::remember(books.state(), kept);
            judged
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
    books: &mut Books,
    expected: &mut Expected,
    head: &http::response::Parts,
    body: Bytes,
    reply: &Reply,
) -> Result<HttpResponse, ApiError> {
    let reported = told(expected.operation, head, &body);
    if !head.status.is_success() {
        let cost = books.settle(Some(reported.ok().flatten().unwrap_or_default()), Outcome::UpstreamError);
        let mut answer = costing(head, cost);
        return Ok(answer.insert_header(("x-keyward-error-source", "provider")).body(body));
    }
    match reported {
        Ok(reported) => {
            let outcome = if reply.is_closed() { Outcome::ClientCancelled } else { Outcome::Completed };
            if reported.is_none() {
                expected.untold.read(&body);
            }
            let cost = books.settle_or_count(reported, &expected.untold, outcome);
            Ok(costing(head, cost).body(body))
        }
        Err(error) => Err(unreadable(books, error)),
    }
}

/// Books an answer that nobody can read.
fn unreadable(books: &mut Books, error: serde_json::Error) -> ApiError {
    let cost = books.settle(None, Outcome::UpstreamError);
    let message = "The provider's answer is not JSON, or not that of the operation";
    ApiError::new(ErrorCode::UpstreamInvalid, message).because(error).telling(cost.map(telling::cost))
}

/// What an answer says it used; an error when it is not what its operation answers with.
fn told(operation: Operation, head: &http::response::Parts, body: &[u8]) -> Result<Option<Usage>, serde_json::Error> {
    let content_type = head.headers.get(http::header::CONTENT_TYPE);
    let is_text = content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"text/"));
    if operation.is_free() {
        return Ok(Some(Usage::default()));
    }
    // Subtitles and plain text tell nothing.
    match is_text && matches!(operation, Operation::Transcriptions | Operation::Translations) {
        true => Ok(None),
        false => usage::of_answer(usage::shape(operation), body),
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

/// Reads an answer to its end.
pub(super) async fn collect(mut body: Incoming, timeout: Duration) -> Result<Bytes, (ApiError, Outcome)> {
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
