//! The one scan of a request body: what governance needs, and where it stands. Everything else is left alone.

use std::fmt;
use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};
use keyward_core::error_code::ErrorCode;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::json::parse;

/// What a chat completion request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ChatScan {
    /// The model as the client named it.
    pub(super) model: String,
    /// True: the answer shall come as events.
    pub(super) stream: bool,
    /// True: the client wants to see the event that tells the usage.
    pub(super) wants_usage: bool,
    /// The client's own cap on output tokens, of one answer.
    pub(super) output_cap: Option<u64>,
    /// How many answers are asked for.
    pub(super) answers: u64,
    /// True when every message is plain text: then bytes bound tokens.
    pub(super) text_only: bool,
    /// True when tools or output schemas are described, which providers put into words of their own.
    pub(super) has_tools: bool,
    model_at: Range<usize>,
    stream_options_at: Option<Range<usize>>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    model: &'a RawValue,
    messages: Vec<Message>,
    stream: Option<bool>,
    #[serde(borrow, default)]
    stream_options: Option<&'a RawValue>,
    max_completion_tokens: Option<u64>,
    max_tokens: Option<u64>,
    n: Option<u64>,
    tools: Option<IgnoredAny>,
    functions: Option<IgnoredAny>,
    response_format: Option<IgnoredAny>,
    web_search_options: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Content,
}

/// Whether a message's content is plain text.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Content {
    is_text: bool,
}

impl Default for Content {
    fn default() -> Self {
        Self { is_text: true }
    }
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

impl ChatScan {
    /// Scans a body.
    pub(super) fn of(body: &Bytes) -> Result<Self, ApiError> {
        let request: Request<'_> = parse(body)?;
        let model: String = parse(request.model.get().as_bytes())
            .map_err(|_| ApiError::new(ErrorCode::InvalidRequest, "model must be a string").at("/model"))?;
        let stream_options = request.stream_options.filter(|raw| raw.get() != "null");
        let wants_usage = stream_options.map_or(Ok(false), |raw| {
            let options: Result<StreamOptions, _> = parse(raw.get().as_bytes());
            options.map(|options| options.include_usage.unwrap_or(false)).map_err(|_| {
                let message = "stream_options must be an object with a boolean include_usage";
                ApiError::new(ErrorCode::InvalidRequest, message).at("/stream_options")
            })
        })?;
        let has_search = request.web_search_options.is_some();
        let described = [request.tools, request.functions, request.response_format];
        Ok(Self {
            model,
            stream: request.stream.unwrap_or(false),
            wants_usage,
            output_cap: request.max_completion_tokens.max(request.max_tokens),
            answers: request.n.unwrap_or(1).max(1),
            text_only: !has_search && request.messages.iter().all(|message| message.content.is_text),
            has_tools: described.iter().any(Option::is_some),
            model_at: span(body, request.model)?,
            stream_options_at: request.stream_options.map(|raw| span(body, raw)).transpose()?,
        })
    }

    /// The body for the provider: its own model name, and for streams the wish to be told the usage. Every other byte is the
    /// client's.
    pub(super) fn splice(&self, body: &Bytes, model: &str) -> Result<Bytes, ApiError> {
        let internal =
            |error: serde_json::Error| ApiError::new(ErrorCode::Internal, "The body cannot be written").because(error);
        let model = serde_json::to_vec(model).map_err(internal)?;
        let mut edits = vec![(self.model_at.clone(), model)];
        if self.stream && !self.wants_usage {
            edits.push(self.usage_wish(body));
        }
        edits.sort_by_key(|(at, _)| at.start);
        let mut spliced = BytesMut::with_capacity(body.len() + 64);
        let mut copied = 0;
        for (at, text) in edits {
            spliced.put_slice(body.get(copied..at.start).unwrap_or_default());
            spliced.put_slice(&text);
            copied = at.end;
        }
        spliced.put_slice(body.get(copied..).unwrap_or_default());
        Ok(spliced.freeze())
    }

