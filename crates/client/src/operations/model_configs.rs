//! Operations on model configs, and on the limits of providers.

use keyward_core::ids::{ModelConfigId, ProviderName};
use keyward_core::list::{
    Done, ModelConfigChanged, ModelConfigDetail, ModelConfigList, ProviderGovernanceChanged, ProviderGovernanceList,
};
use keyward_core::model_config::{CreateModelConfig, ModelConfig, ModelConfigQuery, UpdateModelConfig};
use keyward_core::provider_governance::UpdateProviderGovernance;

use crate::client::Client;
use crate::error::Error;

const MODEL_CONFIGS: [&str; 3] = ["api", "governance", "model-configs"];
const PROVIDERS: [&str; 3] = ["api", "governance", "providers"];

fn one(id: &ModelConfigId) -> [&str; 4] {
    let [api, governance, model_configs] = MODEL_CONFIGS;
    [api, governance, model_configs, id.as_str()]
}

fn provider(name: &ProviderName) -> [&str; 4] {
    let [api, governance, providers] = PROVIDERS;
    [api, governance, providers, name.as_str()]
}

impl Client {
    /// Makes a model config.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn model_config_create(&self, request: &CreateModelConfig) -> Result<ModelConfigChanged, Error> {
        self.create("model_config_create", &MODEL_CONFIGS, request).await
    }

    /// Lists model configs.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn model_config_list(&self, query: &ModelConfigQuery) -> Result<ModelConfigList, Error> {
        self.list("model_config_list", &MODEL_CONFIGS, query).await
    }

    /// Reads a model config.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn model_config_get(&self, id: &ModelConfigId) -> Result<ModelConfig, Error> {
        self.get("model_config_get", &one(id)).await.map(|detail: ModelConfigDetail| detail.model_config)
    }

    /// Edits a model config: what is absent stays.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn model_config_update(
        &self,
        id: &ModelConfigId,
        request: &UpdateModelConfig,
    ) -> Result<ModelConfigChanged, Error> {
        self.put("model_config_update", &one(id), request).await
    }

    /// Deletes a model config.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn model_config_delete(&self, id: &ModelConfigId) -> Result<Done, Error> {
        self.delete("model_config_delete", &one(id)).await
    }

    /// Lists the providers that have limits of their own.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn provider_governance_list(&self) -> Result<ProviderGovernanceList, Error> {
        self.get("provider_governance_list", &PROVIDERS).await
    }

    /// Sets the limits of a provider: what is absent stays.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn provider_governance_update(
        &self,
        name: &ProviderName,
        request: &UpdateProviderGovernance,
    ) -> Result<ProviderGovernanceChanged, Error> {
        self.put("provider_governance_update", &provider(name), request).await
    }

    /// Removes the limits of a provider, if it has some.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn provider_governance_delete(&self, name: &ProviderName) -> Result<Done, Error> {
        self.delete("provider_governance_delete", &provider(name)).await
    }
}
