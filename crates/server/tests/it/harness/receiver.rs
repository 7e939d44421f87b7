//! A receiver of webhooks: hands each message to the test, and answers when the test says so.

use keyward_core::webhook_url::WebhookUrl;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::upstream::read_request;

/// A server on a port of its own.
pub struct Receiver {
    address: std::net::SocketAddr,
    messages: mpsc::UnboundedReceiver<Message>,
    _serving: AbortOnDropHandle<()>,
}

/// A message that waits for its answer; dropped, it gets none.
pub struct Message {
    head: String,
    pub body: String,
    connection: TcpStream,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, messages) = mpsc::unbounded_channel();
        let serving = TaskTracker::new().spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let Some(request) = read_request(&mut connection).await else { continue };
                let (head, body) = request.split_once("\r\n\r\n").unwrap();
                let message = Message { head: head.to_owned(), body: body.to_owned(), connection };
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self { address, messages, _serving: AbortOnDropHandle::new(serving) }
    }

    pub fn url(&self) -> WebhookUrl {
        format!("http://{}/hooks?token=secret-of-the-path", self.address).parse().unwrap()
    }

    /// The next message, as soon as it comes.
    pub async fn next(&mut self) -> Message {
        self.messages.recv().await.unwrap()
    }

    /// The next messages, each accepted, by their ids.
    pub async fn accept(&mut self, messages: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for _ in 0..messages {
            let message = self.next().await;
            ids.push(message.header("webhook-id").to_owned());
            message.answer(204).await;
        }
        ids.sort();
        ids
    }

    /// Whether no message waits.
    pub fn is_idle(&self) -> bool {
        self.messages.is_empty()
    }
}

impl Message {
    pub fn request_line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name} in {}", self.head)).1
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub async fn answer(mut self, status: u16) {
        let answer = format!("HTTP/1.1 {status} Any\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret");
        let answer =
            if status == 204 { answer.replace("content-length: 6\r\n", "").replace("secret", "") } else { answer };
        // Whoever asked may have gone away.
        let _ = self.connection.write_all(answer.as_bytes()).await;
    }
}
