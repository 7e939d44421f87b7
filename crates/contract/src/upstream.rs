//! A provider on this machine that answers everything, for servers that were made for a run.
//!
//! It speaks HTTP/1.1, a request a connection, and tells usage where providers do. Everything that it keeps has another id.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// A provider that is running, until it is dropped.
#[derive(Debug)]
pub(crate) struct Upstream {
    url: String,
    _serving: AbortOnDropHandle<()>,
}

/// One request, as far as an answer depends on it.
struct Asked {
    method: String,
    path: String,
    body: String,
}

/// The ids that were given out.
static KEPT: AtomicU32 = AtomicU32::new(0);

impl Upstream {
    pub(crate) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let serving = TaskTracker::new().spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                // Whoever has gone away needs no answer.
                let _ = serve(connection).await;
            }
        });
        Ok(Self { url, _serving: AbortOnDropHandle::new(serving) })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

async fn serve(mut connection: TcpStream) -> std::io::Result<()> {
    let Some(asked) = read(&mut connection).await? else { return Ok(()) };
    let (media, body) = answer(&asked);
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: {media}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    connection.write_all(head.as_bytes()).await?;
    connection.write_all(body.as_bytes()).await
}

/// One request, whose body has a length that is told.
async fn read(connection: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut text = String::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let read = connection.read(&mut buffer).await?;
        if read == 0 {
            return Ok(None);
        }
        text.push_str(&String::from_utf8_lossy(buffer.get(..read).unwrap_or_default()));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().filter_map(|line| line.split_once(": "));
        let length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if body.len() >= length.filter_map(|(_, value)| value.parse().ok()).next().unwrap_or(0) {
            let mut words = head.split(' ').map(str::to_owned);
            let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            return Ok(Some(Asked { method, path, body: body.to_owned() }));
        }
    }
}

/// Content type and body.
fn answer(asked: &Asked) -> (&'static str, String) {
    let path = asked.path.split('?').next().unwrap_or_default();
    let is = |part: &str| path.contains(part);
    let json = |value: Value| ("application/json", value.to_string());
    match path {
        _ if is("/audio/speech") => ("audio/mpeg", "ID3 no music".to_owned()),
        _ if is("/audio/") => json(json!({ "text": "Hello.", "usage": usage(true) })),
        _ if is("/images/") => json(json!({ "created": 0, "data": [{ "b64_json": "AAAA" }], "usage": usage(true) })),
        _ if is("/files") => file(asked, path),
        _ if is("/messages/batches") => message_batch(path),
        _ if is("/batches") => {
            json(json!({ "id": kept(path, "/batches/", "batch"), "object": "batch", "status": "validating" }))
        }
        _ if is("/responses") => response(asked, path),
        _ if is("/moderations") => json(json!({ "id": "modr", "model": "m", "results": [] })),
        _ if is("/embeddings") => {
            json(json!({ "object": "list", "data": [], "usage": { "prompt_tokens": 2, "total_tokens": 2 } }))
        }
        _ if is("/count_tokens") => json(json!({ "input_tokens": 3 })),
        _ if is("/messages") => message(asked),
        _ if is(":") => content(asked, path),
        _ => completion(asked),
    }
}

