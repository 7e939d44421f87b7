//! Upstreams that leave nothing to chance: an answer comes in one piece, and a chunk of a stream when the one before was heard.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// How many chunks a stream has.
const CHUNKS: usize = 100;

const ANSWER: &str = r#"{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"bench-model","choices":[{"index":0,"message":{"role":"assistant","content":"Hello! How can I help you today?"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":9,"total_tokens":18}}"#;
const CHUNK: &str = r#"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench-model","choices":[{"index":0,"delta":{"content":" Hello"},"finish_reason":null}],"usage":null}"#;
const LAST: &str = "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"bench-model\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":100,\"total_tokens\":109}}\n\ndata: [DONE]\n\n";

/// Lets the next chunk come.
pub struct Pace(Sender<()>);

impl Pace {
    pub fn next(&self) {
        // The upstream does not wait for anybody after its last chunk.
        let _ = self.0.send(());
    }
}

/// An upstream that answers with one body.
pub fn whole() -> SocketAddr {
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ANSWER}",
        ANSWER.len()
    );
    serve(move |connection| connection.write_all(answer.as_bytes()).unwrap())
}

/// An upstream that answers with a stream.
pub fn streamed() -> (Pace, SocketAddr) {
    let (pace, heard) = channel();
    (Pace(pace), serve(move |connection| stream(connection, &heard)))
}

fn stream(connection: &mut TcpStream, heard: &Receiver<()>) {
    // What was heard of the stream before.
    while heard.try_recv().is_ok() {}
    let mut before = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let event = format!("{CHUNK}\n\n");
    for number in 0..CHUNKS {
        if number > 0 {
            heard.recv().unwrap();
        }
        let (last, end) = if number == CHUNKS - 1 { (LAST, "0\r\n\r\n") } else { ("", "") };
        let written = format!("{before}{:x}\r\n{event}{last}\r\n{end}", event.len() + last.len());
        connection.write_all(written.as_bytes()).unwrap();
        before = "";
    }
}

/// Serves one connection after the other.
fn serve(mut answer: impl FnMut(&mut TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            connection.set_nodelay(true).unwrap();
            let mut requests = BufReader::new(connection.try_clone().unwrap());
            while read(&mut requests) {
                answer(&mut connection);
            }
        }
    });
    address
}

/// Reads one request; false: there is none any more.
fn read(requests: &mut BufReader<TcpStream>) -> bool {
    let (mut line, mut length) = (String::new(), 0);
    while requests.read_line(&mut line).unwrap_or_default() > 2 {
        let lower = line.to_ascii_lowercase();
        length = lower.strip_prefix("content-length:").map_or(length, |value| value.trim().parse().unwrap());
        line.clear();
    }
    let mut body = vec![0; length];
    length > 0 && requests.read_exact(&mut body).is_ok()
}
