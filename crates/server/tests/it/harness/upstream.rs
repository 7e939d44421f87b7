//! A provider that follows a script: for answers that no well-behaved one gives.

use std::sync::{Arc, Mutex};

use keyward_core::base_url::BaseUrl;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// What the provider does next on a connection.
#[derive(Clone)]
pub enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Waits until the test says [`Scripted::go_on`].
    Wait,
    /// Says nothing more and keeps the connection open.
    Silence,
}

impl Step {
    /// Sends a whole response.
    pub fn answer(status: &str, content_type: &str, body: &str) -> Self {
        Self::Send(response(status, content_type, body))
    }
}

/// A provider that follows a script for each connection, and then closes.
pub struct Scripted {
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    gate: Arc<Semaphore>,
    _serving: AbortOnDropHandle<()>,
}

impl Scripted {
    /// Does the same on each connection.
    pub async fn start(script: Vec<Step>) -> Self {
        Self::in_turn(vec![script]).await
    }

    /// Follows one script after the other, a connection each, and the last one for ever.
    pub async fn in_turn(mut scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, gate) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Semaphore::new(0)));
        let (seen, passing) = (requests.clone(), gate.clone());
        let serving = TaskTracker::new().spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let script = if scripts.len() > 1 { scripts.remove(0) } else { scripts[0].clone() };
                follow(connection, &script, &seen, &passing).await;
            }
        });
        Self { address, requests, gate, _serving: AbortOnDropHandle::new(serving) }
    }

    /// Answers every request with one response.
    pub async fn answering(status: &str, content_type: &str, body: &str) -> Self {
        Self::start(vec![Step::answer(status, content_type, body)]).await
    }

    pub fn base_url(&self) -> BaseUrl {
        BaseUrl::of_address(self.address)
    }

    /// Where it is, for those who want TLS of it. It has none to give.
    pub fn tls_url(&self) -> BaseUrl {
        format!("https://{}", self.address).parse().unwrap()
    }

    /// Lets one [`Step::Wait`] pass.
    pub fn go_on(&self) {
        self.gate.add_permits(1);
    }

    /// The requests that came, as text: head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A provider that is not there: its port is taken for as long as this lives, and nobody listens.
pub struct Absent {
    socket: TcpSocket,
}

impl Absent {
    pub fn reserve() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self { socket }
    }

    pub fn base_url(&self) -> BaseUrl {
        BaseUrl::of_address(self.socket.local_addr().unwrap())
    }
}

/// A whole response.
fn response(status: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\
         x-request-id: provider-side\r\nx-ratelimit-remaining-requests: 7\r\nset-cookie: a=b\r\n\r\n{body}"
    )
    .into_bytes()
}

async fn follow(mut connection: TcpStream, script: &[Step], seen: &Mutex<Vec<String>>, gate: &Semaphore) {
    let Some(request) = read_request(&mut connection).await else { return };
    seen.lock().unwrap().push(request);
    for step in script {
        match step {
            Step::Send(bytes) => {
                // The other side may have gone away: that is what some tests are about.
                if connection.write_all(bytes).await.is_err() {
                    return;
                }
            }
            Step::Wait => gate.acquire().await.unwrap().forget(),
            Step::Silence => {
                let mut rest = Vec::new();
                // Returns when the other side gives up.
                let _ = connection.read_to_end(&mut rest).await;
            }
        }
    }
}

/// Head and body of one request, as text.
pub(super) async fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = connection.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return Some(text);
        }
    }
}
