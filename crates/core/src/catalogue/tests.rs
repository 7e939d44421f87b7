//! The shipped catalogue, and lists of prices that others keep.

use super::*;
use crate::price::{Class, PicoUsd, ServiceTier, TokenUsage, Usage};

#[test]
fn the_shipped_catalogue_is_whole_and_exact() {
    let catalogue = Catalogue::built_in().unwrap();
    let providers = [
        "openai",
        "anthropic",
        "gemini",
        "mistral",
        "groq",
        "deepseek",
        "xai",
        "cohere",
        "azure",
        "bedrock",
        "vertex",
        "together",
        "fireworks",
        "perplexity",
        "cerebras",
        "moonshotai",
        "demo",
    ];
    for provider in providers {
        assert!(catalogue.models.contains_key(provider), "{provider} is missing");
        assert!(catalogue.sources.contains_key(provider), "nobody says where the prices of {provider} are from");
    }
    for (provider, model, card) in catalogue.cards() {
        let rates = card.price.base.rates();
        assert_ne!(card.context_tokens, Some(0));
        assert_ne!(card.max_output_tokens, Some(0));
        assert!(rates.cached_input <= rates.input, "{provider}/{model}: a cache hit dearer than a miss");
    }
    let usage = TokenUsage { input: 1_000_000, cached_input: 1_000_000, output: 1_000_000, ..TokenUsage::default() };
    let mini = catalogue.find("openai", "gpt-4o-mini").unwrap();
    assert_eq!(mini.price.cost(&usage.into()).to_string(), "0.825");
}

#[test]
fn what_is_written_is_read_again() {
    let catalogue = Catalogue::built_in().unwrap();
    let again = Catalogue::from_json(&catalogue.to_json().unwrap()).unwrap();
    assert_eq!(catalogue.difference(&again), CatalogueDifference::default());
    assert_eq!(catalogue.version(), again.version());
}

#[test]
fn a_long_input_has_its_own_rates_for_the_whole_request() {
    let catalogue = Catalogue::built_in().unwrap();
    let pro = &catalogue.find("gemini", "gemini-2.5-pro").unwrap().price;
    let at = |input| pro.cost(&TokenUsage { input, output: 1_000, ..TokenUsage::default() }.into()).to_string();
    assert_eq!(at(200_000), "0.26");
    assert_eq!(at(200_001), "0.5150025");
}

#[test]
fn a_model_that_stands_twice_is_an_error() {
    let row = r#"{"provider":"p","model":"m","input":1,"output":1}"#;
    let text = format!(r#"{{"version":"v","about":"","sources":{{}},"models":[{row},{row}]}}"#);
    assert!(matches!(Catalogue::from_json(&text), Err(InvalidCatalogue::Duplicate { .. })));
    let odd = text.replace(&format!("{row},"), "").replace("\"input\"", "\"inputs\"");
    assert!(Catalogue::from_json(&odd).is_err(), "a price that nobody knows is no price that is lost");
}

fn read(text: &str) -> ImportedCatalogue {
    let provenance = Provenance {
        format: CatalogueFormat::of(text).unwrap(),
        sha256: "0123456789abcdef".to_owned(),
        effective: "2026-11-26T12:00:00Z".parse().unwrap(),
    };
    ImportedCatalogue::read(text, &provenance).unwrap()
}

const LITELLM: &str = r#"{
    "sample_spec": {"litellm_provider": "one of …", "input_cost_per_token": 0, "output_cost_per_token": 0},
    "gpt-5.4": {
        "litellm_provider": "openai", "mode": "chat", "max_input_tokens": 1050000, "max_output_tokens": 128000, "max_tokens": 128000,
        "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1.5e-05, "cache_read_input_token_cost": 2.5e-07,
        "input_cost_per_token_above_272k_tokens": 5e-06, "output_cost_per_token_above_272k_tokens": 2.25e-05,
        "input_cost_per_token_priority": 5e-06, "output_cost_per_token_priority": 3e-05,
        "input_cost_per_token_flex": 1.25e-06, "input_cost_per_token_batches": 1.25e-06,
        "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_medium": 0.0125}
    },
    "anthropic/claude-x": {
        "litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
        "cache_creation_input_token_cost": 3.75e-06, "cache_creation_input_token_cost_above_1hr": 6e-06
    },
    "groq/whisper-large-v3": {"litellm_provider": "groq", "mode": "audio_transcription", "input_cost_per_second": 3.083e-05},
    "text-embedding-3-small": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 2e-08, "max_input_tokens": 8191},
    "vertex_ai/gemini-x": {
        "litellm_provider": "vertex_ai-language-models", "mode": "chat",
        "input_cost_per_token": 3e-07, "output_cost_per_token": 2.5e-06, "input_cost_per_audio_token": 1e-06
    },
    "nowhere/x": {"litellm_provider": "nowhere", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
    "openai/odd": {"litellm_provider": "openai", "input_cost_per_token": 1e-13, "output_cost_per_token": 1e-06}
}"#;

