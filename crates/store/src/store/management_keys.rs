//! Management keys.

use jiff::Timestamp;
use keyward_core::change::Change;
use keyward_core::ids::ManagementKeyId;
use keyward_core::invalid::Invalid;
use keyward_core::list::{Listed, Page};
use keyward_core::management_key::ManagementKey;
use keyward_core::secret::ManagementKeyValue;

use super::{Database, Store};
use crate::error::StoreError;

impl Store {
    /// Stores a new management key. Says whether it is new, or was made by the same request before: then `value` is not its
    /// secret.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a name that is taken, [`StoreError::Invalid`] for an unknown team or customer,
    /// [`StoreError::Denied`] for a key that may do more than its maker.
    pub async fn management_key_create(
        &self,
        change: Change,
        key: ManagementKey,
        value: &ManagementKeyValue,
    ) -> Result<(ManagementKey, bool), StoreError> {
        let (by, hash) = (self.recorder(change), self.inner.tokens.hash(value.expose()));
        changing!(self, by, |queries, c| queries::management_key::create(c, &by, &key, hash))
    }

    /// One management key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id.
    pub async fn management_key_get(&self, id: ManagementKeyId) -> Result<ManagementKey, StoreError> {
        let reach = self.reach.clone();
        reading!(self, |queries, c| queries::management_key::get(c, &reach, &id))
    }

    /// A page of management keys, oldest first.
    ///
    /// # Errors
    /// Only faults.
    pub async fn management_key_list(&self, page: Page) -> Result<Listed<ManagementKey>, StoreError> {
        let reach = self.reach.clone();
        reading!(self, |queries, c| queries::management_key::list(c, &reach, &page))
    }

    /// The management key with this secret, whether it is usable or not.
    ///
    /// # Errors
    /// Only faults.
    pub async fn management_key_find(&self, secret: &str) -> Result<Option<ManagementKey>, StoreError> {
        let hash = self.inner.tokens.hash(secret);
        reading!(self, |queries, c| queries::management_key::find(c, hash))
    }

    /// Edits a management key to what `edit` makes of it at the instant that it is given.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Stale`], what `edit` refuses, and the errors of
    /// [`Store::management_key_create`].
    pub async fn management_key_update(
        &self,
        change: Change,
        id: ManagementKeyId,
        edit: impl FnOnce(&ManagementKey, Timestamp) -> Result<ManagementKey, Invalid> + Send + 'static,
    ) -> Result<ManagementKey, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::management_key::update(c, &by, &id, edit))
    }

    /// Gives a management key another secret; the old one is refused from now on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Stale`], [`StoreError::Denied`] for a key that may do more than the author.
    pub async fn management_key_rotate(
        &self,
        change: Change,
        id: ManagementKeyId,
        value: &ManagementKeyValue,
    ) -> Result<ManagementKey, StoreError> {
        let (by, hash) = (self.recorder(change), self.inner.tokens.hash(value.expose()));
        changing!(self, by, |queries, c| queries::management_key::rotate(c, &by, &id, hash))
    }

    /// Removes a management key: it is refused from now on.
    ///
    /// # Errors
    /// Those of [`Store::management_key_rotate`].
    pub async fn management_key_delete(&self, change: Change, id: ManagementKeyId) -> Result<(), StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::management_key::delete(c, &by, &id))
    }
}
