//! Virtual keys.

use jiff::Timestamp;
use keyward_core::budget::Budget;
use keyward_core::change::Change;
use keyward_core::ids::{LimitId, VirtualKeyId};
use keyward_core::invalid::Invalid;
use keyward_core::ledger::Adjustment;
use keyward_core::list::Listed;
use keyward_core::meter::Raise;
use keyward_core::secret::VirtualKeyValue;
use keyward_core::virtual_key::{Rotation, VirtualKey, VirtualKeyDraft, VirtualKeyFilter, VirtualKeyHashes};

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
    ) -> Result<(VirtualKeyHashes, VirtualKey), StoreError> {
        let (by, hash, sealer) = (self.recorder(change), self.inner.hasher.hash(value.expose()), self.sealer());
        changing!(self, by, |queries, c| queries::virtual_key_edit::create(c, &by, &draft, &value, hash, &sealer))
    }

    /// One virtual key, unused.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id.
    pub async fn virtual_key_get(&self, id: VirtualKeyId, reveal: Reveal) -> Result<VirtualKey, StoreError> {
        let sealer = self.sealer();
        let reach = self.reach.clone();
        let (_, key) =
            reading!(self, |queries, c| queries::virtual_key::get_with_owner(c, &reach, &id, reveal, &sealer))?;
        Ok(key)
    }

    /// These virtual keys as admission knows them: with their hashes, without their secrets.
    ///
    /// # Errors
    /// Only faults.
    pub async fn virtual_keys_known(
        &self,
        ids: Vec<VirtualKeyId>,
    ) -> Result<Vec<(VirtualKeyHashes, VirtualKey)>, StoreError> {
        reading!(self, |queries, c| queries::virtual_key::known(c, &ids))
    }

    /// Hands over every virtual key as admission knows it: with its hashes, without its secret. They are as of one instant, and only
    /// some of them are in memory at a time.
    ///
    /// # Errors
    /// Only faults; some may have been handed over then.
    pub async fn virtual_keys_each(
        &self,
        each: impl FnMut(VirtualKeyHashes, VirtualKey) + Send + 'static,
    ) -> Result<(), StoreError> {
        reading!(self, |queries, c| queries::virtual_key::each(c, each))
    }

    /// A page of virtual keys as of `now`, unused.
    ///
    /// # Errors
    /// Only faults.
    pub async fn virtual_key_list(
        &self,
        filter: VirtualKeyFilter,
        now: Timestamp,
        reveal: Reveal,
    ) -> Result<Listed<VirtualKey>, StoreError> {
        let sealer = self.sealer();
        let reach = self.reach.clone();
        let listed =
            reading!(self, |queries, c| queries::virtual_key_list::list(c, &reach, &filter, now, reveal, &sealer))?;
        let entries = listed.entries.into_iter().map(|(_, key)| key).collect();
        Ok(Listed { entries, total: listed.total })
    }

    /// Edits a virtual key to what `edit` makes of it at the instant that it is given; nobody else changes the key in between.
    /// Gives the key, and what the edit took off its meters.
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
    ) -> Result<((VirtualKeyHashes, VirtualKey), Vec<Adjustment>), StoreError> {
        let (by, sealer) = (self.recorder(change), self.sealer());
        changing!(self, by, |queries, c| queries::virtual_key_edit::update(c, &by, &id, reveal, &sealer, edit))
    }

    /// Gives a virtual key a new value; the one before works on for the cooldown.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id, [`StoreError::Stale`] when it has another version.
    pub async fn virtual_key_rotate(
        &self,
        change: Change,
        id: VirtualKeyId,
        rotation: Rotation,
    ) -> Result<(VirtualKeyHashes, VirtualKey), StoreError> {
        let hash = self.inner.hasher.hash(rotation.value.expose());
        let (by, sealer) = (self.recorder(change), self.sealer());
        changing!(self, by, |queries, c| queries::virtual_key_rotation::rotate(c, &by, &id, &rotation, hash, &sealer))
    }

    /// The secret of a virtual key; that it was shown is recorded.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id.
    pub async fn virtual_key_reveal(&self, change: Change, id: VirtualKeyId) -> Result<VirtualKeyValue, StoreError> {
        let (by, sealer) = (self.recorder(change), self.sealer());
        changing!(self, by, |queries, c| queries::virtual_key::reveal(c, &by, &id, &sealer))
    }

    /// The virtual keys that have expired and shall be deleted then, at most `most` of them, with when they were last edited.
    ///
    /// # Errors
    /// Only faults.
    pub async fn virtual_keys_expired(
        &self,
        now: Timestamp,
        most: i64,
    ) -> Result<Vec<(VirtualKeyId, Timestamp)>, StoreError> {
        reading!(self, |queries, c| queries::virtual_key_rotation::expired(c, now, most))
    }

    /// Raises the cap of a budget of a virtual key to what `raise` says, or no more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a key that is not there or a budget that is not its own, [`StoreError::Stale`], and what
    /// `raise` refuses.
    pub async fn budget_override_set(
        &self,
        change: Change,
        id: VirtualKeyId,
        budget: LimitId,
        raise: impl FnOnce(&Budget, Timestamp) -> Result<Option<Raise>, Invalid> + Send + 'static,
    ) -> Result<(VirtualKeyHashes, VirtualKey), StoreError> {
        let (by, sealer) = (self.recorder(change), self.sealer());
        changing!(self, by, |queries, c| queries::budget_override::set(c, &by, &id, &budget, &sealer, raise))
    }

    /// Removes a virtual key with its limits and their counters. Its ledger entries stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id, [`StoreError::Stale`] when it has another version.
    pub async fn virtual_key_delete(&self, change: Change, id: VirtualKeyId) -> Result<(), StoreError> {
        let (by, sealer) = (self.recorder(change), self.sealer());
        changing!(self, by, |queries, c| queries::virtual_key::delete(c, &by, &id, &sealer))
    }
}
