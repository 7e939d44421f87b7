//! A connection that makes one call after the other.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::answer::{self, Head, Length};

/// How long a connection that nobody uses is kept. All that are measured keep theirs for 5 seconds at least.
const FRESH: Duration = Duration::from_secs(3);

/// What is sent, and what must come back.
pub(crate) struct Call {
    request: String,
    expected: Expected,
    /// Whether the client goes away in the middle of the answer.
    leaves: bool,
}

/// What must come back.
pub(crate) enum Expected {
    /// An answer of this status, whatever else is in it.
    Status(u16),
    /// One of these statuses.
    Either(u16, u16),
    /// Success, with this body.
    Body(Bytes),
    /// Success, with a body that has this piece so many times: whoever writes the answer anew may choose its form.
    Pieces(&'static str, usize),
}

impl Expected {
    fn check(&self, status: u16, body: &[u8]) -> Result<()> {
        let as_expected = match self {
            Self::Status(expected) => status == *expected,
            Self::Either(one, other) => status == *one || status == *other,
            Self::Body(expected) => status == 200 && expected == body,
            Self::Pieces(piece, times) => {
                status == 200 && memchr::memmem::find_iter(body, piece.as_bytes()).count() == *times
            }
        };
        let begin = String::from_utf8_lossy(body.get(..200).unwrap_or(body));
        ensure!(as_expected, "another answer than the expected one: {status} {}", begin.replace('\n', " "));
        Ok(())
    }
}

impl Call {
    /// A chat completion with a key, and what else an application of this gateway sends.
    pub(crate) fn chat(
        address: SocketAddr,
        key: &str,
        headers: &[(&str, String)],
        content: &str,
        expected: Expected,
    ) -> Self {
        let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n{more}\
             content-type: application/json\r\nuser-agent: keyward-bench\r\ncontent-length: {}\r\n\r\n{content}",
            content.len()
        );
        Self { request, expected, leaves: false }
    }

    /// The same call by a client that goes away when the first piece of a success has come.
    pub(crate) fn leaving(self) -> Self {
        Self { leaves: true, ..self }
    }

    /// What there is at a path.
    pub(crate) fn get(address: SocketAddr, path: &str, expected: Expected) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nuser-agent: keyward-bench\r\n\r\n");
        Self { request, expected, leaves: false }
    }
}

/// When an answer was there.
pub(crate) struct Answered {
    /// The first piece of its body.
    pub(crate) first: Instant,
    /// All of it.
    pub(crate) whole: Instant,
}

pub(super) struct Connection {
    address: SocketAddr,
    socket: TcpStream,
    /// What has come and is not read yet.
    come: BytesMut,
    body: Vec<u8>,
    /// When its last answer had come.
    used: Instant,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Self> {
        let socket = connect(address).await?;
        Ok(Self { address, socket, come: BytesMut::with_capacity(16 * 1024), body: Vec::new(), used: Instant::now() })
    }

    /// Whether it may be used again: servers close connections on which nothing is asked for a while.
    pub(super) fn is_fresh(&self) -> bool {
        self.used.elapsed() < FRESH
    }

    /// Makes a call, and reads its answer to the end.
    pub(super) async fn call(&mut self, call: &Call) -> Result<Answered> {
        self.socket.write_all(call.request.as_bytes()).await?;
        let head = self.head().await?;
        self.body.clear();
        if call.leaves && head.status == 200 {
            return self.leave().await;
        }
        let first = match head.body {
            Length::Known(length) => self.known(length).await?,
            Length::Chunked => self.chunked().await?,
        };
        let whole = Instant::now();
        call.expected.check(head.status, &self.body)?;
        if head.closes {
            self.socket = connect(self.address).await?;
        }
        self.used = whole;
        Ok(Answered { first, whole })
    }

    /// What the last answer had in it.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Waits for something of the body, and goes on with another connection.
    async fn leave(&mut self) -> Result<Answered> {
        if self.come.is_empty() {
            self.more().await?;
        }
        let now = Instant::now();
        self.come.clear();
        self.socket = connect(self.address).await?;
        self.used = now;
        Ok(Answered { first: now, whole: now })
    }

    async fn head(&mut self) -> Result<Head> {
        loop {
            if let Some(head) = answer::head(&self.come)? {
                self.come.advance(head.length);
                return Ok(head);
            }
            self.more().await?;
        }
    }

    async fn known(&mut self, length: usize) -> Result<Instant> {
        if length > 0 && self.come.is_empty() {
            self.more().await?;
        }
        let first = Instant::now();
        while self.come.len() < length {
            self.more().await?;
        }
        self.body.extend_from_slice(&self.come.split_to(length));
        Ok(first)
    }

    async fn chunked(&mut self) -> Result<Instant> {
        let mut first = None;
        loop {
            match answer::chunk(&self.come)? {
                Some(chunk) => {
                    let first = *first.get_or_insert_with(Instant::now);
                    let (length, is_end) = (chunk.length, chunk.data.is_empty());
                    self.body.extend_from_slice(chunk.data);
                    self.come.advance(length);
                    if is_end {
                        return Ok(first);
                    }
                }
                None => self.more().await?,
            }
        }
    }

    async fn more(&mut self) -> Result<()> {
        self.come.reserve(8 * 1024);
        let read = self.socket.read_buf(&mut self.come).await?;
        ensure!(read > 0, "the connection ended in the middle of an answer");
        Ok(())
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}
