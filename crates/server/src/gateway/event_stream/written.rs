//! Frames as a service would send them, for tests and the fuzzer.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;

/// A frame of these headers.
pub(in super::super) fn frame(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
    let headers = headers
        .iter()
        .map(|(name, value)| Header::new((*name).to_owned(), HeaderValue::String((*value).to_owned().into())));
    let message = Message::new_from_parts(headers.collect(), Bytes::copy_from_slice(payload.as_bytes()));
    let mut frame = Vec::new();
    write_message_to(&message, &mut frame).expect("the headers are short");
    frame
}

/// An event of the type.
pub(in super::super) fn event(kind: &str, payload: &str) -> Vec<u8> {
    frame(&[(":message-type", "event"), (":event-type", kind), (":content-type", "application/json")], payload)
}
