//! Named texts of which some are secrets: what is shown of them in one column, the secrets sealed together in another.
//!
//! One record for all secrets of a row: they are written and read together, and cannot be exchanged among each other.

use std::collections::BTreeMap;

use keyward_core::secret::{EnvVar, SecretDraft, SecretSource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::seal::{Place, Sealer};

/// Named texts of one row, opened.
pub(crate) struct SealedMap<K> {
    /// What is shown: secrets are redacted, everything else is itself.
    pub(crate) shown: BTreeMap<K, EnvVar>,
    secrets: BTreeMap<K, String>,
}

impl<K: Ord + Clone + Serialize + DeserializeOwned> SealedMap<K> {
    /// No texts.
    pub(crate) const fn empty() -> Self {
        Self { shown: BTreeMap::new(), secrets: BTreeMap::new() }
    }

    /// Opens the texts of a row.
    pub(crate) fn open(
        shown: BTreeMap<K, EnvVar>,
        sealed: Option<&[u8]>,
        place: Place<'_>,
        sealer: &Sealer,
    ) -> Result<Self, StoreError> {
        let Some(sealed) = sealed else { return Ok(Self { shown, secrets: BTreeMap::new() }) };
        let text = Zeroizing::new(sealer.open(sealed, place)?);
        let secrets =
            serde_json::from_str(&text).map_err(|_| StoreError::unreadable("a sealed map", "it is no map"))?;
        Ok(Self { shown, secrets })
    }

    /// The texts that the drafts make of these.
    pub(crate) fn edited(
        mut self,
        drafts: &BTreeMap<K, SecretDraft>,
        is_secret: impl Fn(&K, &str) -> bool,
    ) -> Result<Self, StoreError> {
        let mut after = Self::empty();
        for (name, draft) in drafts {
            let shown = match draft {
                SecretDraft::Keep => {
                    let secret = self.secrets.remove(name);
                    after.secrets.extend(secret.map(|secret| (name.clone(), secret)));
                    self.shown.remove(name).ok_or_else(|| StoreError::internal("a text is kept that is not there"))?
                }
                SecretDraft::Set(source @ SecretSource::Literal(text)) if is_secret(name, text) => {
                    after.secrets.insert(name.clone(), text.clone());
                    source.shown()
                }
                SecretDraft::Set(SecretSource::Literal(text)) => EnvVar { value: text.clone(), ..EnvVar::default() },
                SecretDraft::Set(source @ SecretSource::Environment(_)) => source.shown(),
            };
            after.shown.insert(name.clone(), shown);
        }
        Ok(after)
    }

    /// The sealed record of the secrets, if there are any.
    pub(crate) fn seal(&self, place: Place<'_>, sealer: &Sealer) -> Result<Option<Vec<u8>>, StoreError> {
        if self.secrets.is_empty() {
            return Ok(None);
        }
        let text = Zeroizing::new(serde_json::to_string(&self.secrets).map_err(StoreError::internal)?);
        sealer.seal(&text, place).map(Some)
    }

    /// The texts themselves, or the variables that have them.
    pub(crate) fn sources(mut self) -> BTreeMap<K, SecretSource> {
        let source = |(name, shown): (K, EnvVar)| {
            let source = self.secrets.remove(&name).map_or_else(|| SecretSource::from(&shown), SecretSource::Literal);
            (name, source)
        };
        self.shown.into_iter().map(source).collect()
    }
}
