//! Tools: what they are, which of them may be called, and calls of them.

use keyward_core::invalid::{Invalid, Pointer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::content::CacheControl;
use super::converse::{Block, CachePoint, Turn};
use super::untranslatable;

/// A tool that a request offers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tool {
    #[serde(rename = "type")]
    kind: String,
    function: Option<Function>,
    cache_control: Option<CacheControl>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Function {
    name: String,
    description: Option<String>,
    parameters: Option<Box<RawValue>>,
    strict: Option<bool>,
}

/// A call of a tool, in an assistant's message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolCall {
    id: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    function: Option<Call>,
    #[serde(default, rename = "index")]
    _index: serde::de::IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    name: String,
    arguments: String,
}

/// The tools of a request of Converse.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolConfig {
    tools: Vec<Offer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Offer {
    #[serde(rename_all = "camelCase")]
    ToolSpec {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        input_schema: Schema,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
    CachePoint(CachePoint),
}

#[derive(Serialize)]
struct Schema {
    json: Box<RawValue>,
}

/// Which tool is called.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Choice {
    Auto {},
    Any {},
    Tool { name: String },
}

/// What may be said of a choice.
#[derive(Deserialize)]
#[serde(untagged)]
enum Chosen {
    Mode(String),
    Named { function: Named },
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// The tools and the choice among them; none when there are none, or none is to be called.
pub(super) fn config(
    tools: Option<Vec<Tool>>,
    choice: Option<&RawValue>,
    turns: &[Turn],
) -> Result<Option<ToolConfig>, Invalid> {
    let at = Pointer::from("tool_choice");
    let tools = tools.unwrap_or_default();
    let chosen = choice.filter(|raw| raw.get() != "null").map(|raw| serde_json::from_str::<Chosen>(raw.get()));
    let tool_choice = match chosen.transpose() {
        Ok(None) => None,
        Ok(Some(Chosen::Mode(mode))) if mode == "auto" => Some(Choice::Auto {}),
        Ok(Some(Chosen::Mode(mode))) if mode == "required" => Some(Choice::Any {}),
        Ok(Some(Chosen::Mode(mode))) if mode == "none" => return without_calls(&tools, turns),
        Ok(Some(Chosen::Named { function })) => Some(Choice::Tool { name: function.name }),
        Ok(Some(Chosen::Mode(_))) | Err(_) => {
            return Err(untranslatable(
                at,
                "Bedrock's Converse knows the choices auto, required, none and one function",
            ));
        }
    };
    match (tools.is_empty(), &tool_choice) {
        (true, Some(Choice::Any {} | Choice::Tool { .. })) => Err(Invalid::at(at, "there are no tools to choose from")),
        (true, Some(Choice::Auto {}) | None) => Ok(None),
        (false, Some(Choice::Auto {} | Choice::Any {} | Choice::Tool { .. }) | None) => {
            Ok(Some(ToolConfig { tools: offers(tools)?, tool_choice }))
        }
    }
}

/// No tool may be called: none is offered. Where calls have been made, Converse insists on the tools.
fn without_calls(tools: &[Tool], turns: &[Turn]) -> Result<Option<ToolConfig>, Invalid> {
    let is_call = |block: &Block| matches!(block, Block::ToolUse { .. } | Block::ToolResult { .. });
    let has_called = turns.iter().any(|turn| turn.content.iter().any(is_call));
    match has_called && !tools.is_empty() {
        true => {
            let message = "Bedrock's Converse cannot forbid calls in a conversation that has calls in it";
            Err(untranslatable("tool_choice".into(), message))
        }
        false => Ok(None),
    }
}

fn offers(tools: Vec<Tool>) -> Result<Vec<Offer>, Invalid> {
    let mut offers = Vec::with_capacity(tools.len());
    for (index, tool) in tools.into_iter().enumerate() {
        let at = Pointer::from("tools").element(index);
        let point = tool.cache_control.as_ref().map(CacheControl::point);
        offers.push(offer(tool, &at)?);
        offers.extend(point.map(Offer::CachePoint));
    }
    Ok(offers)
}

fn offer(tool: Tool, at: &Pointer) -> Result<Offer, Invalid> {
    if tool.kind != "function" {
        let message = format!("Bedrock's Converse has no tools of type '{}'", tool.kind);
        return Err(untranslatable(at.member("type"), message));
    }
    let Function { name, description, parameters, strict } =
        tool.function.ok_or_else(|| Invalid::at(at.member("function"), "function is required"))?;
    let at = at.member("function").member("parameters");
    let json = match parameters.filter(|parameters| parameters.get() != "null") {
        Some(parameters) => object(parameters).ok_or_else(|| Invalid::at(at, "parameters must be an object"))?,
        None => raw(r#"{"type":"object","properties":{}}"#).ok_or_else(|| Invalid::at(at, "parameters is required"))?,
    };
    Ok(Offer::ToolSpec {
        name,
        description: description.filter(|text| !text.is_empty()),
        input_schema: Schema { json },
        strict: strict.filter(|strict| *strict),
    })
}

/// A call that was made.
pub(super) fn tool_use(call: ToolCall, at: &Pointer) -> Result<Block, Invalid> {
    let (Some(function), None | Some("function")) = (call.function, call.kind.as_deref()) else {
        return Err(untranslatable(at.member("type"), "Bedrock's Converse has calls of functions only"));
    };
    let text = if function.arguments.trim().is_empty() { "{}" } else { &function.arguments };
    match raw(text).and_then(object) {
        Some(input) => Ok(Block::ToolUse { tool_use_id: call.id, name: function.name, input }),
        None => {
            let at = at.member("function").member("arguments");
            Err(untranslatable(at, "Bedrock takes arguments that are a JSON object"))
        }
    }
}

fn raw(text: &str) -> Option<Box<RawValue>> {
    serde_json::from_str(text).ok()
}

fn object(raw: Box<RawValue>) -> Option<Box<RawValue>> {
    raw.get().starts_with('{').then_some(raw)
}
