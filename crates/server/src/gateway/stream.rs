//! Streamed answers: each event goes to the client as it came, while its usage is read on the side.
//!
//! A client that goes away is not a reason to stop counting: the rest of the answer is drained, for a while. The attempt is
//! settled before the last event leaves, so that whoever has seen the end can see its cost.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_TYPE, HeaderValue};
use hyper::body::Incoming;
use keyward_core::crash_point::CrashPoint;
use keyward_core::error_body::ErrorExtra;
use keyward_core::error_code::ErrorCode;
use keyward_core::ledger::Outcome;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::answer::{Expected, Reply, builder, next_data};
use super::bedrock::ChunkStream;
use super::books::Books;
use super::frames::{Frame, Frames, TooLong};
use super::objects;
use super::relay::about;
use super::usage::{Reader, Said, Usage, shape};
use super::voice;
use crate::error::ApiError;

/// How many pieces may wait for a slow client before the provider has to wait too.
const WINDOW: usize = 8;

/// A stream on its way.
pub(super) struct Stream {
    books: Books,
    expected: Expected,
    request_id: String,
    about: ErrorExtra,
    frames: Frames,
    reader: Reader,
    /// What translates the provider's bytes; none: they go on as they are.
    converse: Option<ChunkStream>,
    client: Client,
    /// True when something was sent to the client.
    has_begun: bool,
    is_done: bool,
    /// True when the provider has told a failure of its own.
    has_failed: bool,
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
    /// A stream that comes in such frames.
    pub(super) fn new(mut books: Books, expected: Expected, frames: Frames) -> Self {
        let (request_id, about) = books.about();
        books.watch().streams();
        Self {
            books,
            about,
            request_id,
            frames,
            reader: Reader::new(shape(expected.operation), expected.answers),
            expected,
            converse: None,
            client: Client::Gone(Instant::now()),
            has_begun: false,
            is_done: false,
            has_failed: false,
        }
    }

    /// Relays the stream to its end and settles it. One of Converse is translated on its way.
    pub(super) async fn run(mut self, response: http::Response<Incoming>, reply: Reply) {
        self.converse = self.expected.of_converse.take().map(|model| ChunkStream::new(about(&response, model)));
        let (mut head, mut body) = response.into_parts();
        if self.converse.is_some() {
            head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        }
        let (sender, receiver) = mpsc::channel(WINDOW);
        let answer = builder(&head).streaming(pieces(receiver));
        self.client = if reply.send(Ok(answer)).is_ok() { Client::Here(sender) } else { self.gone() };
        match self.relay(&mut body).await {
            Ok(()) => self.settle_as_told(),
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
            let (bytes, is_last) = match next_data(body, self.patience()).await {
                _ if self.is_out_of_patience() => return Err(left_alone()),
                Ok(Some(bytes)) => (self.in_dialect(bytes), false),
                Ok(None) => (self.converse.as_mut().map(ChunkStream::end).unwrap_or_default(), true),
                // Nothing is missing after the last event, whatever becomes of the connection.
                Err(_) if self.is_done => break,
                Err(failure) => return Err(failure),
            };
            if !bytes.is_empty() {
                self.frames.push(bytes);
            }
            while let Some(frame) = self.frames.next().map_err(too_long)? {
                self.pass(frame).await;
            }
            if is_last {
                break;
            }
        }
        // The last event may lack its empty line, and an array ends behind its last element.
        let rest = self.frames.rest();
        self.is_done |= self.frames.is_complete() || self.frames.is_opaque();
        if self.is_done {
            self.settle_as_told();
        }
        if !rest.is_empty() {
            self.pass(rest).await;
        }
        // Who has told the usage of the whole has said all that matters, or why there is no more; anyone else was cut off.
        if self.is_done || self.has_failed || self.reader.is_final() { Ok(()) } else { Err(cut_off()) }
    }

    fn in_dialect(&mut self, bytes: Bytes) -> Bytes {
        match &mut self.converse {
            Some(converse) => converse.push(&bytes),
            None => bytes,
        }
    }

    /// Reads one piece's usage and passes the piece on, unless it was only sent because we asked for it.
    async fn pass(&mut self, frame: Frame) {
        if let Some(data) = frame.data() {
            self.books.watch().read(data);
            self.keep(data);
        }
        let said = frame.data().map(|data| self.heard(data)).unwrap_or_default();
        self.has_failed |= said.failed;
        if said.ends {
            self.is_done = true;
            self.settle_as_told();
        }
        if self.expected.relay_usage || !said.usage_only {
            self.forward_bytes(frame.into_bytes()).await;
            self.books.reached(CrashPoint::PieceRelayed);
        }
    }

    /// Writes down what the provider keeps, once its id is known.
    fn keep(&mut self, data: &[u8]) {
        if let Some(kept) = self.expected.keeping.as_ref().and_then(|keeping| keeping.of_event(data)) {
            self.expected.keeping = None;
            objects::remember(self.books.state(), Some(kept));
        }
    }

    fn heard(&mut self, data: &[u8]) -> Said {
        self.expected.untold.read(data);
        self.reader.read(data)
    }

    /// Settles what the provider has brought to an end, a good one or not.
    fn settle_as_told(&mut self) {
        match self.has_failed {
            true => self.settle(self.reader.usage().filter(|_| self.reader.is_final()), Outcome::UpstreamError),
            false => self.settle(self.reader.usage(), Outcome::Completed),
        }
    }

    async fn forward_bytes(&mut self, bytes: Bytes) {
        self.books.watch().relayed(&bytes);
        self.forward(Piece::Bytes(bytes)).await;
    }

    async fn forward(&mut self, piece: Piece) {
        let Client::Here(client) = &self.client else { return };
        let sent = tokio::time::timeout(self.expected.timeout, client.send(piece)).await;
        match sent {
            Ok(Ok(())) => self.has_begun = true,
            Ok(Err(_)) | Err(_) => self.client = self.gone(),
        }
    }

    fn settle(&mut self, usage: Option<Usage>, outcome: Outcome) {
        let outcome = match (&self.client, outcome) {
            (Client::Gone(_), Outcome::Completed) => Outcome::ClientCancelled,
            (Client::Gone(_) | Client::Here(_), other) => other,
        };
        self.books.settle_or_count(usage, &self.expected.untold, outcome);
    }

    /// Ends the client's stream with an error of its own dialect, so that a cut never looks like an end. Where bytes say
    /// nothing, the connection is broken off instead.
    async fn tell(&mut self, error: ApiError) {
        let error = error.in_gateway(self.about.clone()).body(&self.request_id);
        let last = match &self.frames {
            Frames::Events(_) => voice::last_event(self.expected.operation, error),
            Frames::Array(_) => voice::last_element(!self.has_begun, error),
            Frames::Opaque(_) => None,
        };
        match last {
            Some(bytes) => self.forward_bytes(bytes).await,
            None => self.client = self.gone(),
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
            Client::Here(_) => self.expected.timeout,
            Client::Gone(until) => self.expected.timeout.min(until.saturating_duration_since(Instant::now())),
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
