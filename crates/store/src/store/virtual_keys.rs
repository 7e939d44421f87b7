//! Virtual keys.

use jiff::Timestamp;
use keyward_core::change::Change;
use keyward_core::ids::VirtualKeyId;
use keyward_core::invalid::Invalid;
use keyward_core::list::{Listed, Page};
use keyward_core::secret::{KeyHash, VirtualKeyValue};
use keyward_core::virtual_key::{VirtualKey, VirtualKeyDraft};

use super::{Database, Reveal, Store};
use crate::error::StoreError;

impl Store {
    /// Stores a new virtual key. Its maker always gets the secret, whatever later answers reveal.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a name that is taken, [`StoreError::Invalid`] for an owner, provider or provider
    /// key that is not there.
    pub async fn virtual_key_create(
        &self,
        change: Change,
        draft: VirtualKeyDraft,
        value: VirtualKeyValue,
    ) -> Result<(KeyHash, VirtualKey), StoreError> {
        let (by, hash, sealer) = (self.recorder(change), self.inner.hasher.hash(value.expose()), self.sealer());
        writing!(self, |queries, c| queries::virtual_key_edit::create(c, &by, &draft, &value, hash, &sealer))
    }

    /// One virtual key, unused.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id.
    pub async fn virtual_key_get(&self, id: VirtualKeyId, reveal: Reveal) -> Result<VirtualKey, StoreError> {
        let sealer = self.sealer();
        let (_, key) = reading!(self, |queries, c| queries::virtual_key::get(c, &id, reveal, &sealer))?;
        Ok(key)
    }

    /// A page of virtual keys, oldest first, unused.
    ///
    /// # Errors
    /// Only faults.
    pub async fn virtual_key_list(&self, page: Page, reveal: Reveal) -> Result<Listed<VirtualKey>, StoreError> {
        let sealer = self.sealer();
        let listed = reading!(self, |queries, c| queries::virtual_key::list(c, &page, reveal, &sealer))?;
        let entries = listed.entries.into_iter().map(|(_, key)| key).collect();
        Ok(Listed { entries, total: listed.total })
    }

    /// Edits a virtual key to what `edit` makes of it at the instant that it is given; nobody else changes the key in between.
    /// Usage stays as it is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Stale`], what `edit` refuses, and the errors of
    /// [`Store::virtual_key_create`].
    pub async fn virtual_key_update(
        &self,
        change: Change,
        id: VirtualKeyId,
        reveal: Reveal,
        edit: impl FnOnce(&VirtualKey, Timestamp) -> Result<VirtualKeyDraft, Invalid> + Send + 'static,
    ) -> Result<(KeyHash, VirtualKey), StoreError> {
        let (by, sealer) = (self.recorder(change), self.sealer());
        writing!(self, |queries, c| queries::virtual_key_edit::update(c, &by, &id, reveal, &sealer, edit))
    }

    /// Removes a virtual key with its limits and their counters. Its ledger entries stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id, [`StoreError::Stale`] when it has another version.
    pub async fn virtual_key_delete(&self, change: Change, id: VirtualKeyId) -> Result<(), StoreError> {
        let (by, sealer) = (self.recorder(change), self.sealer());
        writing!(self, |queries, c| queries::virtual_key::delete(c, &by, &id, &sealer))
    }
}
