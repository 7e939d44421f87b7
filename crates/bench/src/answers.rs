//! What is asked and what the upstream answers: every byte is known, so that whoever asks can check that nothing was lost on the way.

use std::iter;

use bytes::Bytes;

/// The model as the upstream knows it.
const MODEL: &str = "bench-model";
/// How many pieces a streamed answer comes in.
pub(crate) const CHUNKS: usize = 100;
/// How long an answer that is not streamed is.
const COMPLETION_BYTES: usize = 778;
/// What most pieces of a stream say.
pub(crate) const WORD: &str = r#""content":" word""#;
/// What a whole answer ends with, as anybody would write it.
pub(crate) const LAST_WORDS: &str = "as long as it takes,\"";
/// What tells a request for a stream.
pub(crate) const WANTS_STREAM: &[u8] = br#""stream":true"#;

/// The body of a request for a whole answer.
pub(crate) fn completion_request() -> String {
    format!(
        r#"{{"model":"bench/{MODEL}","max_tokens":64,"messages":[{{"role":"user","content":"How long does this take?"}}]}}"#
    )
}

/// The body of a request for a whole answer, of that length or a little more.
pub(crate) fn long_request(bytes: usize) -> String {
    let short = completion_request();
    let words = "How long does this take? ".chars().cycle().take(bytes.saturating_sub(short.len()));
    short.replace("How long", &words.chain("How long".chars()).collect::<String>())
}

/// The body of a request for a stream.
pub(crate) fn stream_request() -> String {
    format!(
        r#"{{"model":"bench/{MODEL}","max_tokens":128,"stream":true,"stream_options":{{"include_usage":true}},"messages":[{{"role":"user","content":"How long does this take?"}}]}}"#
    )
}

/// A chat completion with its usage.
pub(crate) fn completion() -> Bytes {
    let head = format!(
        r#"{{"id":"chatcmpl-bench","object":"chat.completion","created":1780000000,"model":"{MODEL}","choices":[{{"index":0,"message":{{"role":"assistant","content":""#
    );
    let tail = r#""},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":64,"total_tokens":76}}"#;
    let words = "as long as it takes, ".chars().cycle().take(COMPLETION_BYTES.saturating_sub(head.len() + tail.len()));
    Bytes::from(head.chars().chain(words).chain(tail.chars()).collect::<String>())
}

/// The pieces of a stream, one event each; the last one has the usage and the end too.
pub(crate) fn stream() -> Vec<Bytes> {
    let piece = event(r#"[{"index":0,"delta":{"content":" word"},"finish_reason":null}]"#, "null");
    let last = event(r#"[{"index":0,"delta":{},"finish_reason":"stop"}]"#, "null");
    let usage = event("[]", r#"{"prompt_tokens":12,"completion_tokens":99,"total_tokens":111}"#);
    let end = Bytes::from(format!("{last}{usage}data: [DONE]\n\n"));
    iter::repeat_n(Bytes::from(piece), CHUNKS - 1).chain([end]).collect()
}

fn event(choices: &str, usage: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1780000000,\"model\":\"{MODEL}\",\"choices\":{choices},\"usage\":{usage}}}\n\n"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn answers_are_what_the_documentation_says() {
        let completion = completion();
        assert_eq!(completion.len(), COMPLETION_BYTES);
        let answer: Value = serde_json::from_slice(&completion).unwrap();
        assert_eq!(answer["usage"]["total_tokens"], 76);
        assert_eq!(memchr::memmem::find_iter(&completion, LAST_WORDS).count(), 1);
        let stream = stream();
        assert_eq!(stream.len(), CHUNKS);
        assert!(stream[CHUNKS - 1].ends_with(b"data: [DONE]\n\n"));
    }

    #[test]
    fn a_long_request_is_as_long_as_it_should_be() {
        let request = long_request(10_000);
        assert_eq!(request.len(), 10_000);
        serde_json::from_str::<Value>(&request).unwrap();
        assert_eq!(long_request(0), completion_request());
    }

    #[test]
    fn requests_are_json_and_say_whether_they_want_a_stream() {
        for (request, streamed) in [(completion_request(), false), (stream_request(), true)] {
            serde_json::from_str::<Value>(&request).unwrap();
            assert_eq!(memchr::memmem::find(request.as_bytes(), WANTS_STREAM).is_some(), streamed);
        }
    }
}
