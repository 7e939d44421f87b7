//! Streamed answers: each event goes to the client as it came, while its usage is read on the side.
//!
//! A client that goes away is not a reason to stop counting: the rest of the answer is drained, for a while. The attempt is
//! settled before the last event leaves, so that whoever has seen the end can see its cost.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use hyper::body::Incoming;
use keyward_core::crash_point::CrashPoint;
use keyward_core::error_body::ErrorExtra;
use keyward_core::error_code::ErrorCode;
use keyward_core::ledger::Outcome;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::answer::{Reply, builder, next_data};
use super::books::Books;
use super::sse::{Event, Splitter, TooLong};
use super::usage::{Reader, Shape, Usage};
use crate::error::ApiError;

/// How many events may wait for a slow client before the provider has to wait too.
const WINDOW: usize = 8;

/// A stream on its way.
pub(super) struct Stream {
    books: Books,
    timeout: Duration,
    relay_usage: bool,
    request_id: String,
    about: ErrorExtra,
    events: Splitter,
    client: Client,
    reader: Reader,
    is_done: bool,
}

/// What goes to the client.
enum Piece {
    Bytes(Bytes),
    /// Everything that there is to say was said. Without it the connection is broken off: a cut never looks like an end.
    End,
}

/// The client's end of the stream.
enum Client {
    Here(mpsc::Sender<Piece>),
    /// It went away; the answer is drained until this instant.
    Gone(Instant),
}

impl Stream {
    pub(super) fn new(books: Books, timeout: Duration, relay_usage: bool) -> Self {
        let (request_id, about) = books.about();
        Self {
            books,
            about,
            timeout,
            relay_usage,
            request_id,
            events: Splitter::default(),
            client: Client::Gone(Instant::now()),
            reader: Reader::new(Shape::OpenAi),
            is_done: false,
        }
    }

    /// Relays the stream to its end and settles it.
    pub(super) async fn run(mut self, response: http::Response<Incoming>, reply: Reply) {
        let (head, mut body) = response.into_parts();
        let (sender, receiver) = mpsc::channel(WINDOW);
        let answer = builder(&head).streaming(pieces(receiver));
        self.client = if reply.send(Ok(answer)).is_ok() { Client::Here(sender) } else { self.gone() };
        match self.relay(&mut body).await {
            Ok(()) => self.settle(self.reader.usage(), Outcome::Completed),
            Err((error, outcome)) => {
                error.log(&self.request_id);
                let final_usage = self.reader.usage().filter(|_| self.reader.is_final());
                self.settle(final_usage, outcome);
                self.tell(error).await;
            }
        }
        self.forward(Piece::End).await;
    }

    async fn relay(&mut self, body: &mut Incoming) -> Result<(), (ApiError, Outcome)> {
        loop {
            match next_data(body, self.patience()).await {
                _ if self.is_out_of_patience() => return Err(left_alone()),
                Ok(Some(bytes)) => self.events.push(&bytes),
                Ok(None) => break,
                // Nothing is missing after the last event, whatever becomes of the connection.
                Err(_) if self.is_done => break,
                Err(failure) => return Err(failure),
            }
            while let Some(event) = self.events.next_event().map_err(too_long)? {
                self.pass(event).await;
            }
        }
        // The last event may lack its empty line.
        let rest = self.events.rest();
        if !rest.is_empty() {
            self.pass(Event(rest)).await;
        }
        // Who has told the usage of the whole has said all that matters; anyone else was cut off.
        if self.is_done || self.reader.is_final() { Ok(()) } else { Err(cut_off()) }
    }

    /// Reads one event's usage and passes the event on, unless it was only sent because we asked for it.
    async fn pass(&mut self, event: Event) {
        let said = event.data().map(|data| self.reader.read(data)).unwrap_or_default();
        if said.ends {
            self.is_done = true;
            self.settle(self.reader.usage(), Outcome::Completed);
        }
        if self.relay_usage || !said.usage_only {
            self.forward(Piece::Bytes(event.0)).await;
            self.books.reached(CrashPoint::PieceRelayed);
        }
    }

    async fn forward(&mut self, piece: Piece) {
        let Client::Here(client) = &self.client else { return };
        let sent = tokio::time::timeout(self.timeout, client.send(piece)).await;
        if !matches!(sent, Ok(Ok(()))) {
            self.client = self.gone();
        }
    }

    fn settle(&mut self, usage: Option<Usage>, outcome: Outcome) {
        let outcome = match (&self.client, outcome) {
            (Client::Gone(_), Outcome::Completed) => Outcome::ClientCancelled,
            (Client::Gone(_) | Client::Here(_), other) => other,
        };
        self.books.settle(usage, outcome);
    }

    /// Ends the client's stream with an error event of its own dialect, so that a cut never looks like an end.
    async fn tell(&mut self, error: ApiError) {
        let error = error.in_gateway(self.about.clone());
        if let Ok(json) = serde_json::to_string(&error.body(&self.request_id)) {
            self.forward(Piece::Bytes(Bytes::from(format!("data: {json}\n\n")))).await;
        }
    }

    fn gone(&self) -> Client {
        Client::Gone(Instant::now() + self.books.state().settings.drain_after_cancel)
    }

    /// True when the client went away and its answer was drained for long enough.
    fn is_out_of_patience(&self) -> bool {
        matches!(self.client, Client::Gone(until) if until <= Instant::now())
    }

    /// How long to wait for the next bytes.
    fn patience(&self) -> Duration {
        match self.client {
            Client::Here(_) => self.timeout,
            Client::Gone(until) => self.timeout.min(until.saturating_duration_since(Instant::now())),
        }
    }
}

/// The body of the client's answer.
fn pieces(receiver: mpsc::Receiver<Piece>) -> impl stream::Stream<Item = Result<Bytes, BrokenOff>> + 'static {
    stream::unfold(Some(receiver), async |receiver| {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(receiver))),
            Some(Piece::End) => None,
            None => Some((Err(BrokenOff), None)),
        }
    })
}

/// The relay was given up in the middle of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer was broken off")]
struct BrokenOff;

fn left_alone() -> (ApiError, Outcome) {
    let error =
        ApiError::new(ErrorCode::UpstreamTimeout, "The client went away, and the answer did not end soon after");
    (error, Outcome::ClientCancelled)
}

fn cut_off() -> (ApiError, Outcome) {
    let error = ApiError::new(ErrorCode::UpstreamInvalid, "The provider's stream ended before it was complete");
    (error, Outcome::UpstreamError)
}

fn too_long(_: TooLong) -> (ApiError, Outcome) {
    let error = ApiError::new(ErrorCode::UpstreamInvalid, "The provider's stream has an event that is too long");
    (error, Outcome::UpstreamError)
}
