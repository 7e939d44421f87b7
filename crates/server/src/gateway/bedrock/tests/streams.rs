//! Streams of Converse as streams of chat completions.

use proptest::prelude::*;

use super::*;
use crate::gateway::event_stream::written::{event, frame};

fn usage() -> String {
    r#"{"usage":{"inputTokens":10,"outputTokens":2,"totalTokens":12},"metrics":{"latencyMs":7}}"#.to_owned()
}

fn start() -> Vec<u8> {
    event("messageStart", r#"{"role":"assistant","p":"abcdef"}"#)
}

fn delta(block: u64, delta: &str) -> Vec<u8> {
    event("contentBlockDelta", &format!(r#"{{"contentBlockIndex":{block},"delta":{delta}}}"#))
}

fn tool(block: u64, id: &str) -> Vec<u8> {
    let start = format!(r#"{{"contentBlockIndex":{block},"start":{{"toolUse":{{"toolUseId":"{id}","name":"now"}}}}}}"#);
    event("contentBlockStart", &start)
}

fn stop_block(block: u64) -> Vec<u8> {
    event("contentBlockStop", &format!(r#"{{"contentBlockIndex":{block}}}"#))
}

fn stop(reason: &str) -> Vec<u8> {
    event("messageStop", &format!(r#"{{"stopReason":"{reason}"}}"#))
}

fn translated(frames: &[Vec<u8>]) -> String {
    let mut stream = ChunkStream::new(about());
    let mut events: Vec<u8> = frames.iter().flat_map(|frame| stream.push(frame)).collect();
    events.extend(stream.end());
    String::from_utf8(events).unwrap()
}

fn text() -> Vec<Vec<u8>> {
    vec![
        start(),
        delta(0, r#"{"text":"Hel"}"#),
        delta(0, r#"{"text":"lo"}"#),
        stop_block(0),
        stop("end_turn"),
        event("metadata", &usage()),
    ]
}

#[test]
fn a_text() {
    insta::assert_snapshot!(translated(&text()));
}

#[test]
fn calls() {
    insta::assert_snapshot!(translated(&[
        start(),
        delta(0, r#"{"text":"One moment."}"#),
        stop_block(0),
        tool(1, "call-1"),
        delta(1, r#"{"toolUse":{"input":""}}"#),
        delta(1, r#"{"toolUse":{"input":"{\"zone\":"}}"#),
        delta(1, r#"{"toolUse":{"input":"\"UTC\"}"}}"#),
        stop_block(1),
        tool(2, "call-2"),
        stop_block(2),
        stop("tool_use"),
        event("metadata", &usage()),
    ]));
}

#[test]
fn thoughts() {
    insta::assert_snapshot!(translated(&[
        start(),
        delta(0, r#"{"reasoningContent":{"text":"Hm."}}"#),
        delta(0, r#"{"reasoningContent":{"signature":"fake-signature"}}"#),
        delta(1, r#"{"reasoningContent":{"redactedContent":"ZmFrZQ=="}}"#),
        delta(2, r#"{"text":"Hello"}"#),
        stop("end_turn"),
        event("metadata", &usage()),
    ]));
}

#[test]
fn cached_input_and_the_tier() {
    let metadata = r#"{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":33,"cacheReadInputTokens":10,"cacheWriteInputTokens":20},"serviceTier":{"type":"flex"}}"#;
    insta::assert_snapshot!(translated(&[start(), stop("max_tokens"), event("metadata", metadata)]));
}

#[test]
fn an_exception() {
    let headers = [(":message-type", "exception"), (":exception-type", "throttlingException")];
    let exception = frame(&headers, r#"{"message":"Too many tokens."}"#);
    insta::assert_snapshot!(translated(&[start(), delta(0, r#"{"text":"Hel"}"#), exception, stop("end_turn")]));
}

#[test]
fn an_error() {
    let headers = [(":message-type", "error"), (":error-code", "InternalFailure"), (":error-message", "It broke.")];
    insta::assert_snapshot!(translated(&[start(), frame(&headers, "")]));
}

#[test]
fn a_stream_that_is_cut() {
    insta::assert_snapshot!(translated(&text()[..3]));
}

#[test]
fn a_frame_that_is_damaged() {
    let mut damaged = delta(0, r#"{"text":"Hel"}"#);
    *damaged.last_mut().unwrap() ^= 1;
    insta::assert_snapshot!(translated(&[start(), damaged, stop("end_turn")]));
}

#[test]
fn an_event_of_tomorrow_is_passed_over() {
    let mut frames = text();
    frames.insert(1, event("somethingNew", "{}"));
    assert_eq!(translated(&frames), translated(&text()));
}

#[test]
fn an_answer_without_usage_still_ends() {
    assert!(translated(&[start(), stop("end_turn")]).ends_with("data: [DONE]\n\n"));
}

#[test]
fn each_frame_becomes_events_when_it_is_whole() {
    let mut stream = ChunkStream::new(about());
    for frame in text() {
        let (last, most) = frame.split_last().unwrap();
        assert!(stream.push(most).is_empty());
        let is_silent = frame == stop_block(0);
        assert_eq!(stream.push(&[*last]).is_empty(), is_silent);
    }
    assert!(stream.end().is_empty());
}

proptest! {
    #[test]
    fn the_pieces_in_which_a_stream_comes_do_not_matter(size in 1_usize..400) {
        let all = text().concat();
        let mut stream = ChunkStream::new(about());
        let events: Vec<u8> = all.chunks(size).flat_map(|piece| stream.push(piece)).collect();
        prop_assert_eq!(String::from_utf8(events).unwrap(), translated(&text()));
    }

    #[test]
    fn nothing_makes_it_panic(payloads in proptest::collection::vec((any::<bool>(), ".{0,40}"), 0..6)) {
        let frames: Vec<Vec<u8>> = payloads
            .iter()
            .map(|(known, payload)| event(if *known { "contentBlockDelta" } else { payload }, payload))
            .collect();
        translated(&frames);
    }
}
