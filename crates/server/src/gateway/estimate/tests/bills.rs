//! Requests whose tokens OpenAI has told: a count covers them, even without what is added to every count.

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;

/// The messages and the tool of OpenAI's cookbook, `How_to_count_tokens_with_tiktoken.ipynb`, which has the figures.
fn bills() -> [(Value, [(&'static str, u64); 2]); 2] {
    let message = |role: &str, content: &str| json!({"role": role, "content": content});
    let named = |name: &str, content: &str| json!({"role": "system", "name": name, "content": content});
    let talk = json!([
        message(
            "system",
            "You are a helpful, pattern-following assistant that translates corporate jargon into plain English."
        ),
        named("example_user", "New synergies will help drive top-line growth."),
        named("example_assistant", "Things working well together will increase revenue."),
        named(
            "example_user",
            "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage."
        ),
        named("example_assistant", "Let's talk later when we're less busy about how to do better."),
        message("user", "This late pivot means we don't have time to boil the ocean for the client deliverable."),
    ]);
    let weather = json!([
        message("system", "You are a helpful assistant that can answer to questions about the weather."),
        message("user", "What's the weather like in San Francisco?"),
    ]);
    let unit = json!({
        "type": "string", "description": "The unit of temperature to return", "enum": ["celsius", "fahrenheit"],
    });
    let location = json!({"type": "string", "description": "The city and state, e.g. San Francisco, CA"});
    let parameters = json!({
        "type": "object", "properties": {"location": location, "unit": unit}, "required": ["location"],
    });
    let function = json!({
        "name": "get_current_weather", "description": "Get the current weather in a given location", "parameters": parameters,
    });
    let tools = json!([{"type": "function", "function": function}]);
    [
        (json!({"model": "m", "messages": talk}), [("gpt-4", 129), ("gpt-4o", 124)]),
        (json!({"model": "m", "messages": weather, "tools": tools}), [("gpt-4", 105), ("gpt-4o", 101)]),
    ]
}

#[test]
fn a_count_covers_what_was_billed() {
    for (request, figures) in bills() {
        let body = Bytes::from(request.to_string());
        let scan = Scan::of(Operation::ChatCompletions, None, &body).unwrap();
        for (model, billed) in figures {
            let served = Served { provider: "openai", model, card: None };
            let counted = scan.counted_input(&body, &TOKENIZERS, &served).unwrap() - added(&scan);
            assert!((billed..2 * billed + 100).contains(&counted), "{model}: {counted} for {billed}");
        }
    }
}
