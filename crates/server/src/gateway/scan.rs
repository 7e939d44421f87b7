//! The scan of a request body: what governance needs, and where it stands. Everything else is left alone.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};
use keyward_core::error_code::ErrorCode;
use keyward_core::invalid::Pointer;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::json::parse;

mod content;
mod governed;
mod members;

use content::{Message, Part, StreamOptions};
use members::Members;

/// What a chat completion request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ChatScan {
    /// The model as the client named it.
    pub(super) model: String,
    /// True: the answer shall come as events.
    pub(super) stream: bool,
    /// True: the client wants to see the event that tells the usage.
    pub(super) wants_usage: bool,
    /// The client's own caps on output tokens, of one answer.
    pub(super) max_completion_tokens: Option<u64>,
    pub(super) max_tokens: Option<u64>,
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
    #[serde(borrow, default, deserialize_with = "even_null")]
    stream_options: Option<&'a RawValue>,
    max_completion_tokens: Option<u64>,
    max_tokens: Option<u64>,
    n: Option<u64>,
    tools: Option<Vec<Part>>,
    functions: Option<IgnoredAny>,
    response_format: Option<IgnoredAny>,
    web_search_options: Option<IgnoredAny>,
    search_parameters: Option<IgnoredAny>,
    service_tier: Option<String>,
    modalities: Option<Vec<String>>,
    prediction: Option<IgnoredAny>,
    extra_body: Option<IgnoredAny>,
}

/// A member that is there, also when it is null: null has a place in the body that an edit must use.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl ChatScan {
    /// Scans a body.
    ///
    /// # Errors
    /// A body that is not a chat completion request, or that asks for something with a price of its own.
    pub(super) fn of(body: &Bytes) -> Result<Self, ApiError> {
        if std::str::from_utf8(body).is_err() {
            return Err(ApiError::new(ErrorCode::InvalidJson, "Invalid JSON: the body is not UTF-8"));
        }
        let request: Request<'_> = parse(body)?;
        let Members = parse(body)?;
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
        request.refuse_unmetered()?;
        let has_tools = request.tools.is_some();
        let described = [request.functions, request.response_format];
        Ok(Self {
            model,
            stream: request.stream.unwrap_or(false),
            wants_usage,
            max_completion_tokens: request.max_completion_tokens,
            max_tokens: request.max_tokens,
            answers: request.n.unwrap_or(1).max(1),
            text_only: request.extra_body.is_none()
                && request.messages.iter().all(|message| !message.content.has_media),
            has_tools: has_tools || described.iter().any(Option::is_some),
            model_at: span(body, request.model)?,
            stream_options_at: request.stream_options.map(|raw| span(body, raw)).transpose()?,
        })
    }

    /// The kind of request, as providers' `allowed_requests` call it.
    pub(super) const fn kind(&self) -> &'static str {
        if self.stream { "chat_completion_stream" } else { "chat_completion" }
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

impl Request<'_> {
    /// Refuses what has a price that the catalogue does not know: it would be charged too little.
    fn refuse_unmetered(&self) -> Result<(), ApiError> {
        let refuse = |member: &str, what: &str| {
            let message = format!("{what} cannot be metered, so it is not let through");
            Err(ApiError::new(ErrorCode::InvalidRequest, message).at(Pointer::from(member)))
        };
        let tier = self.service_tier.as_deref();
        if !matches!(tier, None | Some("auto" | "default" | "standard_only" | "flex")) {
            return refuse("service_tier", "a service tier with prices of its own");
        }
        if self.web_search_options.is_some() {
            return refuse("web_search_options", "a search with fees of its own");
        }
        if self.search_parameters.is_some() {
            return refuse("search_parameters", "a search with fees of its own");
        }
        if self.prediction.is_some() {
            return refuse("prediction", "predicted output, whose misses are billed too,");
        }
        if self.tools.iter().flatten().any(|tool| !matches!(tool.kind.as_deref(), Some("function" | "custom"))) {
            return refuse("tools", "a tool that the provider runs");
        }
        let speaks = self.modalities.iter().flatten().any(|modality| modality != "text");
        if speaks || self.messages.iter().any(|message| message.audio.is_some() || message.content.has_audio) {
            return refuse(if speaks { "modalities" } else { "messages" }, "audio, which has prices of its own,");
        }
        Ok(())
    }
}

