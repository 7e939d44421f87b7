//! Where a catalogue comes from: lists of prices that others keep, read exactly, and never put in force silently.

use std::fmt;

use jiff::Timestamp;

use super::{Catalogue, litellm, models_dev};

/// A format that lists of prices are published in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogueFormat {
    /// LiteLLM's `model_prices_and_context_window.json`: US dollars per token.
    LiteLlm,
    /// The `api.json` of models.dev: US dollars per million tokens.
    ModelsDev,
    /// Keyward's own.
    Keyward,
}

impl CatalogueFormat {
    /// The format's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LiteLlm => "litellm",
            Self::ModelsDev => "models.dev",
            Self::Keyward => "keyward",
        }
    }
}

impl fmt::Display for CatalogueFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which list of prices was read, and when it comes into force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// In which format it was.
    pub format: CatalogueFormat,
    /// The SHA-256 of the list as it was read, in hexadecimal digits.
    pub sha256: String,
    /// When it was imported; from then on it is in force.
    pub effective: Timestamp,
}

impl Provenance {
    /// The name of the catalogue in the books: who changes a price changes this.
    #[must_use]
    pub fn version(&self) -> String {
        let Self { format, sha256, effective } = self;
        let date = effective.to_string();
        let (day, _) = date.split_once('T').unwrap_or((date.as_str(), ""));
        format!("{format} {day} {}", sha256.get(..12).unwrap_or(sha256))
    }
}

/// A list of prices that was read.
#[derive(Debug, Clone)]
pub struct ImportedCatalogue {
    /// What it says.
    pub catalogue: Catalogue,
    /// Models that were left out, each with the reason.
    pub skipped: Vec<(String, String)>,
}

/// A text is no list of prices.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSource {
    /// Not JSON, or not of the format.
    #[error("the list of prices cannot be read")]
    Malformed(#[from] serde_json::Error),
    /// JSON of no known format.
    #[error("this is neither LiteLLM's list of prices, nor models.dev's, nor a catalogue of Keyward's")]
    Unknown,
    /// Keyward's own format, with something wrong in it.
    #[error(transparent)]
    Catalogue(#[from] super::InvalidCatalogue),
    /// Not one model in it has a price.
    #[error("the list of prices has no model with a price")]
    Empty,
}

impl CatalogueFormat {
    /// The format that a text is in.
    ///
    /// # Errors
    /// JSON of no known format, and what is no JSON.
    pub fn of(text: &str) -> Result<Self, InvalidSource> {
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text)?;
        let has = |name: &str| members.values().any(|value| value.get(name).is_some());
        if members.get("models").is_some_and(serde_json::Value::is_array) {
            return Ok(Self::Keyward);
        }
        match (has("litellm_provider"), has("models")) {
            (true, _) => Ok(Self::LiteLlm),
            (false, true) => Ok(Self::ModelsDev),
            (false, false) => Err(InvalidSource::Unknown),
        }
    }
}

impl ImportedCatalogue {
    /// Reads a list of prices.
    ///
    /// # Errors
    /// A text that is no such list, or that prices nothing.
    pub fn read(text: &str, provenance: &Provenance) -> Result<Self, InvalidSource> {
        let version = provenance.version();
        let imported = match provenance.format {
            CatalogueFormat::LiteLlm => litellm::read(text, version)?,
            CatalogueFormat::ModelsDev => models_dev::read(text, version)?,
            CatalogueFormat::Keyward => {
                let catalogue = Catalogue { version, ..Catalogue::from_json(text)? };
                Self { catalogue, skipped: Vec::new() }
            }
        };
        if imported.catalogue.cards().is_empty() { Err(InvalidSource::Empty) } else { Ok(imported) }
    }
}
