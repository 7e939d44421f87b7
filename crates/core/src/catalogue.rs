//! The price catalogue: what models cost and how much they take and give.

use std::collections::HashMap;

use serde::Deserialize;

use crate::price::{LongContext, LongContexts, PicoUsd, Price, Rates};

/// The catalogue that Keyward ships with.
const BUILT_IN: &str = include_str!("../data/prices.json");

/// What is known of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelCard {
    /// What it costs.
    pub price: Price,
    /// The most tokens that its input and output have together.
    pub context_tokens: Option<u64>,
    /// The most tokens that one answer has.
    pub max_output_tokens: Option<u64>,
}

/// What is known of every model, by provider and model name.
#[derive(Debug, Clone)]
pub struct Catalogue {
    version: String,
    models: HashMap<String, HashMap<String, ModelCard>>,
}

/// The catalogue's text is not a catalogue.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCatalogue {
    /// Not the expected JSON.
    #[error("the price catalogue cannot be read")]
    Malformed(#[from] serde_json::Error),
    /// The same model stands in it twice.
    #[error("the price catalogue has {provider}/{model} twice")]
    Duplicate {
        /// The provider.
        provider: String,
        /// The model.
        model: String,
    },
}

impl Catalogue {
    /// Reads the catalogue that Keyward ships with.
    ///
    /// # Errors
    /// None in a build whose tests passed.
    pub fn built_in() -> Result<Self, InvalidCatalogue> {
        Self::from_json(BUILT_IN)
    }

    /// Reads a catalogue from its JSON text.
    ///
    /// # Errors
    /// When the text is not a catalogue.
    pub fn from_json(text: &str) -> Result<Self, InvalidCatalogue> {
        let file: File = serde_json::from_str(text)?;
        let mut models: HashMap<String, HashMap<String, ModelCard>> = HashMap::new();
        for row in file.models {
            let card = row.card();
            let provider = models.entry(row.provider.clone()).or_default();
            if provider.insert(row.model.clone(), card).is_some() {
                return Err(InvalidCatalogue::Duplicate { provider: row.provider, model: row.model });
            }
        }
        Ok(Self { version: file.version, models })
    }

    /// The date of the figures.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The models of a provider.
    pub fn models(&self, provider: &str) -> impl Iterator<Item = &str> {
        self.models.get(provider).into_iter().flat_map(HashMap::keys).map(String::as_str)
    }

    /// What is known of a model.
    #[must_use]
    pub fn find(&self, provider: &str, model: &str) -> Option<ModelCard> {
        self.models.get(provider)?.get(model).copied()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    #[serde(rename = "about")]
    _about: String,
    #[serde(rename = "sources")]
    _sources: HashMap<String, String>,
    models: Vec<Row>,
}

/// One model. Prices are US dollars per million tokens; an absent cache price is the input price.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    provider: String,
    model: String,
    input: PicoUsd,
    output: PicoUsd,
    cached_input: Option<PicoUsd>,
    cache_write: Option<PicoUsd>,
    long_context: Option<LongContextRow>,
    context_tokens: Option<u64>,
    max_output_tokens: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongContextRow {
    above_input_tokens: u64,
    input: PicoUsd,
    output: PicoUsd,
    cached_input: Option<PicoUsd>,
    cache_write: Option<PicoUsd>,
}

impl Row {
    fn card(&self) -> ModelCard {
        let own = self.long_context.iter().map(|long| LongContext {
            above_input_tokens: long.above_input_tokens,
            rates: rates(long.input, long.output, long.cached_input, long.cache_write),
        });
        let long_contexts = own.fold(LongContexts::NONE, LongContexts::with);
        ModelCard {
            price: Price { base: rates(self.input, self.output, self.cached_input, self.cache_write), long_contexts },
            context_tokens: self.context_tokens,
            max_output_tokens: self.max_output_tokens,
        }
    }
}

fn rates(input: PicoUsd, output: PicoUsd, cached_input: Option<PicoUsd>, cache_write: Option<PicoUsd>) -> Rates {
    Rates { input, output, cached_input: cached_input.unwrap_or(input), cache_write: cache_write.unwrap_or(input) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::TokenUsage;

    #[test]
    fn the_shipped_catalogue_is_whole_and_exact() {
        let catalogue = Catalogue::built_in().unwrap();
        for provider in ["openai", "anthropic", "gemini", "mistral", "groq", "deepseek", "xai", "cohere", "demo"] {
            assert!(catalogue.models.contains_key(provider), "{provider} is missing");
        }
        for card in catalogue.models.values().flat_map(HashMap::values) {
            assert_ne!(card.context_tokens, Some(0));
            assert_ne!(card.max_output_tokens, Some(0));
            assert!(card.price.base.cached_input <= card.price.base.input, "a cache hit dearer than a miss");
        }
        let usage = TokenUsage { input: 1_000_000, cached_input: 1_000_000, cache_write: 0, output: 1_000_000 };
        let mini = catalogue.find("openai", "gpt-4o-mini").unwrap();
        assert_eq!(mini.price.cost(&usage).to_string(), "0.825");
    }

    #[test]
    fn a_long_input_has_its_own_rates_for_the_whole_request() {
        let pro = Catalogue::built_in().unwrap().find("gemini", "gemini-2.5-pro").unwrap().price;
        let at = |input| pro.cost(&TokenUsage { input, output: 1_000, ..TokenUsage::default() }).to_string();
        assert_eq!(at(200_000), "0.26");
        assert_eq!(at(200_001), "0.5150025");
    }

    #[test]
    fn a_model_that_stands_twice_is_an_error() {
        let row = r#"{"provider":"p","model":"m","input":1,"output":1}"#;
        let text = format!(r#"{{"version":"v","about":"","sources":{{}},"models":[{row},{row}]}}"#);
        assert!(matches!(Catalogue::from_json(&text), Err(InvalidCatalogue::Duplicate { .. })));
    }
}
