//! The way to what a provider keeps: admitted as one request that costs nothing, sent with the real key, and relayed as it comes.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;
use http::Method;
use hyper::body::Incoming;
use keyward_core::error_body::ErrorExtra;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::{ProviderKeyId, RequestId};
use keyward_core::ledger::Outcome;
use keyward_core::price::{Possible, Price, VersionedPrice};
use keyward_core::provider_object::ObjectKind;
use keyward_engine::{Admission, Attempt, Demand, OutputDemand, Permit};
use tokio::sync::mpsc;

use super::errand::dialect;
use crate::clock;
use crate::error::ApiError;
use crate::gateway::answer::{Reply, builder, next_data};
use crate::gateway::asking::ready;
use crate::gateway::books::Books;
use crate::gateway::dispatch::{Proof, SendError, headed, send, signed};
use crate::gateway::relay::{attended, collect, compressed, is_compressed};
use crate::gateway::telling;
use crate::gateway::upstream_client::UpstreamClient;
use crate::gateway::usage::Usage;
use crate::gateway::watch::Watch;
use crate::metrics::AttemptLabels;
use crate::pieces::Pieces;
use crate::state::State;
use crate::upstreams::{Shelf, Upstream};

/// How many pieces of a file may wait for a slow client before the provider has to wait too.
const WINDOW: usize = 8;

/// Who may go where, and with what.
pub(super) struct Way {
    permit: Permit,
    upstream: Arc<Upstream>,
    shelf: Shelf,
    kind: ObjectKind,
}

/// Whose request it is.
pub(super) struct Traveller {
    pub(super) request: HttpRequest,
    pub(super) request_id: RequestId,
    pub(super) state: web::Data<State>,
}

/// What is to be sent.
pub(super) struct Parcel {
    pub(super) method: Method,
    /// What the path has behind that of the kind, query included.
    pub(super) rest: String,
    pub(super) content_type: Option<http::HeaderValue>,
    pub(super) body: Pieces,
    /// True: the answer is relayed piece by piece.
    pub(super) is_content: bool,
}

impl Way {
    /// The way to objects of a kind, with the key that is meant, else with any that may be used.
    pub(super) fn to(
        state: &State,
        permit: Permit,
        kind: ObjectKind,
        key: Option<&ProviderKeyId>,
    ) -> Result<Self, ApiError> {
        let provider = permit.provider();
        let upstream = state.upstreams.find(provider).ok_or_else(|| {
            ApiError::new(ErrorCode::ProviderNotFound, format!("Provider '{provider}' is not configured"))
        })?;
        if !upstream.keeps(kind) {
            let message = format!("Provider '{provider}' has no such endpoint ({})", kind.words());
            return Err(ApiError::new(ErrorCode::InvalidRequest, message));
        }
        let shelf = upstream.shelf(kind, key, permit.key_access()).ok_or_else(|| {
            let message =
                format!("No key of provider '{provider}' that this virtual key may use can serve the request");
            ApiError::new(ErrorCode::ProviderKeyUnavailable, message)
        })?;
        Ok(Self { permit, upstream, shelf, kind })
    }

    /// The provider key that is used.
    pub(super) const fn key_id(&self) -> &ProviderKeyId {
        &self.shelf.key_id
    }

    /// Goes there and relays the answer. `after` is done with an answer that succeeded, before the client has it.
    pub(super) async fn go<F>(
        self,
        who: Traveller,
        parcel: Parcel,
        extra: ErrorExtra,
        after: F,
    ) -> Result<HttpResponse, ApiError>
    where
        F: AsyncFnOnce(Bytes) -> Result<(), ApiError> + 'static,
    {
        let Traveller { request, request_id, state } = who;
        ready(&state)?;
        let is_content = parcel.is_content;
        let outgoing = self.outgoing(&request, parcel).await?;
        let coverage = state.engine.coverage(&self.permit);
        let telling = |error: ApiError| error.telling(telling::limits(&coverage, clock::now()));
        let admission = self.admit(&state, request_id).map_err(telling)?;
        let watch = Watch::counting(AttemptLabels::object(self.permit.provider().as_str()));
        let mut books = Books::open(state.clone(), admission, extra, watch);
        if let Some(Err(error)) = held(&state, &books).await {
            books.release();
            return Err(error);
        }
        let timeout = self.upstream.timeout;
        let run = move |books, client, reply| run(books, client, (outgoing, timeout, is_content), reply, after);
        let mut response = attended(&request, books, run).await?;
        let headers = response.headers_mut();
        telling::put(headers, telling::limits(&coverage, clock::now()));
        if let Ok(provider) = HeaderValue::from_bytes(self.permit.provider().as_str().as_bytes()) {
            headers.insert(HeaderName::from_static("x-keyward-provider"), provider);
        }
        Ok(response)
    }

