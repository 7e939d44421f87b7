//! The simulated provider: the OpenAI dialect over real HTTP, with no model behind it.
//!
//! It repeats what the user said. Its tokens are words; it counts them truthfully, and keeps its own count of all it served, so that
//! books can be checked against it.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Bytes;
use actix_web::{App, HttpResponse, HttpServer, post, web};
use futures_util::stream;
use keyward_core::base_url::BaseUrl;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use crate::auth::Open;

/// The most words of one answer.
const MAX_OUTPUT: usize = 64;

/// A simulated provider that is running.
pub struct Simulator {
    address: SocketAddr,
    handle: ServerHandle,
    served: Arc<Served>,
    serving: TaskTracker,
}

/// What a simulated provider has served: its own side of the bill.
#[derive(Debug, Default)]
struct Served {
    requests: AtomicU64,
    prompt_tokens: AtomicU64,
    completion_tokens: AtomicU64,
}

/// A reading of what a simulated provider has served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bill {
    /// Requests answered.
    pub requests: u64,
    /// Input tokens.
    pub prompt_tokens: u64,
    /// Output tokens.
    pub completion_tokens: u64,
}

#[derive(Deserialize)]
struct Request {
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    max_tokens: Option<usize>,
    #[serde(default)]
    max_completion_tokens: Option<usize>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Value,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

impl Simulator {
    /// Starts on a free port of loopback. It runs until it is stopped or the process ends.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let served = Arc::new(Served::default());
        let shared = web::Data::from(served.clone());
        let server = HttpServer::new(move || App::new().app_data(shared.clone()).service(chat_completions))
            .workers(1)
            // Longer than a gateway keeps a connection for its next request.
            .keep_alive(Duration::from_secs(75))
            .disable_signals()
            .listen(listener)?
            .run();
        let handle = server.handle();
        let serving = TaskTracker::new();
        serving.spawn(server);
        Ok(Self { address, handle, served, serving })
    }

    /// Its origin.
    #[must_use]
    pub fn base_url(&self) -> BaseUrl {
        BaseUrl::of_address(self.address)
    }

    /// What it has served until now.
    #[must_use]
    pub fn bill(&self) -> Bill {
        Bill {
            requests: self.served.requests.load(Ordering::SeqCst),
            prompt_tokens: self.served.prompt_tokens.load(Ordering::SeqCst),
            completion_tokens: self.served.completion_tokens.load(Ordering::SeqCst),
        }
    }

    /// Stops it.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        self.serving.close();
        self.serving.wait().await;
    }
}

#[post("/v1/chat/completions")]
async fn chat_completions(_: Open, served: web::Data<Served>, request: web::Json<Request>) -> HttpResponse {
    let texts: Vec<String> = request.messages.iter().map(Message::text).collect();
    let prompt_tokens = texts.iter().map(|text| text.split_whitespace().count() + 1).sum::<usize>();
    let cap = request.max_completion_tokens.or(request.max_tokens).unwrap_or(MAX_OUTPUT).min(MAX_OUTPUT);
    let reply = format!("(simulated) You said: {}", texts.last().map_or("", String::as_str));
    let all: Vec<&str> = reply.split_whitespace().collect();
    let words: Vec<&str> = all.iter().take(cap).copied().collect();
    let finish_reason = if words.len() < all.len() { "length" } else { "stop" };
    served.count(prompt_tokens, words.len());
    let usage = json!({
        "prompt_tokens": prompt_tokens,
        "completion_tokens": words.len(),
        "total_tokens": prompt_tokens + words.len(),
    });
    if request.stream {
        let include_usage = request.stream_options.as_ref().is_some_and(|options| options.include_usage);
        let events = events(&request.model, &words, finish_reason, include_usage.then_some(usage));
        let events = stream::iter(events.into_iter().map(Ok::<_, actix_web::Error>));
        return HttpResponse::Ok().content_type("text/event-stream").streaming(events);
    }
    HttpResponse::Ok().json(json!({
        "id": "chatcmpl-simulated",
        "object": "chat.completion",
        "created": 0,
        "model": request.model,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": words.join(" ") },
            "finish_reason": finish_reason,
        }],
        "usage": usage,
    }))
}

/// The events of a streamed answer: one for each word, one for its end, one for the usage if it is wanted.
fn events(model: &str, words: &[&str], finish_reason: &str, usage: Option<Value>) -> Vec<Bytes> {
    let event = |choices: Value, usage: Option<Value>| {
        let mut chunk = json!({
            "id": "chatcmpl-simulated",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": model,
            "choices": choices,
        });
        if let (Some(usage), Some(members)) = (usage, chunk.as_object_mut()) {
            members.insert("usage".to_owned(), usage);
        }
        Bytes::from(format!("data: {chunk}\n\n"))
    };
    let piece = |(index, word): (usize, &&str)| {
        let text = if index == 0 { (*word).to_owned() } else { format!(" {word}") };
        let delta =
            if index == 0 { json!({ "role": "assistant", "content": text }) } else { json!({ "content": text }) };
        event(json!([{ "index": 0, "delta": delta, "finish_reason": null }]), None)
    };
    let mut events: Vec<Bytes> = words.iter().enumerate().map(piece).collect();
    events.push(event(json!([{ "index": 0, "delta": {}, "finish_reason": finish_reason }]), None));
    events.extend(usage.map(|usage| event(json!([]), Some(usage))));
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}

impl Message {
    fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => {
                let texts = parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str));
                texts.collect::<Vec<_>>().join(" ")
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
        }
    }
}

impl Served {
    fn count(&self, prompt_tokens: usize, completion_tokens: usize) {
        let whole = |tokens: usize| u64::try_from(tokens).unwrap_or(u64::MAX);
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.prompt_tokens.fetch_add(whole(prompt_tokens), Ordering::SeqCst);
        self.completion_tokens.fetch_add(whole(completion_tokens), Ordering::SeqCst);
    }
}
