//! Providers and their keys.

use keyward_core::change::Change;
use keyward_core::ids::{ProviderKeyId, ProviderName};
use keyward_core::invalid::Invalid;
use keyward_core::provider::{Provider, ProviderDraft, ProviderKey, ProviderKeyDraft};
use keyward_core::provider_config::AttachedKey;

use super::{Database, Store, UpstreamHeaders, UpstreamKey};
use crate::error::StoreError;

impl Store {
    /// Stores a new provider with the keys it begins with, their secrets sealed.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a name that is taken.
    pub async fn provider_create(&self, change: Change, draft: ProviderDraft) -> Result<Provider, StoreError> {
        let (by, sealer) = (self.recorder(change), self.sealer());
        changing!(self, by, |queries, c| queries::provider_edit::create(c, &by, &draft, &sealer))
    }

    /// Edits a provider: `edit` makes the draft of what is there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this name, [`StoreError::Stale`] when it has another version,
    /// [`StoreError::Duplicate`] for a name of a key that is taken, and what `edit` refuses.
    pub async fn provider_update(
        &self,
        change: Change,
        name: ProviderName,
        edit: impl FnOnce(&Provider) -> Result<ProviderDraft, Invalid> + Send + 'static,
    ) -> Result<Provider, StoreError> {
        let (by, sealer) = (self.recorder(change), self.sealer());
        changing!(self, by, |queries, c| queries::provider_edit::update(c, &by, &name, &sealer, edit))
    }

    /// One provider.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this name.
    pub async fn provider_get(&self, name: ProviderName) -> Result<Provider, StoreError> {
        reading!(self, |queries, c| queries::provider::get(c, &name))
    }

    /// Every provider, by name.
    ///
    /// # Errors
    /// Only faults.
    pub async fn provider_list(&self) -> Result<Vec<Provider>, StoreError> {
        reading!(self, |queries, c| queries::provider::list(c))
    }

    /// Removes a provider with its keys; what virtual keys may do there stays.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this name, [`StoreError::Stale`] when it has another version.
    pub async fn provider_delete(&self, change: Change, name: ProviderName) -> Result<(), StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::provider::delete(c, &by, &name))
    }

    /// Adds a key to a provider, its secret sealed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown provider, [`StoreError::Duplicate`] for a name that is taken.
    pub async fn provider_key_create(
        &self,
        change: Change,
        provider: ProviderName,
        draft: ProviderKeyDraft,
    ) -> Result<ProviderKey, StoreError> {
        let (by, sealer) = (self.recorder(change), self.sealer());
        changing!(self, by, |queries, c| queries::provider_key_edit::create(c, &by, &provider, &draft, &sealer))
    }

    /// Edits a provider key: `edit` makes the draft of what is there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown provider, or when it has no such key; [`StoreError::Stale`] when the key has
    /// another version; [`StoreError::Duplicate`] for a name that is taken; and what `edit` refuses.
    pub async fn provider_key_update(
        &self,
        change: Change,
        provider: ProviderName,
        id: ProviderKeyId,
        edit: impl FnOnce(&ProviderKey) -> Result<ProviderKeyDraft, Invalid> + Send + 'static,
    ) -> Result<ProviderKey, StoreError> {
        let (by, sealer) = (self.recorder(change), self.sealer());
        changing!(self, by, |queries, c| queries::provider_key_edit::update(c, &by, &provider, &id, &sealer, edit))
    }

    /// One key of a provider.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown provider, or when it has no such key.
    pub async fn provider_key_get(&self, provider: ProviderName, id: ProviderKeyId) -> Result<ProviderKey, StoreError> {
        reading!(self, |queries, c| queries::provider_key::get(c, &provider, &id))
    }

    /// The keys of a provider, oldest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown provider.
    pub async fn provider_key_list(&self, provider: ProviderName) -> Result<Vec<ProviderKey>, StoreError> {
        reading!(self, |queries, c| queries::provider_key::list(c, &provider))
    }

    /// The keys of all providers, oldest first.
    ///
    /// # Errors
    /// Only faults.
    pub async fn key_list(&self) -> Result<Vec<AttachedKey>, StoreError> {
        reading!(self, |queries, c| queries::provider_key::list_all(c))
    }

    /// Removes a key of a provider; virtual keys that named it lose it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown provider, or when it has no such key; [`StoreError::Stale`] when the key has
    /// another version.
    pub async fn provider_key_delete(
        &self,
        change: Change,
        provider: ProviderName,
        id: ProviderKeyId,
    ) -> Result<(), StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::provider_key::delete(c, &by, &provider, &id))
    }

    /// Every provider key with its secret: for the gateway, never for an answer.
    ///
    /// # Errors
    /// Only faults.
    pub async fn upstream_keys(&self) -> Result<Vec<UpstreamKey>, StoreError> {
        let sealer = self.sealer();
        reading!(self, |queries, c| queries::upstream_key::load_all(c, &sealer))
    }

    /// The extra headers of every provider, with their secrets: for the gateway, never for an answer.
    ///
    /// # Errors
    /// Only faults.
    pub async fn upstream_headers(&self) -> Result<UpstreamHeaders, StoreError> {
        let sealer = self.sealer();
        reading!(self, |queries, c| queries::upstream_key::headers(c, &sealer))
    }
}
