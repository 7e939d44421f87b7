//! What the fuzzer runs: the readers of bytes that strangers send, each with what has to hold whatever the bytes are. They fail by
//! panicking, as tests do.

#![allow(clippy::expect_used, clippy::panic, reason = "they fail by panicking, as tests do")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use actix_web::http::header::HeaderValue;
use bytes::Bytes;
use keyward_core::operation::Operation;

use super::bedrock::{self, About, ChunkStream};
use super::estimate::Served;
use super::event_stream::{self, written};
use super::frames::Frames;
use super::scan::{Reading, Scan};
use super::usage::{self, Reader, shape};
use crate::pieces::Pieces;

/// The provider's name of the model in what is spliced.
const SERVED: &str = "served/\"model\"";
/// The events of Converse.
const EVENTS: [&str; 6] =
    ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"];

/// A reader of bytes.
pub type Target = fn(&[u8]);

/// Every one, by its name.
pub const TARGETS: [(&str, Target); 7] = [
    ("scan", scan),
    ("form", form),
    ("events", events),
    ("array", array),
    ("converse", converse),
    ("chunks", chunks),
    ("usage", usage),
];

/// Scans a request's body, as one of each operation. What is spliced into it is read back, and nothing else has become different.
pub fn scan(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    Operation::ALL.iter().for_each(|operation| scan_as(*operation, &body));
}

fn scan_as(operation: Operation, body: &Bytes) {
    let Ok(scan) = Scan::of(operation, in_path(operation), body) else { return };
    let again = spliced(&scan, body, in_path(operation));
    assert_eq!(again.answers, scan.answers, "the same number of answers");
    assert_eq!(again.prompts, scan.prompts, "the same prompts");
    assert_eq!(again.images, scan.images, "the same images");
    assert_eq!((again.causes, again.tier), (scan.causes, scan.tier), "the same causes");
    assert_eq!(again.stream, scan.stream, "a stream or not");
    assert!(again.fallbacks.is_none(), "fallbacks are Keyward's");
}

/// Reads a form, as one of each operation that takes one, and the form with another model in it.
pub fn form(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    let forms = [Operation::ImageEdits, Operation::ImageVariations, Operation::Transcriptions, Operation::Translations];
    forms.into_iter().for_each(|operation| form_as(operation, &body));
}

fn form_as(operation: Operation, body: &Bytes) {
    let Some(content_type) = said_of(body) else { return };
    let reading = Reading { operation, in_path: None, streamed: false, content_type: Some(&content_type) };
    let Ok(scan) = now(Scan::read(&reading, body)) else { return };
    // One that can be read in two ways is refused when it is written.
    let Ok(body) = scan.splice(body, &served(), None).map(Pieces::joined) else { return };
    let content_type = HeaderValue::from_bytes(scan.content_type().as_bytes()).expect("it was read as one");
    let reading = Reading { content_type: Some(&content_type), ..reading };
    let again = now(Scan::read(&reading, &body)).expect("what was written can be read");
    assert_eq!(again.model, SERVED);
}

/// What a form is said to be: its boundary is the one that it begins with.
fn said_of(form: &[u8]) -> Option<HeaderValue> {
    let line = form.strip_prefix(b"--")?.split(|byte| *byte == b'\r').next()?;
    HeaderValue::from_bytes(&[b"multipart/form-data; boundary=", line].concat()).ok()
}

/// Server-sent events: the pieces are the stream, and do not depend on how its bytes come.
pub fn events(data: &[u8]) {
    in_pieces(b"text/event-stream", data);
}

/// The elements of an array that grows.
pub fn array(data: &[u8]) {
    in_pieces(b"application/json", data);
}

/// An event stream of AWS, and its translation into chunks.
pub fn converse(data: &[u8]) {
    event_stream::fuzz(data);
    translated(data);
    let _ = bedrock::completion(data, &about());
    let _ = bedrock::error_body(400, None, data);
}

