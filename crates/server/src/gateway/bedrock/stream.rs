//! A stream of Converse as one of chat completions: frames in, server-sent events out, at once and in the same order.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::About;
use super::answer::{Thought, Tier, finish_reason};
use super::failure;
use super::usage::{Told, Usage};
use crate::gateway::event_stream::{EventStream, Kind, Message};

/// The event that ends a stream.
const DONE: &[u8] = b"data: [DONE]\n\n";

/// Translates one stream.
#[derive(Debug)]
pub(in super::super) struct ChunkStream {
    about: About,
    frames: EventStream,
    /// Calls of tools by the index of their block.
    calls: BTreeMap<u64, Call>,
    stage: Stage,
}

/// How far the stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The model speaks.
    Speaking,
    /// It has stopped; what it used is not told yet.
    Stopped,
    /// Everything is said, or a failure.
    Over,
}

#[derive(Debug)]
struct Call {
    /// Which of the calls it is.
    index: usize,
    has_arguments: bool,
}

/// The payloads of all events: each has some of the members.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    content_block_index: Option<u64>,
    start: Option<Start>,
    delta: Option<Delta>,
    stop_reason: Option<String>,
    usage: Option<Told>,
    service_tier: Option<Tier>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    tool_use: Option<ToolStart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolStart {
    tool_use_id: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delta {
    text: Option<String>,
    tool_use: Option<ToolDelta>,
    reasoning_content: Option<ReasoningDelta>,
}

#[derive(Deserialize)]
struct ToolDelta {
    input: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReasoningDelta {
    text: Option<String>,
    signature: Option<String>,
    redacted_content: Option<String>,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: String,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: Vec<Choice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<String>,
}

#[derive(Default, Serialize)]
struct Choice {
    index: u8,
    delta: Words,
    logprobs: (),
    finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    native_finish_reason: Option<String>,
}

#[derive(Default, Serialize)]
struct Words {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    thinking_blocks: Vec<Thought>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<CallDelta>,
}

#[derive(Serialize)]
struct CallDelta {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: FunctionDelta,
}

#[derive(Serialize)]
struct FunctionDelta {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    arguments: String,
}

impl ChunkStream {
    pub(in super::super) fn new(about: About) -> Self {
        Self { about, frames: EventStream::default(), calls: BTreeMap::new(), stage: Stage::Speaking }
    }

    /// The events for the next bytes of the stream; none when no frame has become whole.
    pub(in super::super) fn push(&mut self, bytes: &[u8]) -> Bytes {
        let mut events = BytesMut::new();
        if self.stage == Stage::Over {
            return Bytes::new();
        }
        self.frames.push(bytes);
        while self.stage != Stage::Over {
            match self.frames.next() {
                Ok(None) => break,
                Ok(Some(message)) => self.tell(message, &mut events),
                Err(error) => self.fail(failure::written(None, &error.to_string(), "upstream_error"), &mut events),
            }
        }
        events.freeze()
    }

    /// What is left to be said when there are no more bytes.
    pub(in super::super) fn end(&mut self) -> Bytes {
        let mut events = BytesMut::new();
        match self.stage {
            Stage::Over => {}
            Stage::Stopped if self.frames.is_at_boundary() => self.finish(&mut events),
            Stage::Stopped | Stage::Speaking => {
                let message = "Bedrock's stream ended before the answer did";
                self.fail(failure::written(None, message, "upstream_error"), &mut events);
            }
        }
        events.freeze()
    }

    fn tell(&mut self, message: Message, events: &mut BytesMut) {
        match message.kind {
            Kind::Event(kind) => self.tell_event(&kind, &message.payload, events),
            Kind::Exception(name) => self.fail(failure::in_stream(&name, &message.payload), events),
            Kind::Error(code, text) => self.fail(failure::written(Some(&code), &text, "upstream_error"), events),
        }
    }

    fn tell_event(&mut self, kind: &str, payload: &[u8], events: &mut BytesMut) {
        let Ok(payload) = serde_json::from_slice::<Payload>(payload) else {
            let message = "an event of Bedrock's stream cannot be read";
            return self.fail(failure::written(None, message, "upstream_error"), events);
        };
        let at = payload.content_block_index.unwrap_or_default();
        match kind {
            "messageStart" => {
                self.say(Words { role: Some("assistant"), content: Some(String::new()), ..Words::default() }, events);
            }
            "contentBlockStart" => {
                if let Some(tool) = payload.start.and_then(|start| start.tool_use) {
                    self.call(at, tool, events);
                }
            }
            "contentBlockDelta" => {
                if let Some(delta) = payload.delta {
                    self.go_on(at, delta, events);
                }
            }
            "contentBlockStop" => self.end_call(at, events),
            "messageStop" => self.stop(payload.stop_reason.unwrap_or_default(), events),
            "metadata" => {
                let tier = payload.service_tier.map(|tier| tier.kind);
                self.chunk(Vec::new(), payload.usage.map(Usage::from), tier, events);
                self.finish(events);
            }
            // Kinds of events that there will be.
            _ => {}
        }
    }

    /// A call begins.
    fn call(&mut self, at: u64, tool: ToolStart, events: &mut BytesMut) {
        let index = self.calls.len();
        self.calls.insert(at, Call { index, has_arguments: false });
        let function = FunctionDelta { name: Some(tool.name), arguments: String::new() };
        self.say_call(CallDelta { index, id: Some(tool.tool_use_id), kind: Some("function"), function }, events);
    }

    /// A block goes on.
    fn go_on(&mut self, at: u64, delta: Delta, events: &mut BytesMut) {
        if let Some(text) = delta.text {
            self.say(Words { content: Some(text), ..Words::default() }, events);
        }
        if let Some(reasoning) = delta.reasoning_content {
            self.think(reasoning, events);
        }
        let called = delta.tool_use.filter(|tool| !tool.input.is_empty()).zip(self.calls.get_mut(&at));
        if let Some((tool, call)) = called {
            call.has_arguments = true;
            let function = FunctionDelta { name: None, arguments: tool.input };
            let delta = CallDelta { index: call.index, id: None, kind: None, function };
            self.say_call(delta, events);
        }
    }

    /// The signature comes after the thought: the thought's text is in the events before it.
    fn think(&mut self, reasoning: ReasoningDelta, events: &mut BytesMut) {
        let signed = reasoning
            .signature
            .map(|signature| Thought::Thinking { thinking: String::new(), signature: Some(signature) });
        let redacted = reasoning.redacted_content.map(|data| Thought::RedactedThinking { data });
        let thinking_blocks = signed.into_iter().chain(redacted).collect();
        self.say(Words { reasoning_content: reasoning.text, thinking_blocks, ..Words::default() }, events);
    }

    /// Arguments are JSON, also when the model gave none.
    fn end_call(&mut self, at: u64, events: &mut BytesMut) {
        if let Some(index) = self.calls.get(&at).filter(|call| !call.has_arguments).map(|call| call.index) {
            let function = FunctionDelta { name: None, arguments: "{}".to_owned() };
            self.say_call(CallDelta { index, id: None, kind: None, function }, events);
        }
    }

    fn stop(&mut self, stop_reason: String, events: &mut BytesMut) {
        let (reason, native_finish_reason) = finish_reason(stop_reason);
        let choice = Choice { finish_reason: Some(reason), native_finish_reason, ..Choice::default() };
        self.chunk(vec![choice], None, None, events);
        self.stage = Stage::Stopped;
    }

    fn say_call(&self, call: CallDelta, events: &mut BytesMut) {
        self.say(Words { tool_calls: vec![call], ..Words::default() }, events);
    }

    fn say(&self, delta: Words, events: &mut BytesMut) {
        self.chunk(vec![Choice { delta, ..Choice::default() }], None, None, events);
    }

    fn chunk(&self, choices: Vec<Choice>, usage: Option<Usage>, service_tier: Option<String>, events: &mut BytesMut) {
        let About { created, model, .. } = &self.about;
        let chunk = Chunk {
            id: self.about.id(),
            object: "chat.completion.chunk",
            created: *created,
            model,
            choices,
            usage,
            service_tier,
        };
        // Texts and numbers always can be written.
        event(&serde_json::to_vec(&chunk).unwrap_or_default(), events);
    }

    fn finish(&mut self, events: &mut BytesMut) {
        events.extend_from_slice(DONE);
        self.stage = Stage::Over;
    }

    fn fail(&mut self, body: Vec<u8>, events: &mut BytesMut) {
        event(&body, events);
        self.stage = Stage::Over;
    }
}

fn event(data: &[u8], events: &mut BytesMut) {
    events.extend_from_slice(b"data: ");
    events.extend_from_slice(data);
    events.extend_from_slice(b"\n\n");
}