#[test]
fn litellms_list_is_read_exactly() {
    let ImportedCatalogue { catalogue, skipped } = read(LITELLM);
    assert_eq!(catalogue.version(), "litellm 2026-11-26 0123456789ab");
    let card = |provider: &str, model: &str| catalogue.find(provider, model).unwrap().clone();
    let gpt = card("openai", "gpt-5.4");
    assert_eq!((gpt.context_tokens, gpt.max_output_tokens), (Some(1_050_000), Some(128_000)));
    let rate = |class: Class, tier, input| {
        let counts = TokenUsage { input, ..TokenUsage::default() };
        gpt.price.rates_for(&Usage { tier, ..counts.into() }).get(class).picos()
    };
    let standard = ServiceTier::Standard;
    assert_eq!(rate(Class::Input, standard, 1), 2_500_000);
    assert_eq!(rate(Class::Output, standard, 272_001), 22_500_000);
    assert_eq!(rate(Class::Output, ServiceTier::Priority, 1), 30_000_000);
    assert_eq!(rate(Class::Input, ServiceTier::Flex, 1), 1_250_000);
    assert_eq!(rate(Class::Output, ServiceTier::Batch, 1), 15_000_000, "nobody says that it is less");
    assert_eq!(rate(Class::Searches, standard, 1), 12_500_000_000);
    assert_eq!(card("anthropic", "claude-x").price.base.cache_write_1h, Some(PicoUsd::from_picos(6_000_000)));
    assert_eq!(card("groq", "whisper-large-v3").price.base.seconds, Some(PicoUsd::from_picos(30_830_000)));
    assert_eq!(card("openai", "text-embedding-3-small").price.base.output, Some(PicoUsd::default()));
    assert_eq!(card("vertex", "gemini-x").price.base.audio_input, Some(PicoUsd::from_picos(1_000_000)));
    let names: Vec<&str> = skipped.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["nowhere/x", "openai/odd"]);
    assert!(skipped[1].1.contains("finer than a pico-dollar"), "{}", skipped[1].1);
}

#[test]
fn models_devs_list_is_read_exactly() {
    let text = r#"{
        "google": {"id": "google", "models": {"gemini-x": {
            "id": "gemini-x", "limit": {"context": 1048576, "output": 65536},
            "cost": {"input": 1.25, "output": 10, "cache_read": 0.31, "input_audio": 2, "context_over_200k": {"input": 2.5, "output": 15}}
        }}},
        "openai": {"id": "openai", "models": {"free": {"id": "free"}}}
    }"#;
    let ImportedCatalogue { catalogue, skipped } = read(text);
    let card = catalogue.find("gemini", "gemini-x").unwrap();
    let cost =
        |input| card.price.cost(&TokenUsage { input, output: 1_000, ..TokenUsage::default() }.into()).to_string();
    assert_eq!((cost(200_000), cost(200_001)), ("0.26".to_owned(), "0.5150025".to_owned()));
    assert_eq!(card.price.base.audio_input, Some(PicoUsd::from_picos(2_000_000)));
    assert_eq!((card.context_tokens, card.max_output_tokens), (Some(1_048_576), Some(65_536)));
    assert_eq!(skipped, [("openai/free".to_owned(), "it has no price".to_owned())]);
}

#[test]
fn a_difference_names_what_was_and_what_is() {
    let catalogue = |rows: &str| {
        Catalogue::from_json(&format!(r#"{{"version":"v","about":"","sources":{{}},"models":[{rows}]}}"#)).unwrap()
    };
    let old = catalogue(
        r#"{"provider":"p","model":"a","input":1,"output":2,"context_tokens":8},{"provider":"p","model":"b","input":1,"output":1}"#,
    );
    let new = catalogue(
        r#"{"provider":"p","model":"a","input":1,"output":2.5,"variants":[{"tier":"flex","input":0.5}]},{"provider":"p","model":"c","input":1,"output":1}"#,
    );
    let CatalogueDifference { added, removed, changed } = old.difference(&new);
    assert_eq!(added, [("p".to_owned(), "c".to_owned())]);
    assert_eq!(removed, [("p".to_owned(), "b".to_owned())]);
    let changes: Vec<String> = changed[0].changes.iter().map(ToString::to_string).collect();
    assert_eq!(changes, ["output: 2 -> 2.5", "input flex: none -> 0.5", "context_tokens: 8 -> none"]);
}

#[test]
fn what_is_no_list_of_prices_is_refused() {
    assert!(matches!(CatalogueFormat::of("[]"), Err(InvalidSource::Malformed(_))));
    assert!(matches!(CatalogueFormat::of(r#"{"a":{"b":1}}"#), Err(InvalidSource::Unknown)));
    let provenance = |format| Provenance { format, sha256: String::new(), effective: jiff::Timestamp::UNIX_EPOCH };
    let empty = ImportedCatalogue::read(r#"{"p":{"models":{}}}"#, &provenance(CatalogueFormat::ModelsDev));
    assert!(matches!(empty, Err(InvalidSource::Empty)));
}
