//! LiteLLM's list: a map by model, with US dollars per token under the names that pricing overrides use too.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{Catalogue, ImportedCatalogue, ModelCard};
use crate::money::{InvalidAmount, parse_scaled};
use crate::price::{Class, PicoUsd, Price, PriceSheet, ServiceTier, Variant};
use crate::pricing_override::Place;

/// Decimal places of a pico-dollar.
const PICO_SCALE: u32 = 12;

/// Reads the whole list.
pub(super) fn read(text: &str, version: String) -> Result<ImportedCatalogue, serde_json::Error> {
    let models: BTreeMap<String, BTreeMap<String, Box<RawValue>>> = serde_json::from_str(text)?;
    let about = "Imported from LiteLLM's list of prices.".to_owned();
    let mut read = ImportedCatalogue { catalogue: Catalogue::empty(version, about), skipped: Vec::new() };
    // An example of the format, not a model.
    for (name, members) in models.iter().filter(|(name, _)| *name != "sample_spec") {
        match model(name, members) {
            Ok((provider, model, card)) => {
                if !read.catalogue.insert(provider, model, card) {
                    read.skipped.push((name.clone(), format!("{provider}/{model} is there already")));
                }
            }
            Err(reason) => read.skipped.push((name.clone(), reason)),
        }
    }
    Ok(read)
}

fn model<'a>(
    name: &'a str,
    members: &BTreeMap<String, Box<RawValue>>,
) -> Result<(&'static str, &'a str, ModelCard), String> {
    let theirs = text(members, "litellm_provider").unwrap_or_default();
    let provider = provider(&theirs).ok_or_else(|| format!("provider '{theirs}' is not known"))?;
    // What stands before the model when it names the provider once more is no part of its name.
    let model = match name.split_once('/') {
        Some((before, rest)) if self::provider(before) == Some(provider) => rest,
        Some(_) | None => name,
    };
    let price = price(members)?;
    let count = |name: &str| members.get(name).and_then(|value| serde_json::from_str::<u64>(value.get()).ok());
    let max_output_tokens = count("max_output_tokens").filter(|count| *count > 0);
    // Beside a largest output, `max_tokens` is that once more.
    let either = || count("max_tokens").filter(|_| max_output_tokens.is_none());
    let context_tokens = count("max_input_tokens").or_else(either).filter(|count| *count > 0);
    let card = ModelCard { price, context_tokens, max_output_tokens };
    Ok((provider, model, card))
}

fn price(members: &BTreeMap<String, Box<RawValue>>) -> Result<Price, String> {
    let mut price = Price::default();
    for (name, literal) in members {
        let Some(place) = Place::of(name).filter(|_| literal.get() != "null") else { continue };
        price = with(price, place, picos(name, literal.get())?);
    }
    if let Some(fee) = search_fee(members)? {
        let place = Place { class: Class::Searches, tier: ServiceTier::Standard, above_input_tokens: 0 };
        price = with(price, place, fee);
    }
    let PriceSheet { input, output, images, seconds, characters, .. } = price.base;
    let has_units = [images, seconds, characters].into_iter().any(|unit| unit.is_some());
    match (input, output, text(members, "mode").as_deref()) {
        (Some(_), Some(_), _) => Ok(price),
        // There is no output.
        (Some(_), None, Some("embedding" | "moderation")) => Ok(with_free_output(price)),
        _ if has_units => Ok(price),
        _ => Err("it has no price that is known here".to_owned()),
    }
}

fn with(price: Price, place: Place, picos: PicoUsd) -> Price {
    let Place { class, tier, above_input_tokens } = place;
    let mut sheet = PriceSheet::default();
    *sheet.get_mut(class) = Some(picos);
    price.with(Variant { tier, above_input_tokens, sheet })
}

fn with_free_output(price: Price) -> Price {
    let place = Place { class: Class::Output, tier: ServiceTier::Standard, above_input_tokens: 0 };
    with(price, place, PicoUsd::default())
}

/// What a search costs: by how much it reads, of which the dearest is taken, as answers do not tell.
fn search_fee(members: &BTreeMap<String, Box<RawValue>>) -> Result<Option<PicoUsd>, String> {
    let Some(fees) = members.get("search_context_cost_per_query") else { return Ok(None) };
    let fees: BTreeMap<String, Box<RawValue>> = serde_json::from_str(fees.get()).map_err(|error| error.to_string())?;
    let fees = fees.iter().map(|(name, literal)| picos(name, literal.get())).collect::<Result<Vec<_>, _>>()?;
    Ok(fees.into_iter().max())
}

fn picos(name: &str, literal: &str) -> Result<PicoUsd, String> {
    match parse_scaled(literal, PICO_SCALE) {
        Ok(negative) if negative < 0 => Err(format!("{name} is negative")),
        Ok(picos) => Ok(PicoUsd::from_picos(picos)),
        Err(InvalidAmount::TooFine(text)) => Err(format!("{name} is finer than a pico-dollar: {text}")),
        Err(invalid @ (InvalidAmount::NotDecimal(_) | InvalidAmount::OutOfRange(_))) => {
            Err(format!("{name}: {invalid}"))
        }
    }
}

fn text(members: &BTreeMap<String, Box<RawValue>>, name: &str) -> Option<String> {
    serde_json::from_str(members.get(name)?.get()).ok()
}

/// Our name of a provider of theirs.
fn provider(theirs: &str) -> Option<&'static str> {
    Some(match theirs {
        "openai" | "text-completion-openai" => "openai",
        "anthropic" => "anthropic",
        "gemini" => "gemini",
        "azure" | "azure_text" | "azure_ai" => "azure",
        "bedrock" | "bedrock_converse" => "bedrock",
        other if other.starts_with("vertex_ai") => "vertex",
        "mistral" | "codestral" => "mistral",
        "groq" => "groq",
        "deepseek" => "deepseek",
        "xai" => "xai",
        "cohere" | "cohere_chat" => "cohere",
        "openrouter" => "openrouter",
        "perplexity" => "perplexity",
        "together_ai" => "together",
        "fireworks_ai" | "fireworks_ai-embedding-models" => "fireworks",
        "cerebras" => "cerebras",
        "moonshot" => "moonshotai",
        "ollama" => "ollama",
        _ => return None,
    })
}
