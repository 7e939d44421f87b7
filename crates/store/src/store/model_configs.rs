//! Model configs, and provider governance, which is some of them.

use jiff::Timestamp;
use keyward_core::change::Change;
use keyward_core::ids::{ModelConfigId, ProviderName, VirtualKeyId};
use keyward_core::invalid::Invalid;
use keyward_core::list::Listed;
use keyward_core::model_config::{ModelConfig, ModelConfigFilter, ScopedKey};

use super::{Database, Store};
use crate::error::StoreError;

impl Store {
    /// Stores the model config that `build` makes, for the virtual key if it is for one.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a virtual key or provider that is not there and for what `build` refuses,
    /// [`StoreError::Taken`] when another one covers the same.
    pub async fn model_config_create(
        &self,
        change: Change,
        key: Option<VirtualKeyId>,
        build: impl FnOnce(Option<&ScopedKey>) -> Result<ModelConfig, Invalid> + Send + 'static,
    ) -> Result<ModelConfig, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::model_config::create(c, &by, key.as_ref(), build))
    }

    /// One model config, unused.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id.
    pub async fn model_config_get(&self, id: ModelConfigId) -> Result<ModelConfig, StoreError> {
        reading!(self, |queries, c| queries::model_config::get(c, &id))
    }

    /// The model configs of one virtual key, oldest first, unused.
    ///
    /// # Errors
    /// Only faults.
    pub async fn model_configs_of_key(&self, id: VirtualKeyId) -> Result<Vec<ModelConfig>, StoreError> {
        reading!(self, |queries, c| queries::model_config::of_virtual_key(c, &id))
    }

    /// A page of model configs, oldest first, unused.
    ///
    /// # Errors
    /// Only faults.
    pub async fn model_config_list(&self, filter: ModelConfigFilter) -> Result<Listed<ModelConfig>, StoreError> {
        reading!(self, |queries, c| queries::model_config::list(c, &filter))
    }

    /// Edits a model config to what `edit` makes of it at the instant that it is given; nobody else changes it in between.
    /// Usage stays as it is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Stale`], what `edit` refuses, and the errors of [`Store::model_config_create`].
    pub async fn model_config_update(
        &self,
        change: Change,
        id: ModelConfigId,
        edit: impl FnOnce(&ModelConfig, Timestamp) -> Result<ModelConfig, Invalid> + Send + 'static,
    ) -> Result<ModelConfig, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::model_config::update(c, &by, &id, edit))
    }

    /// Removes a model config with its limits and their counters.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id, [`StoreError::Stale`] when it has another version.
    pub async fn model_config_delete(&self, change: Change, id: ModelConfigId) -> Result<(), StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::model_config::delete(c, &by, &id))
    }

    /// The model configs that are the limits of providers, by provider, unused.
    ///
    /// # Errors
    /// Only faults.
    pub async fn provider_governance_list(&self) -> Result<Vec<ModelConfig>, StoreError> {
        reading!(self, |queries, c| queries::provider_governance::list(c))
    }

    /// Makes the limits of a provider what `edit` makes of those that it has. Usage stays as it is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a provider that is not configured, [`StoreError::Stale`], and what `edit` refuses.
    pub async fn provider_governance_update(
        &self,
        change: Change,
        provider: ProviderName,
        edit: impl FnOnce(Option<&ModelConfig>, Timestamp) -> Result<ModelConfig, Invalid> + Send + 'static,
    ) -> Result<ModelConfig, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::provider_governance::update(c, &by, &provider, edit))
    }

    /// Removes the limits of a provider and their counters; tells which model config they were, if it had some.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a provider that has none and is not configured, [`StoreError::Stale`].
    pub async fn provider_governance_delete(
        &self,
        change: Change,
        provider: ProviderName,
    ) -> Result<Option<ModelConfigId>, StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::provider_governance::delete(c, &by, &provider))
    }
}
