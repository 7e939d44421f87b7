//! The streamed answer to a chat: it is complete only with `[DONE]`; an end without it is an error.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use keyward_core::chat::ChatCompletionChunk;
use reqwest::Response;

use crate::answer::Head;
use crate::decode::decode;
use crate::error::{ApiError, Error};
use crate::sse::{Event, EventTooLarge, MAX_EVENT, Parser};

/// The pieces of an answer as they come. After an error there is nothing more; dropping it hangs up.
pub struct ChatStream {
    request_id: Option<String>,
    chunks: Pin<Box<dyn Stream<Item = Result<ChatCompletionChunk, Error>> + Send>>,
}

impl ChatStream {
    pub(crate) fn new(response: Response, timeout: Duration) -> Self {
        let head = Head::of(&response);
        let request_id = head.request_id.clone();
        let reader = Reader { head, response, timeout, parser: Parser::new() };
        Self { request_id, chunks: Box::pin(try_unfold(reader, Reader::advance)) }
    }

    /// The request id, as the server's log has it.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl Stream for ChatStream {
    type Item = Result<ChatCompletionChunk, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.as_mut().poll_next(context)
    }
}

impl fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatStream").field("request_id", &self.request_id).finish_non_exhaustive()
    }
}

/// What is between two pieces.
struct Reader {
    head: Head,
    response: Response,
    timeout: Duration,
    parser: Parser,
}

/// What an event says.
enum Said {
    Piece(Box<ChatCompletionChunk>),
    Done,
    Nothing,
}

impl Reader {
    async fn advance(mut self) -> Result<Option<(ChatCompletionChunk, Self)>, Error> {
        loop {
            let too_large = |EventTooLarge| self.head.unexpected(format!("an event is larger than {MAX_EVENT} bytes"));
            match self.parser.next_event().map_err(too_large)? {
                Some(event) => match self.read(&event)? {
                    Said::Piece(chunk) => return Ok(Some((*chunk, self))),
                    Said::Done => return Ok(None),
                    Said::Nothing => {}
                },
                None if self.receive().await? => {}
                None => return self.end(),
            }
        }
    }

    /// Waits for more bytes; false at their end.
    async fn receive(&mut self) -> Result<bool, Error> {
        let after = self.timeout;
        let received = tokio::time::timeout(after, self.response.chunk()).await;
        let bytes = received.map_err(|_| Error::Timeout { after })??;
        Ok(bytes.map(|bytes| self.parser.push(bytes)).is_some())
    }

    /// The bytes have ended. Some servers leave out the blank line after the last event.
    fn end(mut self) -> Result<Option<(ChatCompletionChunk, Self)>, Error> {
        let last = std::mem::replace(&mut self.parser, Parser::new()).finish();
        match last.map(|event| self.read(&event)) {
            Some(Ok(Said::Done)) => Ok(None),
            Some(Err(error @ Error::Api(_))) => Err(error),
            Some(Ok(Said::Piece(_) | Said::Nothing) | Err(_)) | None => {
                Err(self.head.unexpected("the stream broke off: it ended without [DONE]"))
            }
        }
    }

    fn read(&self, event: &Event) -> Result<Said, Error> {
        let data = event.data.trim_ascii();
        if event.name == b"error" {
            return Err(self.reported(data));
        }
        match data {
            b"" => Ok(Said::Nothing),
            b"[DONE]" => Ok(Said::Done),
            _ => match decode::<ChatCompletionChunk>(self.head.status, data) {
                Ok(chunk) if chunk.other.get("error").is_none_or(|error| error.is_null()) => {
                    Ok(Said::Piece(Box::new(chunk)))
                }
                Ok(_) => Err(self.reported(data)),
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
