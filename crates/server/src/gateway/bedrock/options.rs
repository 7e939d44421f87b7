//! Everything of a request but its messages and tools.

use std::collections::BTreeMap;

use keyward_core::invalid::{Invalid, Pointer};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::converse::{InferenceConfig, OutputConfig, ServiceTier, Structure, TextFormat};
use super::question::{OneOrMany, Question};
use super::untranslatable;

/// The least that a thinking budget can be.
const LEAST_THINKING: u64 = 1_024;

/// Makes sure that members which cannot be translated ask for what is anyway.
pub(super) fn check_neutral(question: &Question) -> Result<(), Invalid> {
    let is_zero = |value: &Option<Value>| is_nothing_or(value, |value| value.as_f64() == Some(0.0));
    let is_just = |value: &Option<Value>, neutral: Value| is_nothing_or(value, |value| *value == neutral);
    let neutral = [
        ("n", is_just(&question.n, json!(1))),
        ("logprobs", is_just(&question.logprobs, json!(false))),
        ("frequency_penalty", is_zero(&question.frequency_penalty)),
        ("presence_penalty", is_zero(&question.presence_penalty)),
        ("parallel_tool_calls", is_just(&question.parallel_tool_calls, json!(true))),
        ("store", is_just(&question.store, json!(false))),
        ("modalities", is_just(&question.modalities, json!(["text"]))),
    ];
    match neutral.iter().find(|(_, is_neutral)| !is_neutral) {
        Some((name, _)) => {
            let message = format!("Bedrock's Converse has nothing like this value of {name}: leave it out");
            Err(untranslatable(Pointer::from(*name), message))
        }
        None => Ok(()),
    }
}

fn is_nothing_or(value: &Option<Value>, is_neutral: impl Fn(&Value) -> bool) -> bool {
    value.as_ref().is_none_or(is_neutral)
}

/// How the answer is sampled, and where it ends. Of two caps the smaller holds.
pub(super) fn inference(question: &mut Question) -> Option<InferenceConfig> {
    let caps = [question.max_tokens, question.max_completion_tokens];
    let config = InferenceConfig {
        max_tokens: caps.into_iter().flatten().min(),
        temperature: question.temperature.take(),
        top_p: question.top_p.take(),
        stop_sequences: match question.stop.take() {
            None => Vec::new(),
            Some(OneOrMany::One(stop)) => vec![stop],
            Some(OneOrMany::Many(stops)) => stops,
        },
    };
    (config != InferenceConfig::default()).then_some(config)
}

/// Whose model it is, as far as requests differ.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Maker {
    Anthropic,
    /// OpenAI's models with open weights.
    OpenAi,
    /// Amazon's second Nova.
    Nova,
    Other,
}

impl Maker {
    /// Model ids, and ids and ARNs of inference profiles, have the maker's name in them.
    fn of(model: &str) -> Self {
        let makers = [("anthropic.", Self::Anthropic), ("openai.gpt-oss", Self::OpenAi), ("amazon.nova-2", Self::Nova)];
        makers.into_iter().find(|(name, _)| model.contains(name)).map_or(Self::Other, |(_, maker)| maker)
    }
}

/// What only some models take, under the model's own names.
pub(super) fn of_model(question: &Question, model: &str, cap: Option<u64>) -> Result<Map<String, Value>, Invalid> {
    let maker = Maker::of(model);
    let mut fields = Map::new();
    let only_claude = |name: &str| untranslatable(name.into(), format!("on Bedrock only Claude takes {name}"));
    if let Some(top_k) = question.top_k {
        if maker != Maker::Anthropic {
            return Err(only_claude("top_k"));
        }
        fields.insert("top_k".to_owned(), top_k.into());
    }
    if let Some(thinking) = question.thinking.as_deref().filter(|raw| raw.get() != "null") {
        if maker != Maker::Anthropic {
            return Err(only_claude("thinking"));
        }
        let thinking: Value =
            serde_json::from_str(thinking.get()).map_err(|error| Invalid::at("thinking".into(), error.to_string()))?;
        fields.insert("thinking".to_owned(), thinking);
    }
    if let Some(effort) = question.reasoning_effort.as_deref().filter(|effort| *effort != "none") {
        if fields.contains_key("thinking") {
            return Err(Invalid::at("reasoning_effort".into(), "reasoning_effort and thinking are the same: send one"));
        }
        let (name, value) = reasoning(maker, effort, cap)?;
        fields.insert(name.to_owned(), value);
    }
    Ok(fields)
}