/// Where a borrowed piece of the body stands in it.
fn span(body: &Bytes, piece: &RawValue) -> Result<Range<usize>, ApiError> {
    let piece = piece.get().as_bytes();
    let start = piece.as_ptr().addr().checked_sub(body.as_ptr().addr());
    let span = start.map(|start| start..start + piece.len()).filter(|span| span.end <= body.len());
    span.ok_or_else(|| ApiError::new(ErrorCode::Internal, "The body was copied while it was scanned"))
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

    /// Tells which members serde reads of a struct, and reads nothing.
    struct Fields<'a>(&'a std::cell::Cell<&'static [&'static str]>);

    impl<'de> Deserializer<'de> for Fields<'_> {
        type Error = serde::de::value::Error;

        fn deserialize_struct<V: serde::de::Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Self::Error> {
            self.0.set(fields);
            Err(serde::de::Error::custom("nothing is read"))
        }

        fn deserialize_any<V: serde::de::Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(serde::de::Error::custom("not a struct"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    /// What the gateway reads, it also guards the spelling of.
    #[test]
    fn every_member_that_is_read_is_governed() {
        let read = std::cell::Cell::default();
        assert!(Request::deserialize(Fields(&read)).is_err());
        assert!(read.get().contains(&"model"));
        for name in read.get().iter().chain(&members::GOVERNED) {
            let body = format!(r#"{{"model":"m","messages":[],"{}":null}}"#, name.to_uppercase());
            let error = ChatScan::of(&Bytes::from(body)).unwrap_err();
            assert!(error.to_string().contains(&format!("must be written '{name}'")), "{error}");
        }
    }

    #[test]
    fn ambiguous_and_malformed_bodies_are_refused() {
        let not_utf8 = Bytes::from_static(b"{\"model\":\"a\",\"messages\":[],\"x\":\"\xff\"}");
        assert_eq!(ChatScan::of(&not_utf8).unwrap_err().code(), ErrorCode::InvalidJson);
        for (body, code, param) in [
            ("", ErrorCode::InvalidJson, ""),
            ("{\"model\":\"m\",\"messages\":[]} {}", ErrorCode::InvalidJson, ""),
            (r#"{"messages":[]}"#, ErrorCode::InvalidRequest, "/model"),
            (r#"{"model":"a","messages":[],"service_tier":"priority"}"#, ErrorCode::InvalidRequest, "/service_tier"),
            (
                r#"{"model":"a","messages":[],"web_search_options":{}}"#,
                ErrorCode::InvalidRequest,
                "/web_search_options",
            ),
            (r#"{"model":"a","messages":[],"modalities":["text","audio"]}"#, ErrorCode::InvalidRequest, "/modalities"),
            (r#"{"model":"a","messages":[],"search_parameters":{}}"#, ErrorCode::InvalidRequest, "/search_parameters"),
            (r#"{"model":"a","messages":[{"audio":{"id":"x"}}]}"#, ErrorCode::InvalidRequest, "/messages"),
            (r#"{"model":"a","messages":[],"prediction":{}}"#, ErrorCode::InvalidRequest, "/prediction"),
            (r#"{"model":"a","messages":[],"tools":[{"type":"browser_search"}]}"#, ErrorCode::InvalidRequest, "/tools"),
            (r#"{"model":"a","messages":[],"MAX_TOKENS":9}"#, ErrorCode::InvalidRequest, ""),
            (r#"{"model":"a","meſſages":[],"messages":[]}"#, ErrorCode::InvalidRequest, ""),
            (r#"{"model":"a","messages":[{"Content":"x"}]}"#, ErrorCode::InvalidRequest, "/messages/0"),
            (
                r#"{"model":"a","messages":[{"content":[{"type":"text","Type":"x"}]}]}"#,
                ErrorCode::InvalidRequest,
                "/messages",
            ),
            (r#"{"model":"a","messages":[{"content":[["text"]]}]}"#, ErrorCode::InvalidRequest, "/messages/0"),
            (r#"{"model":"a","messages":[["x"]]}"#, ErrorCode::InvalidRequest, "/messages/0"),
            (
                r#"{"model":"a","messages":[],"tools":[{"type":"function","TYPE":"x"}]}"#,
                ErrorCode::InvalidRequest,
                "/tools",
            ),
            (r#"{"model":"a","messages":[],"stream_options":[false]}"#, ErrorCode::InvalidRequest, "/stream_options"),
            (
                r#"{"model":"a","messages":[],"stream_options":{"Include_usage":true}}"#,
                ErrorCode::InvalidRequest,
                "/stream_options",
            ),
            (r#"{"model":"a","messages":[],"models":["b"]}"#, ErrorCode::InvalidRequest, ""),
            (
                r#"{"model":"a","messages":[{"content":[{"type":"input_audio"}]}]}"#,
                ErrorCode::InvalidRequest,
                "/messages",
            ),
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
            let found = error.body("").error.param;
            assert!(error.code() == code && found.starts_with(param), "{body}: {error:?}");
        }
    }
}
