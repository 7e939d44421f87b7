//! AWS's event streams: frames of a length, headers and a payload, with two checksums. They may come in any pieces; what is kept
//! is bounded by the longest frame. The frames are read by AWS's own reader.

use aws_smithy_eventstream::frame::read_message_from;
use bytes::{Buf, Bytes, BytesMut};

/// The longest frame, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;
/// A frame without headers and payload: two lengths and two checksums.
const SHORTEST: usize = 16;

/// Reads the frames of one stream.
#[derive(Debug, Default)]
pub(super) struct EventStream {
    waiting: BytesMut,
}

/// What one frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// What kind of thing it tells.
    pub(super) kind: Kind,
    /// The payload: JSON, in the streams that are read here.
    pub(super) payload: Bytes,
}

/// What kind of thing a frame tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// An event of this type.
    Event(String),
    /// A failure that the service's interface describes, of this type.
    Exception(String),
    /// Another failure: its code, and what there is to say.
    Error(String, String),
}

/// The stream is not made of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BrokenStream {
    /// A frame is longer than any that is sent, or too short to be one.
    #[error("a frame of the event stream has an impossible length")]
    Length,
    /// A checksum does not fit, or headers are not what they should be.
    #[error("a frame of the event stream is damaged")]
    Damaged,
}

impl EventStream {
    /// Takes the next bytes of the stream.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// The next whole frame, if there is one. After an error there are no more.
    pub(super) fn next(&mut self) -> Result<Option<Message>, BrokenStream> {
        let Some(length) = self.waiting.get(..4) else { return Ok(None) };
        let length = usize::try_from((&*length).get_u32()).unwrap_or(usize::MAX);
        if !(SHORTEST..=LONGEST).contains(&length) {
            return Err(BrokenStream::Length);
        }
        if self.waiting.len() < length {
            return Ok(None);
        }
        let mut frame = self.waiting.split_to(length).freeze();
        let message = read_message_from(&mut frame).map_err(|_| BrokenStream::Damaged)?;
        let header = |name: &str| {
            let header = message.headers().iter().find(|header| header.name().as_str() == name);
            header.and_then(|header| header.value().as_string().ok()).map(|text| text.as_str().to_owned())
        };
        let kind = match header(":message-type").as_deref() {
            Some("exception") => Kind::Exception(header(":exception-type").unwrap_or_default()),
            Some("error") => {
                Kind::Error(header(":error-code").unwrap_or_default(), header(":error-message").unwrap_or_default())
            }
            Some(_) | None => Kind::Event(header(":event-type").unwrap_or_default()),
        };
        Ok(Some(Message { kind, payload: message.payload().clone() }))
    }

    /// True when the stream may end here: no frame is waiting for its end.
    pub(super) fn is_at_boundary(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// Reads whatever bytes there are, to find any that are not read or refused in an orderly way.
#[cfg(any(test, fuzzing))]
pub(super) fn fuzz(bytes: &[u8]) {
    let mut stream = EventStream::default();
    for piece in bytes.chunks(7) {
        stream.push(piece);
        while let Ok(Some(_)) = stream.next() {}
    }
}

#[cfg(test)]
mod tests;
#[cfg(any(test, fuzzing))]
pub(super) mod written;