    async fn outgoing(&self, client: &HttpRequest, parcel: Parcel) -> Result<http::Request<Pieces>, ApiError> {
        let Parcel { method, rest, content_type, body, is_content: _ } = parcel;
        let mut request = http::Request::builder().method(method).uri(format!("{}{rest}", self.shelf.url));
        if let Some(content_type) = content_type {
            request = request.header(http::header::CONTENT_TYPE, content_type);
        }
        let request = headed(request, client.headers(), dialect(self.kind), &self.upstream.headers);
        let lost = || ApiError::new(ErrorCode::Internal, "The worker has no client for providers");
        let upstreams = client.app_data::<UpstreamClient>().ok_or_else(lost)?;
        signed(request, body, &self.shelf.auth, dialect(self.kind), upstreams).await
    }

    fn admit(&self, state: &State, request_id: RequestId) -> Result<Admission, ApiError> {
        let attempt = one_request(state, &self.permit, &self.shelf.key_id, request_id);
        Ok(state.engine.admit(&self.permit, attempt, clock::now())?)
    }
}

/// One request, which costs nothing.
pub(super) fn one_request(
    state: &State,
    permit: &Permit,
    key_id: &ProviderKeyId,
    request_id: RequestId,
) -> Attempt<'static> {
    let output = OutputDemand { per_answer: 0, answers: 1, capped_by_client: true, can_clamp: false, least: 0 };
    Attempt {
        request_id,
        attempt: 0,
        request_type: None,
        provider_key_id: key_id.clone(),
        model_served: permit.model().clone(),
        price: Some(VersionedPrice { price: Price::FREE, version: state.catalogue.version().into() }),
        demand: Demand { input: 0, counted_input: None, output, possible: Possible::default() },
    }
}

async fn held(state: &State, books: &Books) -> Option<Result<(), ApiError>> {
    Some(state.held_durably(books.admission()?).await)
}

async fn run<F>(
    mut books: Books,
    client: UpstreamClient,
    (outgoing, timeout, is_content): (http::Request<Pieces>, Duration, bool),
    reply: Reply,
    after: F,
) where
    F: AsyncFnOnce(Bytes) -> Result<(), ApiError>,
{
    books.leaves();
    let Some(admission) = books.admission() else { return };
    let failure = match send(Proof::attempt(admission), &client, outgoing, timeout).await {
        Ok(response) if is_compressed(&response) => {
            books.answer_began();
            settled(&mut books, Outcome::UpstreamError, compressed())
        }
        Ok(response) => {
            books.answer_began();
            return match is_content && response.status().is_success() {
                true => passed(books, response, timeout, reply).await,
                false => whole(books, response, timeout, reply, after).await,
            };
        }
        Err(SendError::NotSent(error) | SendError::Unable(error)) => {
            books.release();
            error
        }
        Err(SendError::Broken(error)) => settled(&mut books, Outcome::UpstreamError, error),
        Err(SendError::TimedOut(error)) => settled(&mut books, Outcome::TimedOut, error),
    };
    // A client that went away has no use for it.
    let _ = reply.send(Err(failure));
}

/// Nothing is used, whatever happens.
fn settled<T>(books: &mut Books, outcome: Outcome, what: T) -> T {
    books.settle(Some(Usage::default()), outcome);
    what
}

/// Relays an answer that comes as one body.
async fn whole<F>(mut books: Books, response: http::Response<Incoming>, timeout: Duration, reply: Reply, after: F)
where
    F: AsyncFnOnce(Bytes) -> Result<(), ApiError>,
{
    let (head, body) = response.into_parts();
    let answer = match collect(body, timeout).await {
        Err((error, outcome)) => Err(settled(&mut books, outcome, error)),
        Ok(body) if !head.status.is_success() => {
            books.settle(Some(Usage::default()), Outcome::UpstreamError);
            Ok(builder(&head).insert_header(("x-keyward-error-source", "provider")).body(body))
        }
        Ok(body) => {
            let outcome = if reply.is_closed() { Outcome::ClientCancelled } else { Outcome::Completed };
            books.settle(Some(Usage::default()), outcome);
            after(body.clone()).await.map(|()| builder(&head).body(body))
        }
    };
    // A client that went away has no use for it.
    let _ = reply.send(answer);
}

/// The content broke off.
#[derive(Debug, thiserror::Error)]
#[error("the content broke off")]
struct BrokenOff;

/// Relays the content of a file piece by piece. A cut never looks like an end.
async fn passed(mut books: Books, response: http::Response<Incoming>, timeout: Duration, reply: Reply) {
    let (head, mut body) = response.into_parts();
    let (sender, receiver) = mpsc::channel::<Result<Bytes, BrokenOff>>(WINDOW);
    let pieces = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    // A client that went away is noticed when the first piece is sent.
    let _ = reply.send(Ok(builder(&head).streaming(pieces)));
    let outcome = loop {
        let piece = match next_data(&mut body, timeout).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => break Outcome::Completed,
            Err((_, outcome)) => {
                let _ = tokio::time::timeout(timeout, sender.send(Err(BrokenOff))).await;
                break outcome;
            }
        };
        match tokio::time::timeout(timeout, sender.send(Ok(piece))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => break Outcome::ClientCancelled,
        }
    };
    books.settle(Some(Usage::default()), outcome);
}
