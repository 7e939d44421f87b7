//! A server that tells lies: it passes requests on to one that does not, and changes some of the answers.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// Bodies beyond this never come: they are only announced.
const LARGEST: u64 = 1 << 30;

/// An answer on its way.
pub struct Answer {
    /// Method and path that it answers.
    pub about: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// What is done to answers.
type Lie = Arc<dyn Fn(&mut Answer) + Send + Sync>;

/// A server that tells one lie.
pub struct Liar {
    pub url: String,
    _serving: AbortOnDropHandle<()>,
}

/// A request, as it is passed on.
struct Passed {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    length: u64,
    body: Vec<u8>,
}

impl Answer {
    /// Whether it answers this: a method, and the beginning of a path.
    pub fn is_about(&self, method: &str, path: &str) -> bool {
        self.about.strip_prefix(method).is_some_and(|rest| rest.trim_start().starts_with(path))
    }

    /// Changes a JSON body.
    pub fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        let mut body = serde_json::from_slice(&self.body).unwrap();
        change(&mut body);
        self.body = serde_json::to_vec(&body).unwrap();
    }

    pub fn set(&mut self, name: &'static str, value: &'static str) {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

impl Liar {
    pub async fn start(honest: &str, lie: impl Fn(&mut Answer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (honest, lie): (String, Lie) = (honest.to_owned(), Arc::new(lie));
        // The client's own TLS, which is not used, wants one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        let serving = TaskTracker::new().spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                serve(connection, &client, &honest, &lie).await;
            }
        });
        Self { url, _serving: AbortOnDropHandle::new(serving) }
    }
}

async fn serve(mut connection: TcpStream, client: &reqwest::Client, honest: &str, lie: &Lie) {
    let Some(passed) = read(&mut connection).await else { return };
    let mut request = client.request(passed.method.parse().unwrap(), format!("{honest}{}", passed.target));
    for (name, value) in passed.headers.iter().filter(|(name, _)| !["host", "content-length"].contains(&name.as_str()))
    {
        request = request.header(name, value);
    }
    request = match passed.length > LARGEST {
        true => {
            let never = reqwest::Body::wrap_stream(futures_util::stream::pending::<std::io::Result<Bytes>>());
            request.header(CONTENT_LENGTH, passed.length).body(never)
        }
        false => request.body(passed.body),
    };
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let about = format!("{} {}", passed.method, passed.target);
    let mut answer = Answer { about, status, headers, body: response.bytes().await.unwrap().to_vec() };
    lie(&mut answer);
    // The other side may have gone away.
    let _ = connection.write_all(&written(&answer)).await;
}

fn written(answer: &Answer) -> Vec<u8> {
    let mut text =
        format!("HTTP/1.1 {} Any\r\nconnection: close\r\ncontent-length: {}\r\n", answer.status, answer.body.len());
    for (name, value) in answer.headers.iter().filter(|(name, _)| ![CONTENT_LENGTH, TRANSFER_ENCODING].contains(name)) {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    [text.as_bytes(), b"\r\n", &answer.body].concat()
}

/// One request. A body that is too large to come is not waited for.
async fn read(connection: &mut TcpStream) -> Option<Passed> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let read = connection.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let mut words = lines.next().unwrap().split(' ');
        let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: u64 = length.map_or(0, |(_, value)| value.parse().unwrap());
        let body = &bytes[end + 4..];
        if length > LARGEST || u64::try_from(body.len()).unwrap() >= length {
            return Some(Passed { method, target, headers, length, body: body.to_vec() });
        }
    }
}
