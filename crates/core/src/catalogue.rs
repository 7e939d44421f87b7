//! The price catalogue: what models cost and how much they take and give.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::{Deserialize, Serialize};

use crate::price::Price;

mod difference;
mod litellm;
mod models_dev;
mod row;
mod source;

pub use difference::{CatalogueDifference, Changed, PriceChange};
pub use source::{CatalogueFormat, ImportedCatalogue, InvalidSource, Provenance};

use row::Row;

/// The catalogue that Keyward ships with.
const BUILT_IN: &str = include_str!("../data/prices.json");

/// What is known of one model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    about: String,
    sources: HashMap<String, String>,
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
        let File { version, about, sources, models: rows } = serde_json::from_str(text)?;
        let mut catalogue = Self { version, about, sources, models: HashMap::new() };
        for Row { provider, model, card } in rows {
            if !catalogue.insert(&provider, &model, card) {
                return Err(InvalidCatalogue::Duplicate { provider, model });
            }
        }
        Ok(catalogue)
    }

    /// The catalogue as JSON text, as [`Catalogue::from_json`] reads it.
    ///
    /// # Errors
    /// None: it has nothing that JSON has not.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let rows = self.cards().into_iter().map(|(provider, model, card)| Row {
            provider: provider.to_owned(),
            model: model.to_owned(),
            card: card.clone(),
        });
        serde_json::to_string(&File {
            version: self.version.clone(),
            about: self.about.clone(),
            sources: self.sources.clone(),
            models: rows.collect(),
        })
    }

    /// An empty catalogue.
    fn empty(version: String, about: String) -> Self {
        Self { version, about, sources: HashMap::new(), models: HashMap::new() }
    }

    /// Adds a model; false when it is there already, and stays as it was.
    fn insert(&mut self, provider: &str, model: &str, card: ModelCard) -> bool {
        match self.models.entry(provider.to_owned()).or_default().entry(model.to_owned()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(card);
                true
            }
        }
    }

    /// Which figures these are: a date, or where they were imported from and when.
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
    pub fn find(&self, provider: &str, model: &str) -> Option<&ModelCard> {
        self.models.get(provider)?.get(model)
    }

    /// Every model, by provider and name.
    #[must_use]
    pub fn cards(&self) -> Vec<(&str, &str, &ModelCard)> {
        let of = |(provider, models)| {
            let (provider, models): (&String, &HashMap<String, ModelCard>) = (provider, models);
            models.iter().map(move |(model, card)| (provider.as_str(), model.as_str(), card))
        };
        let mut all: Vec<_> = self.models.iter().flat_map(of).collect();
        all.sort_by_key(|(provider, model, _)| (*provider, *model));
        all
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    about: String,
    sources: HashMap<String, String>,
    models: Vec<Row>,
}

#[cfg(test)]
mod tests;
