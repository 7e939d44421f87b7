//! The pieces of a streamed answer: events, or the elements of an array. Each is the very bytes that came; together they are the
//! stream.

use bytes::Bytes;

mod array;
mod sse;

use array::Elements;
use sse::Splitter;

use super::answer::MAX_ANSWER;

/// The longest piece: as long as an answer that comes whole, since an image comes in one.
const MAX_PIECE: usize = MAX_ANSWER;

/// Splits a stream of bytes into pieces.
#[derive(Debug)]
pub(super) enum Frames {
    /// Server-sent events.
    Events(Splitter),
    /// A JSON array, which grows by an element at a time.
    Array(Elements),
    /// Bytes that nothing is read from.
    Opaque(Option<Bytes>),
}

/// One piece, as it came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// An event, up to its empty line.
    Event(Bytes),
    /// An element, with what separates it from the one before.
    Element(Bytes),
    /// Some bytes.
    Opaque(Bytes),
}

/// The stream has a piece that is too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Frames {
    /// How an answer of this content type comes in pieces; none: it comes whole. JSON does, unless it `is_array` that grows.
    pub(super) fn of(content_type: &[u8], is_array: bool) -> Option<Self> {
        let is = |kind: &[u8]| content_type.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind));
        if is(b"text/event-stream") {
            return Some(Self::Events(Splitter::default()));
        }
        if is(b"application/json") {
            return is_array.then(|| Self::Array(Elements::default()));
        }
        let is_media = is(b"audio/") || is(b"image/") || is(b"video/") || is(b"application/octet-stream");
        is_media.then_some(Self::Opaque(None))
    }

    /// Takes the next bytes of the stream.
    pub(super) fn push(&mut self, bytes: Bytes) {
        match self {
            Self::Events(splitter) => splitter.push(&bytes),
            Self::Array(elements) => elements.push(&bytes),
            Self::Opaque(waiting) => *waiting = Some(bytes),
        }
    }

    /// The next whole piece, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, TooLong> {
        match self {
            Self::Events(splitter) => Ok(splitter.next_event()?.map(Frame::Event)),
            Self::Array(elements) => Ok(elements.next_element()?.map(Frame::Element)),
            Self::Opaque(waiting) => Ok(waiting.take().map(Frame::Opaque)),
        }
    }

    /// What is left when the stream has ended: a piece without its end, or nothing.
    pub(super) fn rest(&mut self) -> Frame {
        match self {
            Self::Events(splitter) => Frame::Event(splitter.rest()),
            Self::Array(elements) => Frame::Element(elements.rest()),
            Self::Opaque(waiting) => Frame::Opaque(waiting.take().unwrap_or_default()),
        }
    }

    /// True when the end of the connection is the end of the answer.
    pub(super) const fn is_opaque(&self) -> bool {
        matches!(self, Self::Opaque(_))
    }

    /// True for an array whose end has come.
    pub(super) const fn is_complete(&self) -> bool {
        matches!(self, Self::Array(elements) if elements.has_ended())
    }
}

impl Frame {
    /// The bytes of the piece.
    pub(super) fn into_bytes(self) -> Bytes {
        match self {
            Self::Event(bytes) | Self::Element(bytes) | Self::Opaque(bytes) => bytes,
        }
    }

    /// True for nothing.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Event(bytes) | Self::Element(bytes) | Self::Opaque(bytes) => bytes.is_empty(),
        }
    }

    /// What the piece says.
    pub(super) fn data(&self) -> Option<&[u8]> {
        match self {
            Self::Event(bytes) => sse::data(bytes),
            Self::Element(bytes) => array::data(bytes),
            Self::Opaque(_) => None,
        }
    }
}
