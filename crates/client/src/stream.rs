//! Streamed answers: pieces as they come, until the one that ends them. An end without it is an error.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use keyward_core::chat::ChatCompletionChunk;
use keyward_core::responses::ResponsesEvent;
use reqwest::Response;
use serde::de::DeserializeOwned;

use crate::answer::Head;
use crate::decode::decode;
use crate::error::{ApiError, Error};
use crate::sse::{Event, EventTooLarge, MAX_EVENT, Parser};

/// The pieces of an answer as they come. After an error there is nothing more; dropping it hangs up.
pub struct AnswerStream<T> {
    request_id: Option<String>,
    pieces: Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>,
}

/// A chat completion, piece by piece.
pub type ChatStream = AnswerStream<ChatCompletionChunk>;

/// A response, event by event; the last one has all of it.
pub type ResponsesStream = AnswerStream<ResponsesEvent>;

/// What an event's data is read as.
pub(crate) trait Piece: DeserializeOwned + Send + 'static {
    /// What ends a stream of these, in words.
    const END: &'static str;
    /// True: `[DONE]` ends it.
    const ENDS_WITH_DONE: bool;

    /// True: it is an error in the shape of a piece.
    fn is_error(&self) -> bool;

    /// True: nothing comes after it.
    fn is_last(&self) -> bool;
}

impl Piece for ChatCompletionChunk {
    const END: &'static str = "[DONE]";
    const ENDS_WITH_DONE: bool = true;

    fn is_error(&self) -> bool {
        self.other.get("error").is_some_and(|error| !error.is_null())
    }

    fn is_last(&self) -> bool {
        false
    }
}

impl Piece for ResponsesEvent {
    const END: &'static str = "an event that ends it";
    const ENDS_WITH_DONE: bool = false;

    fn is_error(&self) -> bool {
        self.kind == "error"
    }

    fn is_last(&self) -> bool {
        matches!(self.kind.as_str(), "response.completed" | "response.incomplete" | "response.failed")
    }
}

/// The answer whose head is there.
pub(crate) fn answer_stream<T: Piece>(response: Response, timeout: Duration) -> AnswerStream<T> {
    let head = Head::of(&response);
    let request_id = head.request_id.clone();
    let reader = Reader { head, response, timeout, parser: Parser::new(), is_over: false };
    AnswerStream { request_id, pieces: Box::pin(try_unfold(reader, Reader::advance)) }
}

impl<T> AnswerStream<T> {
    /// The request id, as the server's log has it.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl<T> Stream for AnswerStream<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for AnswerStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerStream").field("request_id", &self.request_id).finish_non_exhaustive()
    }
}

/// What is between two pieces.
struct Reader {
    head: Head,
    response: Response,
    timeout: Duration,
    parser: Parser,
    is_over: bool,
}

/// What an event says.
enum Said<T> {
    Piece(Box<T>),
    Done,
    Nothing,
}

impl Reader {
    async fn advance<T: Piece>(mut self) -> Result<Option<(T, Self)>, Error> {
        if self.is_over {
            return Ok(None);
        }
        loop {
            let too_large = |EventTooLarge| self.head.unexpected(format!("an event is larger than {MAX_EVENT} bytes"));
            match self.parser.next_event().map_err(too_large)? {
                Some(event) => match self.read(&event)? {
                    Said::Piece(piece) => return Ok(Some(self.with(*piece))),
                    Said::Done => return self.done::<T>().map(|()| None),
                    Said::Nothing => {}
                },
                None if self.receive().await? => {}
                None => return self.end(),
            }
        }
    }

    fn with<T: Piece>(self, piece: T) -> (T, Self) {
        let is_over = piece.is_last();
        (piece, Self { is_over, ..self })
    }

    /// Waits for more bytes; false at their end.
    async fn receive(&mut self) -> Result<bool, Error> {
        let after = self.timeout;
        let received = tokio::time::timeout(after, self.response.chunk()).await;
        let bytes = received.map_err(|_| Error::Timeout { after })??;
        Ok(bytes.map(|bytes| self.parser.push(bytes)).is_some())
    }

    /// The bytes have ended. Some servers leave out the blank line after the last event.
    fn end<T: Piece>(mut self) -> Result<Option<(T, Self)>, Error> {
        let last = std::mem::replace(&mut self.parser, Parser::new()).finish();
        match last.map(|event| self.read::<T>(&event)) {
            Some(Ok(Said::Done)) => self.done::<T>().map(|()| None),
            Some(Ok(Said::Piece(piece))) if piece.is_last() => Ok(Some(self.with(*piece))),
            Some(Err(error @ Error::Api(_))) => Err(error),
            Some(Ok(Said::Piece(_) | Said::Nothing) | Err(_)) | None => Err(self.broke_off::<T>()),
        }
    }

    /// `[DONE]` has come.
    fn done<T: Piece>(&self) -> Result<(), Error> {
        if T::ENDS_WITH_DONE { Ok(()) } else { Err(self.broke_off::<T>()) }
    }

    fn broke_off<T: Piece>(&self) -> Error {
        self.head.unexpected(format!("the stream broke off: it ended without {}", T::END))
    }

    fn read<T: Piece>(&self, event: &Event) -> Result<Said<T>, Error> {
        let data = event.data.trim_ascii();
        if event.name == b"error" {
            return Err(self.reported(data));
        }
        match data {
            b"" => Ok(Said::Nothing),
            b"[DONE]" => Ok(Said::Done),
            _ => match decode::<T>(self.head.status, data) {
                Ok(piece) if piece.is_error() => Err(self.reported(data)),
                Ok(piece) => Ok(Said::Piece(Box::new(piece))),
                Err(error) => {
                    Err(ApiError::from_event(&self.head, data).map_or(error, |api| Error::Api(Box::new(api))))
                }
            },
        }
    }

    /// The error that an event reports.
    fn reported(&self, data: &[u8]) -> Error {
        match ApiError::from_event(&self.head, data) {
            Some(error) => Error::Api(Box::new(error)),
            None => self.head.unexpected("the stream reported an error without saying which"),
        }
    }
}
