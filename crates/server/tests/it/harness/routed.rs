//! A provider that answers by what it is asked: for what is kept there beyond one request.

use std::sync::{Arc, Mutex};

use keyward_core::base_url::BaseUrl;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::upstream::read_request;

/// Answers, each with what the requests begin with that get it.
type Answers = Arc<Mutex<Vec<(String, String)>>>;

/// A provider with an answer for each request that it expects; others get 404.
pub struct Routed {
    address: std::net::SocketAddr,
    answers: Answers,
    requests: Arc<Mutex<Vec<String>>>,
    _serving: AbortOnDropHandle<()>,
}

impl Routed {
    /// A provider that answers requests that begin like this with these bodies.
    pub async fn start(answers: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let owned = answers.iter().map(|(start, body)| ((*start).to_owned(), (*body).to_owned()));
        let (answers, requests): (Answers, _) = (Arc::new(Mutex::new(owned.collect())), Arc::default());
        let (told, seen): (Answers, Arc<Mutex<Vec<String>>>) = (answers.clone(), Arc::clone(&requests));
        let serving = TaskTracker::new().spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let Some(request) = read_request(&mut connection).await else { continue };
                let answer = answer(&told.lock().unwrap(), &request);
                seen.lock().unwrap().push(request);
                // The other side may have gone away.
                let _ = connection.write_all(answer.as_bytes()).await;
            }
        });
        Self { address, answers, requests, _serving: AbortOnDropHandle::new(serving) }
    }

    /// Answers differently from now on.
    pub fn answer(&self, start: &str, body: &str) {
        let mut answers = self.answers.lock().unwrap();
        answers.retain(|(known, _)| known != start);
        answers.push((start.to_owned(), body.to_owned()));
    }

    pub fn base_url(&self) -> BaseUrl {
        BaseUrl::of_address(self.address)
    }

    /// The requests that came, as text: head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// How many requests came that begin like this.
    pub fn count(&self, start: &str) -> usize {
        self.requests().iter().filter(|request| request.starts_with(start)).count()
    }
}

fn answer(answers: &[(String, String)], request: &str) -> String {
    let found = answers.iter().filter(|(start, _)| request.starts_with(start)).max_by_key(|(start, _)| start.len());
    let (status, body) = found.map_or(("404 Not Found", r#"{"error":{}}"#), |(_, body)| ("200 OK", body.as_str()));
    let content_type = match (body.starts_with("event:"), body.ends_with('\n')) {
        (true, _) => "text/event-stream",
        (false, true) if request.contains("/results ") => "application/x-jsonl",
        (false, true) if request.contains("/audio/speech ") => "audio/mpeg",
        (false, true) => "application/octet-stream",
        (false, false) => "application/json",
    };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