    /// Where and how `include_usage` is asked for: in the client's own options, or in new ones at the front.
    fn usage_wish(&self, body: &Bytes) -> (Range<usize>, Vec<u8>) {
        let wish = br#"{"include_usage":true}"#;
        let Some(at) = self.stream_options_at.clone() else {
            let front = body.iter().position(|byte| *byte == b'{').map_or(0, |brace| brace + 1);
            return (front..front, br#""stream_options":{"include_usage":true},"#.to_vec());
        };
        let options = body.get(at.clone()).and_then(|text| serde_json::from_slice(text).ok());
        let options = options.and_then(|options: serde_json::Map<String, serde_json::Value>| {
            let mut options = options;
            options.insert("include_usage".to_owned(), true.into());
            serde_json::to_vec(&options).ok()
        });
        (at, options.unwrap_or_else(|| wish.to_vec()))
    }
}

/// Where a borrowed piece of the body stands in it.
fn span(body: &Bytes, piece: &RawValue) -> Result<Range<usize>, ApiError> {
    let piece = piece.get().as_bytes();
    let start = piece.as_ptr().addr().checked_sub(body.as_ptr().addr());
    let span = start.map(|start| start..start + piece.len()).filter(|span| span.end <= body.len());
    span.ok_or_else(|| ApiError::new(ErrorCode::Internal, "The body was copied while it was scanned"))
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor;

        impl<'de> Visitor<'de> for ContentVisitor {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a list of parts, or null")
            }

            fn visit_str<E>(self, _: &str) -> Result<Content, E> {
                Ok(Content { is_text: true })
            }

            fn visit_unit<E>(self) -> Result<Content, E> {
                Ok(Content { is_text: true })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
                let mut is_text = true;
                while let Some(part) = parts.next_element::<Part>()? {
                    is_text &= part.is_text;
                }
                Ok(Content { is_text })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Content, A::Error> {
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Content { is_text: false })
            }
        }

        deserializer.deserialize_any(ContentVisitor)
    }
}

/// One part of a message's content.
struct Part {
    is_text: bool,
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Tagged {
            #[serde(rename = "type")]
            kind: String,
        }
        let part = Tagged::deserialize(deserializer)?;
        Ok(Self { is_text: matches!(part.kind.as_str(), "text" | "refusal") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(body: &str) -> (Bytes, ChatScan) {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let scan = ChatScan::of(&body).unwrap();
        (body, scan)
    }

    fn spliced(body: &str) -> String {
        let (body, scan) = scan(body);
        String::from_utf8(scan.splice(&body, "m\"2").unwrap().to_vec()).unwrap()
    }

    #[test]
    fn only_the_model_changes() {
        let before = "{ \"x\" : [1.0e3, \"\\u00e9\"],\n \"mod\\u0065l\" :  \"p/m\" , \"messages\":[] }";
        let after = "{ \"x\" : [1.0e3, \"\\u00e9\"],\n \"mod\\u0065l\" :  \"m\\\"2\" , \"messages\":[] }";
        assert_eq!(spliced(before), after);
    }

    #[test]
    fn a_stream_is_asked_to_tell_its_usage() {
        for (before, after) in [
            (
                r#" {"model":"p/m","messages":[],"stream":true}"#,
                r#" {"stream_options":{"include_usage":true},"model":"m\"2","messages":[],"stream":true}"#,
            ),
            (
                r#"{"stream_options":{"a":1,"include_usage":false},"model":"p/m","messages":[],"stream":true}"#,
                r#"{"stream_options":{"a":1,"include_usage":true},"model":"m\"2","messages":[],"stream":true}"#,
            ),
            (
                r#"{"model":"p/m","messages":[],"stream":true,"stream_options":null}"#,
                r#"{"model":"m\"2","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#,
            ),
            (
                r#"{"model":"p/m","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#,
                r#"{"model":"m\"2","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#,
            ),
        ] {
            assert_eq!(spliced(before), after);
        }
    }

    #[test]
    fn anything_but_text_is_noticed() {
        let text_only =
            |content: &str| scan(&format!(r#"{{"model":"m","messages":[{{"content":{content}}}]}}"#)).1.text_only;
        assert!(text_only("\"hello\""));
        assert!(text_only("null"));
        assert!(text_only(r#"[{"type":"text","text":"hello"}]"#));
        assert!(!text_only(r#"[{"type":"text","text":"a"},{"type":"image\u005furl","image_url":{"url":"http://x"}}]"#));
    }

    #[test]
    fn ambiguous_and_malformed_bodies_are_refused() {
        for (body, code, param) in [
            ("", ErrorCode::InvalidJson, ""),
            ("{\"model\":\"m\",\"messages\":[]} {}", ErrorCode::InvalidJson, ""),
            (r#"{"messages":[]}"#, ErrorCode::InvalidRequest, ""),
            (r#"{"model":7,"messages":[]}"#, ErrorCode::InvalidRequest, "/model"),
            (r#"{"model":"a","model":"b","messages":[]}"#, ErrorCode::InvalidRequest, ""),
            (r#"{"model":"a","messages":[],"max_tokens":-1}"#, ErrorCode::InvalidRequest, "/max_tokens"),
            (
                r#"{"model":"a","messages":[],"stream":true,"stream_options":7}"#,
                ErrorCode::InvalidRequest,
                "/stream_options",
            ),
        ] {
            let error = ChatScan::of(&Bytes::copy_from_slice(body.as_bytes())).unwrap_err();
            assert_eq!((error.code(), error.body("").error.param.as_str()), (code, param), "{body}");
        }
    }
}
