//! HTTP/1.1 answers, read from what has come so far. It is as little as the load needs: the fewer instructions it takes, the more of its
//! core is left for the upstream.

use anyhow::{Context, Result, bail, ensure};
use httparse::{EMPTY_HEADER, Response, Status};

/// What stands before an answer's body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// How long the head is, in bytes.
    pub(super) length: usize,
    pub(super) status: u16,
    pub(super) body: Length,
    /// Whether the connection ends with this answer.
    pub(super) closes: bool,
}

/// How long a body is.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Length {
    Known(usize),
    Chunked,
}

/// The head, when all of it has come.
pub(super) fn head(bytes: &[u8]) -> Result<Option<Head>> {
    let mut headers = [EMPTY_HEADER; 64];
    let mut response = Response::new(&mut headers);
    let Status::Complete(length) = response.parse(bytes)? else { return Ok(None) };
    let status = response.code.context("an answer without a status")?;
    let (mut body, mut closes) = (None, false);
    for header in response.headers.iter() {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            body = Some(Length::Known(str::from_utf8(header.value)?.trim().parse()?));
        } else if is("transfer-encoding") {
            ensure!(header.value.eq_ignore_ascii_case(b"chunked"), "a transfer encoding that is not chunked");
            body = Some(Length::Chunked);
        } else if is("connection") {
            closes = header.value.eq_ignore_ascii_case(b"close");
        }
    }
    let body = body.context("an answer that does not say how long it is")?;
    Ok(Some(Head { length, status, body, closes }))
}

/// A chunk of a body, when all of it has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk<'bytes> {
    pub(super) data: &'bytes [u8],
    /// How much of the input it takes, with its frame.
    pub(super) length: usize,
}

/// The next chunk. One without data is the end of the body.
pub(super) fn chunk(bytes: &[u8]) -> Result<Option<Chunk<'_>>> {
    let size = httparse::parse_chunk_size(bytes).map_err(|_| anyhow::anyhow!("a chunk without a size"))?;
    let Status::Complete((begin, size)) = size else { return Ok(None) };
    let end = begin.saturating_add(usize::try_from(size)?);
    let Some(frame) = bytes.get(end..end.saturating_add(2)) else { return Ok(None) };
    if frame != b"\r\n" {
        bail!("a chunk that does not end where it said, or trailers");
    }
    Ok(bytes.get(begin..end).map(|data| Chunk { data, length: end + 2 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_how_long_the_body_is() {
        let known = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{";
        let expected = Head { length: known.len() - 1, status: 200, body: Length::Known(12), closes: false };
        assert_eq!(head(known).unwrap(), Some(expected));
        let chunked = b"HTTP/1.1 401 No\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        let expected = Head { length: chunked.len(), status: 401, body: Length::Chunked, closes: true };
        assert_eq!(head(chunked).unwrap(), Some(expected));
        assert_eq!(head(&chunked[..40]).unwrap(), None);
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(head(b"SMTP\r\n\r\n").is_err());
    }

    #[test]
    fn a_chunk_is_there_when_all_of_it_is() {
        let bytes = b"5\r\nhello\r\n0\r\n\r\n";
        assert_eq!(chunk(bytes).unwrap(), Some(Chunk { data: b"hello", length: 10 }));
        assert_eq!(chunk(&bytes[10..]).unwrap(), Some(Chunk { data: b"", length: 5 }));
        for short in 0..10 {
            assert_eq!(chunk(&bytes[..short]).unwrap(), None, "{short} bytes");
        }
        assert!(chunk(b"4\r\nhello\r\n").is_err());
        assert!(chunk(b"x\r\n").is_err());
    }
}