/// What was used, under the names of newer routes and of older ones.
fn usage(is_newer: bool) -> Value {
    match is_newer {
        true => json!({ "input_tokens": 2, "output_tokens": 1, "total_tokens": 3 }),
        false => json!({ "prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3 }),
    }
}

/// The id in a path; a new one where the path has none.
fn kept(path: &str, after: &str, prefix: &str) -> String {
    let id = path.split_once(after).map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    id.map_or_else(|| format!("{prefix}_{}", KEPT.fetch_add(1, Ordering::Relaxed)), str::to_owned)
}

fn file(asked: &Asked, path: &str) -> (&'static str, String) {
    if path.ends_with("/content") {
        return ("application/octet-stream", "some content\n".to_owned());
    }
    let purpose = if asked.body.contains("user_data") { "user_data" } else { "batch" };
    let id = kept(path, "/files/", "file");
    let file = match asked.method.as_str() {
        "DELETE" => json!({ "id": id, "deleted": true }),
        _ => json!({ "id": id, "object": "file", "purpose": purpose }),
    };
    ("application/json", file.to_string())
}

fn message_batch(path: &str) -> (&'static str, String) {
    if path.ends_with("/results") {
        let line = json!({ "custom_id": "a", "result": { "type": "errored", "error": {} } });
        return ("application/x-jsonl", format!("{line}\n"));
    }
    let id = kept(path, "/messages/batches/", "msgbatch");
    let batch = json!({ "id": id, "type": "message_batch", "processing_status": "in_progress" });
    ("application/json", batch.to_string())
}

fn response(asked: &Asked, path: &str) -> (&'static str, String) {
    if path.ends_with("/input_items") {
        return ("application/json", json!({ "data": [] }).to_string());
    }
    let id = kept(path, "/responses/", "resp");
    let response = match asked.method.as_str() {
        "DELETE" => json!({ "id": id, "deleted": true }),
        _ => json!({ "id": id, "object": "response", "status": "completed", "usage": usage(true) }),
    };
    if is_streamed(asked) {
        let created = json!({ "type": "response.created", "response": { "id": id, "status": "in_progress" } });
        let completed = json!({ "type": "response.completed", "response": response });
        return events(&[("response.created", created), ("response.completed", completed)], "");
    }
    ("application/json", response.to_string())
}

fn message(asked: &Asked) -> (&'static str, String) {
    let message = json!({
        "id": "msg", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": "end_turn",
        "usage": { "input_tokens": 2, "output_tokens": 1 },
    });
    if is_streamed(asked) {
        let delta =
            json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 1 } });
        let start = ("message_start", json!({ "type": "message_start", "message": message }));
        return events(&[start, ("message_delta", delta), ("message_stop", json!({ "type": "message_stop" }))], "");
    }
    ("application/json", message.to_string())
}

fn content(asked: &Asked, path: &str) -> (&'static str, String) {
    let candidate =
        json!({ "content": { "role": "model", "parts": [{ "text": "Hi" }] }, "finishReason": "STOP", "index": 0 });
    let usage = json!({ "promptTokenCount": 2, "candidatesTokenCount": 1, "totalTokenCount": 3 });
    let generated = json!({ "candidates": [candidate], "usageMetadata": usage });
    let value = match path.rsplit(':').next().unwrap_or_default() {
        "countTokens" => json!({ "totalTokens": 3 }),
        "embedContent" => json!({ "embedding": { "values": [0.5] } }),
        "batchEmbedContents" => json!({ "embeddings": [{ "values": [0.5] }] }),
        "streamGenerateContent" if asked.path.contains("alt=sse") => return events(&[("", generated)], ""),
        "streamGenerateContent" => json!([generated]),
        _ => generated,
    };
    ("application/json", value.to_string())
}

/// A chat, or a completion of the older kind.
fn completion(asked: &Asked) -> (&'static str, String) {
    let said = json!({ "role": "assistant", "content": "Hi" });
    let choice = json!({ "index": 0, "text": "Hi", "message": said, "delta": said, "finish_reason": "stop" });
    let whole = json!({ "id": "a", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage(false) });
    if is_streamed(asked) {
        return events(&[("", whole)], "data: [DONE]\n\n");
    }
    ("application/json", whole.to_string())
}

fn is_streamed(asked: &Asked) -> bool {
    asked.body.contains("\"stream\":true")
}

fn events(events: &[(&str, Value)], end: &str) -> (&'static str, String) {
    let written = events.iter().map(|(kind, data)| match *kind {
        "" => format!("data: {data}\n\n"),
        kind => format!("event: {kind}\ndata: {data}\n\n"),
    });
    ("text/event-stream", written.chain([end.to_owned()]).collect())
}
