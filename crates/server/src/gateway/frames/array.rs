//! A JSON array that grows, taken apart without being changed: a piece is the very bytes that came, up to the end of an element.
//!
//! Only where an element ends is found here; what it says is read by a parser.

use bytes::{Bytes, BytesMut};

use super::{MAX_PIECE, TooLong};

/// Splits an array of objects into its elements.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Elements {
    buffer: BytesMut,
    /// How much of the buffer has been looked at.
    searched: usize,
    /// How deep in objects and arrays that place is; the array itself is 1.
    depth: usize,
    is_in_text: bool,
    is_escaped: bool,
    has_ended: bool,
}

impl Elements {
    /// Takes the next bytes of the stream.
    pub(in crate::gateway) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole element, with what stands before it, if there is one.
    pub(in crate::gateway) fn next_element(&mut self) -> Result<Option<Bytes>, TooLong> {
        while let Some(byte) = self.buffer.get(self.searched).copied() {
            self.searched += 1;
            if self.is_end(byte) {
                let end = std::mem::take(&mut self.searched);
                return Ok(Some(self.buffer.split_to(end).freeze()));
            }
        }
        if self.buffer.len() > MAX_PIECE { Err(TooLong) } else { Ok(None) }
    }

    /// What is left when the stream has ended: the array's end, or an element that broke off.
    pub(in crate::gateway) fn rest(&mut self) -> Bytes {
        self.searched = 0;
        self.buffer.split().freeze()
    }

    /// True when the array's end has come.
    pub(in crate::gateway) const fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Whether an element of the array ends with this byte.
    fn is_end(&mut self, byte: u8) -> bool {
        if self.is_in_text {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_in_text = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.is_in_text = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.has_ended |= self.depth == 0;
                return self.depth == 1;
            }
            _ => {}
        }
        false
    }
}

/// An element without what separates it from the one before; none for the end of the array.
pub(super) fn data(piece: &[u8]) -> Option<&[u8]> {
    let start = piece.iter().position(|byte| *byte == b'{')?;
    piece.get(start..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(stream: &[u8], size: usize) -> (Vec<Bytes>, Bytes, bool) {
        let mut elements = Elements::default();
        let mut pieces = Vec::new();
        for bytes in stream.chunks(size) {
            elements.push(bytes);
            while let Some(piece) = elements.next_element().unwrap() {
                pieces.push(piece);
            }
        }
        (pieces, elements.rest(), elements.has_ended())
    }

    #[test]
    fn elements_are_the_same_however_the_bytes_come() {
        let stream = br#"[{"a":"}]\"{","b":[{}]}
,
{"c":1}
]"#;
        let whole = split(stream, stream.len());
        assert_eq!(
            whole.0.iter().map(|piece| data(piece).unwrap()).collect::<Vec<_>>(),
            [&br#"{"a":"}]\"{","b":[{}]}"#[..], br#"{"c":1}"#,]
        );
        assert_eq!((whole.1.as_ref(), whole.2), (&b"\n]"[..], true));
        for size in 1..stream.len() {
            assert_eq!(split(stream, size), whole, "pieces of {size}");
        }
        let joined: Vec<u8> = whole.0.iter().chain([&whole.1]).flat_map(|bytes| bytes.to_vec()).collect();
        assert_eq!(joined, stream);
    }

    #[test]
    fn an_array_that_breaks_off_has_not_ended() {
        assert!(!split(br#"[{"a":1},{"b"#, 3).2);
        assert!(!split(br#"[{"a":1}"#, 3).2);
    }

    #[test]
    fn an_endless_element_is_refused() {
        let mut elements = Elements::default();
        elements.push(&vec![b'['; MAX_PIECE + 1]);
        assert_eq!(elements.next_element(), Err(TooLong));
    }
}
