//! A connection that makes one call after the other.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::answer::{self, Head, Length};

/// What is sent, and what must come back.
pub(crate) struct Call {
    request: String,
    status: u16,
    body: Option<Bytes>,
}

impl Call {
    /// A chat completion with a key. The answer's body is compared when there is one to compare it with.
    pub(crate) fn new(address: SocketAddr, key: &str, content: &str, status: u16, body: Option<Bytes>) -> Self {
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\nuser-agent: keyward-bench\r\ncontent-length: {}\r\n\r\n{content}",
            content.len()
        );
        Self { request, status, body }
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
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Self> {
        let socket = connect(address).await?;
        Ok(Self { address, socket, come: BytesMut::with_capacity(16 * 1024), body: Vec::new() })
    }

    /// Makes a call, and reads its answer to the end.
    pub(super) async fn call(&mut self, call: &Call) -> Result<Answered> {
        self.socket.write_all(call.request.as_bytes()).await?;
        let head = self.head().await?;
        self.body.clear();
        let first = match head.body {
            Length::Known(length) => self.known(length).await?,
            Length::Chunked => self.chunked().await?,
        };
        let whole = Instant::now();
        if head.status != call.status {
            bail!("{} in place of {}: {}", head.status, call.status, String::from_utf8_lossy(&self.body));
        }
        let as_expected = call.body.as_ref().is_none_or(|body| body == &self.body);
        ensure!(as_expected, "another body than the upstream sent: {}", String::from_utf8_lossy(&self.body));
        if head.closes {
            self.socket = connect(self.address).await?;
        }
        Ok(Answered { first, whole })
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
