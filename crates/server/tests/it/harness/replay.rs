//! A provider that replays fixtures: which one, the request says; and every request is kept, to the byte.

use std::sync::{Arc, Mutex};

use keyward_core::base_url::BaseUrl;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::fixture::{First, Fixture, find};

/// How many bytes of an answer are sent at a time: pieces that no event and no character cares about.
const PIECE: usize = 97;

/// A provider that knows some fixtures.
pub struct Replay {
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
    _serving: AbortOnDropHandle<()>,
}

struct Shared {
    fixtures: Vec<Fixture>,
    received: Mutex<Vec<Received>>,
    gate: Semaphore,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The fixture that it was answered with; empty: nobody knows what it is about.
    pub fixture: String,
    pub method: String,
    /// Path and query.
    pub target: String,
    /// In lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub status: u16,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Replay {
    pub async fn start(fixtures: Vec<Fixture>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { fixtures, received: Mutex::default(), gate: Semaphore::new(0) });
        let serving = shared.clone();
        let serving = TaskTracker::new().spawn(async move {
            let connections = TaskTracker::new();
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let shared = serving.clone();
                connections.spawn(async move { shared.serve(connection).await });
            }
        });
        Self { address, shared, _serving: AbortOnDropHandle::new(serving) }
    }

    pub fn base_url(&self) -> BaseUrl {
        BaseUrl::of_address(self.address)
    }

    pub fn fixtures(&self) -> &[Fixture] {
        &self.shared.fixtures
    }

    /// Lets every answer that waits go on, now and from now on.
    pub fn go_on(&self) {
        self.shared.gate.close();
    }

    /// The requests that came.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }
}

impl Shared {
    /// Answers one request, and closes.
    async fn serve(&self, mut connection: TcpStream) {
        let Some(mut request) = read(&mut connection).await else { return };
        let Some(fixture) = self.fixtures.iter().find(|fixture| is_about(fixture, &request)) else {
            request.status = 599;
            let line = "HTTP/1.1 599 Unknown\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            self.received.lock().unwrap().push(request);
            let _ = connection.write_all(line.as_bytes()).await;
            return;
        };
        let first = self.note(request, fixture);
        // Whoever asked may go away: that is what some tests are about.
        let _ = match first {
            Some(first) => {
                send(&mut connection, first.status, "application/json", &first.headers, first.body.as_bytes()).await
            }
            None => self.answer(&mut connection, fixture).await,
        };
    }

    /// Keeps a request, and says whether it gets the answer that is given first.
    fn note<'a>(&self, mut request: Received, fixture: &'a Fixture) -> Option<&'a First> {
        let mut received = self.received.lock().unwrap();
        let first = fixture.case.first.as_ref().filter(|_| received.iter().all(|one| one.fixture != fixture.name));
        request.fixture.clone_from(&fixture.name);
        request.status = first.map_or(fixture.case.status, |first| first.status);
        received.push(request);
        first
    }

    async fn answer(&self, connection: &mut TcpStream, fixture: &Fixture) -> std::io::Result<()> {
        let case = &fixture.case;
        let Some(text) = &case.wait_before else {
            return send(connection, case.status, fixture.answer_content_type(), &case.answer_headers, &fixture.answer)
                .await;
        };
        let at = find(&fixture.answer, text.as_bytes()).unwrap_or_else(|| panic!("{}: {text:?}", fixture.name));
        let (now, later) = fixture.answer.split_at(at);
        head(connection, case.status, fixture.answer_content_type(), &case.answer_headers).await?;
        pieces(connection, now).await?;
        // The gate is never opened for one: it is closed for all.
        let _ = self.gate.acquire().await;
        pieces(connection, later).await?;
        connection.write_all(b"0\r\n\r\n").await
    }
}

/// Whether a request asks for the answer of a fixture: it is at its path, in whatever version the client's SDK likes, and its body
/// says so if it has one.
fn is_about(fixture: &Fixture, request: &Received) -> bool {
    let path = request.target.split('?').next().unwrap_or_default();
    let same = |one: &str, other: &str| one.replacen("/v1beta/", "/v1/", 1) == other.replacen("/v1beta/", "/v1/", 1);
    let is_there = request.method == fixture.case.method && same(path, &fixture.case.upstream_path);
    is_there && (fixture.request.is_empty() || find(&request.body, fixture.marker().as_bytes()).is_some())
}

async fn send(
    connection: &mut TcpStream,
    status: u16,
    content_type: &str,
    headers: &std::collections::BTreeMap<String, String>,
    body: &[u8],
) -> std::io::Result<()> {
    head(connection, status, content_type, headers).await?;
    pieces(connection, body).await?;
    connection.write_all(b"0\r\n\r\n").await
}

async fn head(
    connection: &mut TcpStream,
    status: u16,
    content_type: &str,
    headers: &std::collections::BTreeMap<String, String>,
) -> std::io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {status} Any\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n"
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    connection.write_all(format!("{head}\r\n").as_bytes()).await
}

async fn pieces(connection: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    for piece in bytes.chunks(PIECE) {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        connection.write_all(&chunk).await?;
    }
    connection.flush().await
}

/// One request, with a body of a length that is told.
async fn read(connection: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = connection.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = find(&bytes, b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let mut words = lines.next().unwrap().split(' ');
        let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let headers: Vec<_> = lines.filter_map(|line| line.split_once(": ")).collect();
        let headers: Vec<(String, String)> =
            headers.into_iter().map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let length =
            headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
        let body = bytes.split_off(end + 4);
        if body.len() >= length {
            return Some(Received { fixture: String::new(), method, target, headers, body, status: 0 });
        }
        bytes.extend_from_slice(&body);
    }
}
