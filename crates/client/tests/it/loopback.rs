//! A server of a few lines: it reads a request, reports it, writes fixed pieces, then closes or falls silent.

use std::future::pending;

use keyward_client::{Client, ClientBuilder, Retries};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What happens after the last piece.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    Close,
    Hang,
}

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Received {
    head: String,
    pub(crate) body: String,
}

impl Received {
    /// Method and target.
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap().strip_suffix(" HTTP/1.1").unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(known, _)| *known == name).map(|pair| pair.1)
    }
}

/// The running server.
pub(crate) struct Loopback {
    pub(crate) url: String,
    received: UnboundedReceiver<Received>,
}

impl Loopback {
    pub(crate) async fn start<P: AsRef<[u8]>>(pieces: impl IntoIterator<Item = P>, then: Then) -> Self {
        let pieces: Vec<Vec<u8>> = pieces.into_iter().map(|piece| piece.as_ref().to_vec()).collect();
        Self::serving(std::iter::repeat(pieces), then).await
    }

    /// A server that gives each of these answers once, one after the other.
    pub(crate) async fn answering_in_turn(answers: impl IntoIterator<Item = String>) -> Self {
        let answers: Vec<_> = answers.into_iter().map(|answer| vec![answer.into_bytes()]).collect();
        Self::serving(answers.into_iter(), Then::Close).await
    }

    /// The pieces of each connection, in turn; when there are no more, the server is gone.
    async fn serving(mut turns: impl Iterator<Item = Vec<Vec<u8>>> + Send + 'static, then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, received) = unbounded_channel();
        tokio::spawn(async move {
            while let (Some(pieces), Ok((socket, _))) = (turns.next(), listener.accept().await) {
                tokio::spawn(serve(socket, pieces, then, sender.clone()));
            }
        });
        Self { url, received }
    }

    /// A server with one answer to everything.
    pub(crate) async fn answering(status: &str, headers: &str, body: &str) -> Self {
        Self::start([answer(status, headers, body)], Then::Close).await
    }

    /// A client that tries everything once, unless a test wants it otherwise.
    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder().base_url(&self.url).retries(Retries::none())
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) async fn received(&mut self) -> Received {
        self.received.recv().await.unwrap()
    }

    /// True when no request is left that was not looked at.
    pub(crate) fn has_no_more(&mut self) -> bool {
        self.received.try_recv().is_err()
    }
}

/// A whole answer.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
}

async fn serve(mut socket: TcpStream, pieces: Vec<Vec<u8>>, then: Then, sender: UnboundedSender<Received>) {
    let Some(request) = read_request(&mut socket).await else { return };
    let _ = sender.send(request);
    for piece in pieces {
        // The client may have hung up; that is for the test to judge.
        if socket.write_all(&piece).await.is_err() {
            return;
        }
    }
    match then {
        Then::Close => {}
        Then::Hang => pending().await,
    }
}

/// None when the bytes are not a request, such as those of a TLS handshake.
async fn read_request(socket: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let head = loop {
        if socket.read_buf(&mut bytes).await.ok()? == 0 || bytes.first() == Some(&0x16) {
            return None;
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break String::from_utf8(bytes.drain(..end + 4).collect()).unwrap();
        }
    };
    let mut received = Received { head, body: String::new() };
    let length = received.header("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < length {
        socket.read_buf(&mut bytes).await.unwrap();
    }
    received.body = String::from_utf8(bytes).unwrap();
    Some(received)
}
