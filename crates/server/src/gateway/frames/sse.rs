//! Server-sent events, taken apart without being changed: an event is the very bytes that came, up to its empty line.

use bytes::{Bytes, BytesMut};

use super::{MAX_PIECE, TooLong};

/// Splits a stream of bytes into events.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Splitter {
    buffer: BytesMut,
    /// How much of the buffer is known to have no end of an event.
    searched: usize,
}

impl Splitter {
    /// Takes the next bytes of the stream.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole event, if there is one.
    pub(super) fn next_event(&mut self) -> Result<Option<Bytes>, TooLong> {
        match self.end_of_event() {
            Some(end) => {
                self.searched = 0;
                Ok(Some(self.buffer.split_to(end).freeze()))
            }
            None if self.buffer.len() > MAX_PIECE => Err(TooLong),
            None => Ok(None),
        }
    }

    /// What is left when the stream has ended: an event without its empty line, or nothing.
    pub(super) fn rest(&mut self) -> Bytes {
        self.searched = 0;
        self.buffer.split().freeze()
    }

    /// Where the first event ends: after a line end that directly follows another one.
    fn end_of_event(&mut self) -> Option<usize> {
        let from = self.searched;
        let unsearched = self.buffer.get(from..).unwrap_or_default();
        for (offset, _) in unsearched.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            let line_end = from + offset;
            let before = self.buffer.get(..line_end).unwrap_or_default();
            let before = before.strip_suffix(b"\r").unwrap_or(before);
            if before.is_empty() || before.ends_with(b"\n") {
                return Some(line_end + 1);
            }
        }
        self.searched = self.buffer.len();
        None
    }
}

/// An event's data, when it stands on one line, as every provider sends it.
pub(super) fn data(event: &[u8]) -> Option<&[u8]> {
    let lines = event.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut data = lines.filter_map(|line| line.strip_prefix(b"data:"));
    let first = data.next()?;
    data.next().is_none().then(|| first.strip_prefix(b" ").unwrap_or(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(stream: &[u8], size: usize) -> (Vec<Bytes>, Bytes) {
        let mut splitter = Splitter::default();
        let mut events = Vec::new();
        for piece in stream.chunks(size) {
            splitter.push(piece);
            while let Some(event) = splitter.next_event().unwrap() {
                events.push(event);
            }
        }
        (events, splitter.rest())
    }

    #[test]
    fn events_are_the_same_however_the_bytes_come() {
        let stream = b"data: a\n\n: ping\n\nevent: x\r\ndata: b\r\n\r\n\ndata:c\n\ndata: rest";
        let whole = split(stream, stream.len());
        assert_eq!(whole.0.len(), 5);
        assert_eq!(whole.1.as_ref(), b"data: rest");
        for size in 1..stream.len() {
            assert_eq!(split(stream, size), whole, "pieces of {size}");
        }
        let joined: Vec<u8> = whole.0.iter().chain([&whole.1]).flat_map(|bytes| bytes.to_vec()).collect();
        assert_eq!(joined, stream);
    }

    #[test]
    fn data_is_found() {
        assert_eq!(data(b"event: x\r\ndata: {}\r\n\r\n"), Some(&b"{}"[..]));
        assert_eq!(data(b": ping\n\n"), None);
        assert_eq!(data(b"data:[DONE]\r\n\r\n"), Some(&b"[DONE]"[..]));
        assert_eq!(data(b"data: a\ndata: b\n\n"), None);
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut splitter = Splitter::default();
        splitter.push(&vec![b'x'; MAX_PIECE + 1]);
        assert_eq!(splitter.next_event(), Err(TooLong));
    }
}