/// How a maker's models are told to think.
fn reasoning(maker: Maker, effort: &str, cap: Option<u64>) -> Result<(&'static str, Value), Invalid> {
    let at = || Pointer::from("reasoning_effort");
    let unknown = || untranslatable(at(), format!("the model does not know the effort '{effort}'"));
    let is_common = matches!(effort, "low" | "medium" | "high");
    match maker {
        Maker::Anthropic => {
            let budget: u64 = match effort {
                "minimal" | "low" => LEAST_THINKING,
                "medium" => 4_096,
                "high" => 16_384,
                "xhigh" => 32_768,
                _ => return Err(unknown()),
            };
            // Thinking is part of the output: at least half of the cap is left for the answer.
            let budget = cap.map_or(budget, |cap| budget.min(cap / 2));
            if budget < LEAST_THINKING {
                let message = format!("thinking needs an output cap of at least {} tokens", 2 * LEAST_THINKING);
                return Err(untranslatable(at(), message));
            }
            Ok(("thinking", json!({"type": "enabled", "budget_tokens": budget})))
        }
        Maker::OpenAi if is_common => Ok(("reasoning_effort", effort.into())),
        Maker::Nova if is_common => Ok(("reasoningConfig", json!({"type": "enabled", "maxReasoningEffort": effort}))),
        Maker::OpenAi | Maker::Nova => Err(unknown()),
        Maker::Other => Err(untranslatable(at(), "the model is not known to take a reasoning effort")),
    }
}

/// What `response_format` may say.
#[derive(Deserialize)]
struct ResponseFormat {
    #[serde(rename = "type")]
    kind: String,
    json_schema: Option<JsonSchema>,
}

#[derive(Deserialize)]
struct JsonSchema {
    name: Option<String>,
    description: Option<String>,
    /// As it was written: the order of its members is the order in which models write.
    schema: Option<Box<RawValue>>,
}

/// The form of the answer; none: any.
pub(super) fn output(format: Option<&RawValue>) -> Result<Option<OutputConfig>, Invalid> {
    let at = Pointer::from("response_format");
    let Some(raw) = format.filter(|raw| raw.get() != "null") else { return Ok(None) };
    let ResponseFormat { kind, json_schema } =
        serde_json::from_str(raw.get()).map_err(|error| Invalid::at(at.clone(), error.to_string()))?;
    match (kind.as_str(), json_schema) {
        ("text", _) => Ok(None),
        ("json_schema", Some(JsonSchema { name, description, schema: Some(schema) })) => {
            let structure = Structure::JsonSchema { schema: schema.get().to_owned(), name, description };
            Ok(Some(OutputConfig { text_format: TextFormat { kind: "json_schema", structure } }))
        }
        ("json_schema", _) => Err(Invalid::at(at.member("json_schema").member("schema"), "schema is required")),
        (_, _) => {
            let message = "Bedrock's Converse knows the formats text and json_schema";
            Err(untranslatable(at.member("type"), message))
        }
    }
}

/// What is to be written beside the request in the account's logs.
pub(super) fn request_metadata(question: &mut Question) -> Result<BTreeMap<String, String>, Invalid> {
    let mut metadata = question.metadata.take().unwrap_or_default();
    let named = [("user", question.user.take()), ("safety_identifier", question.safety_identifier.take())];
    for (name, value) in named.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        if metadata.insert(name.to_owned(), value).is_some() {
            let message = format!("on Bedrock {name} is one of the metadata, which have it already");
            return Err(untranslatable(name.into(), message));
        }
    }
    Ok(metadata)
}

/// How quickly the request is served; none: as usual.
pub(super) fn service_tier(tier: Option<&str>) -> Result<Option<ServiceTier>, Invalid> {
    match tier {
        None | Some("auto" | "default") => Ok(None),
        Some(tier @ ("flex" | "priority")) => Ok(Some(ServiceTier { kind: tier.to_owned() })),
        Some(other) => Err(untranslatable("service_tier".into(), format!("Bedrock has no service tier '{other}'"))),
    }
}
