//! The list of models.dev: a map by provider, each with its models, and US dollars per million tokens.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::row;
use super::{Catalogue, ImportedCatalogue, ModelCard};
use crate::price::{Class, Price, PriceSheet, ServiceTier, Variant};

#[derive(Deserialize)]
struct Provider {
    #[serde(default)]
    models: BTreeMap<String, Model>,
}

#[derive(Deserialize)]
struct Model {
    #[serde(default)]
    cost: Option<BTreeMap<String, Box<RawValue>>>,
    #[serde(default)]
    limit: Option<Limit>,
}

#[derive(Deserialize, Default)]
struct Limit {
    #[serde(default)]
    context: Option<u64>,
    #[serde(default)]
    output: Option<u64>,
}

/// What its names of costs are prices of.
const CLASSES: [(&str, Class); 7] = [
    ("input", Class::Input),
    ("output", Class::Output),
    ("cache_read", Class::CachedInput),
    ("cache_write", Class::CacheWrite),
    ("reasoning", Class::Reasoning),
    ("input_audio", Class::AudioInput),
    ("output_audio", Class::AudioOutput),
];

/// Reads the whole list.
pub(super) fn read(text: &str, version: String) -> Result<ImportedCatalogue, serde_json::Error> {
    let providers: BTreeMap<String, Provider> = serde_json::from_str(text)?;
    let about = "Imported from the list of models.dev.".to_owned();
    let mut read = ImportedCatalogue { catalogue: Catalogue::empty(version, about), skipped: Vec::new() };
    for (theirs, Provider { models }) in providers {
        let ours = provider(&theirs);
        for (name, model) in models {
            match card(&model) {
                Ok(card) => drop(read.catalogue.insert(ours, &name, card)),
                Err(reason) => read.skipped.push((format!("{theirs}/{name}"), reason)),
            }
        }
    }
    Ok(read)
}

fn card(model: &Model) -> Result<ModelCard, String> {
    let cost = model.cost.as_ref().ok_or_else(|| "it has no price".to_owned())?;
    let sheet = sheet(cost)?;
    if sheet.input.is_none() || sheet.output.is_none() {
        return Err("it has no price of input or of output".to_owned());
    }
    let mut price = Price::flat(sheet);
    // Prices of inputs above a length stand in a member that is named after it.
    for (name, literal) in cost {
        let Some(thousands) = name.strip_prefix("context_over_").and_then(|rest| rest.strip_suffix('k')) else {
            continue;
        };
        let thousands: u64 = thousands.parse().map_err(|_| format!("{name} is not known"))?;
        let longer: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(literal.get()).map_err(|error| error.to_string())?;
        let above_input_tokens = thousands.saturating_mul(1_000);
        price = price.with(Variant { tier: ServiceTier::Standard, above_input_tokens, sheet: self::sheet(&longer)? });
    }
    let limit = model.limit.as_ref();
    Ok(ModelCard {
        price,
        context_tokens: limit.and_then(|limit| limit.context).filter(|count| *count > 0),
        max_output_tokens: limit.and_then(|limit| limit.output).filter(|count| *count > 0),
    })
}

fn sheet(cost: &BTreeMap<String, Box<RawValue>>) -> Result<PriceSheet, String> {
    let known = CLASSES.iter().filter_map(|(name, class)| Some((*class, cost.get(*name)?)));
    let prices = known.filter(|(_, literal)| literal.get() != "null");
    let prices = prices.map(|(class, literal)| Ok((class, Some(row::read(class, literal.get())?))));
    prices.collect::<Result<Vec<_>, String>>().map(|prices| prices.into_iter().collect())
}

/// Our name of a provider of theirs.
fn provider(theirs: &str) -> &str {
    match theirs {
        "google" => "gemini",
        "amazon-bedrock" => "bedrock",
        "google-vertex" | "google-vertex-anthropic" => "vertex",
        "togetherai" => "together",
        "fireworks-ai" => "fireworks",
        other => other,
    }
}