/// Events of Converse with these payloads, a line each; the first byte of a line chooses what kind of event it is.
pub fn chunks(data: &[u8]) {
    let events = data.split(|byte| *byte == b'\n').filter_map(|line| {
        let (first, payload) = line.split_first()?;
        let kind = EVENTS.get(usize::from(*first) % EVENTS.len())?;
        Some(written::event(kind, &String::from_utf8_lossy(payload)))
    });
    translated(&events.collect::<Vec<_>>().concat());
}

/// Translates a stream of Converse; what becomes of it is a stream of events.
fn translated(data: &[u8]) {
    let mut stream = ChunkStream::new(about());
    let mut translated: Vec<Bytes> = data.chunks(13).map(|piece| stream.push(piece)).collect();
    translated.push(stream.end());
    in_pieces(b"text/event-stream", &translated.concat());
}

const fn about() -> About {
    About { request_id: String::new(), created: 0, model: String::new() }
}

/// What answers and their pieces say of their usage, in each dialect.
pub fn usage(data: &[u8]) {
    for operation in Operation::ALL {
        let _ = usage::of_answer(shape(*operation), data);
        let mut reader = Reader::new(shape(*operation), 1);
        for line in data.split(|byte| *byte == b'\n') {
            reader.read(line.strip_prefix(b"data: ").unwrap_or(line));
        }
        assert!(reader.usage().is_some() || !reader.is_final(), "what is final is known");
    }
}

/// The model, where a path has it.
fn in_path(operation: Operation) -> Option<&'static str> {
    use keyward_core::operation::Dialect;
    (operation.dialect() == Dialect::Gemini).then_some("gemini-a")
}

const fn served() -> Served<'static> {
    Served { provider: "openai", model: SERVED, card: None }
}

/// The scan of what goes to the provider.
fn spliced(scan: &Scan, body: &Bytes, in_path: Option<&str>) -> Scan {
    let body = scan.splice(body, &served(), Some(7)).expect("what was read can be written").joined();
    let in_path = in_path.map(|_| SERVED);
    let again = Scan::of(scan.operation, in_path, &body).expect("what was written can be read");
    assert_eq!(again.model, SERVED);
    again
}

/// Splits a stream twice, with its bytes coming in different ways.
fn in_pieces(content_type: &[u8], data: &[u8]) {
    let split = |size: usize| {
        let mut frames = Frames::of(content_type, true).expect("it comes in pieces");
        let mut pieces = Vec::new();
        for bytes in data.chunks(size) {
            frames.push(Bytes::copy_from_slice(bytes));
            while let Some(frame) = frames.next().ok()? {
                pieces.push((frame.data().map(<[u8]>::to_vec), frame.into_bytes()));
            }
        }
        let rest = frames.rest();
        pieces.push((rest.data().map(<[u8]>::to_vec), rest.into_bytes()));
        Some(pieces)
    };
    let (whole, apart) = (split(data.len().max(1)), split(1));
    assert_eq!(whole, apart, "the pieces do not depend on how the bytes come");
    let bytes: Option<Vec<u8>> = whole.map(|pieces| pieces.into_iter().flat_map(|(_, bytes)| bytes).collect());
    assert!(bytes.is_none_or(|bytes| bytes == data), "the pieces are the stream");
}

/// The result of what never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("everything is there"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bodies that are read to their end, so that a target that stops early is noticed.
    const SEEDS: [&[u8]; 6] = [
        b"{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"n\":2,\"stream\":true,\"max_tokens\":9}",
        b"{\"model\":\"claude\",\"max_tokens\":9,\"messages\":[]}",
        b"data: {\"a\":1}\n\nevent: x\r\ndata: y\r\n\r\n: comment\n\ndata: [DONE]",
        b"[{\"a\":1},\n {\"b\":[\"]\"]}\n]\n",
        b"{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n[DONE]",
        b"--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b\r\nContent-Disposition: \
          form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n--b--\r\n",
    ];

    #[test]
    fn every_target_takes_every_seed() {
        for (name, target) in TARGETS {
            for seed in SEEDS {
                println!("{name}: {}", seed.escape_ascii());
                target(seed);
            }
        }
    }
}
