//! Catalogues of prices.

use jiff::Timestamp;
use keyward_core::catalogue::Catalogue;
use keyward_core::change::Change;

use super::{Database, Store};
use crate::error::StoreError;

/// A catalogue that is to be put in force.
#[derive(Debug, Clone)]
pub struct NewCatalogue {
    /// Its name in the books.
    pub version: String,
    /// Where it is from: a format of lists, or `built_in`.
    pub source: String,
    /// The SHA-256 of the list as it was read; none for the one that Keyward ships with.
    pub sha256: Option<String>,
    /// What it says; none: whatever the running version ships with.
    pub catalogue: Option<Catalogue>,
}

/// A catalogue that was put in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCatalogue {
    /// Its name in the books.
    pub version: String,
    /// Where it is from.
    pub source: String,
    /// The SHA-256 of the list as it was read.
    pub sha256: Option<String>,
    /// Since when it is in force.
    pub effective_at: Timestamp,
}

impl Store {
    /// Puts a catalogue of prices in force, for servers that start from now on.
    ///
    /// # Errors
    /// Only faults; then nothing was changed.
    pub async fn prices_import(&self, change: Change, new: NewCatalogue) -> Result<(), StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::price_catalogue::put(c, &by, &new))
    }

    /// The catalogue that is in force; none: the one that Keyward ships with.
    ///
    /// # Errors
    /// One that cannot be read, and faults.
    pub async fn prices_in_force(&self) -> Result<Option<Catalogue>, StoreError> {
        reading!(self, |queries, c| queries::price_catalogue::in_force(c))
    }

    /// Every catalogue that was put in force, oldest first.
    ///
    /// # Errors
    /// Only faults.
    pub async fn prices_list(&self) -> Result<Vec<StoredCatalogue>, StoreError> {
        reading!(self, |queries, c| queries::price_catalogue::list(c))
    }
}
