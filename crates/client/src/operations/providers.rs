//! Operations on providers and their keys.

use keyward_core::ids::{ProviderKeyId, ProviderName};
use keyward_core::list::{Done, ProviderKeyList, ProviderList};
use keyward_core::provider::{
    CreateProvider, CreateProviderKey, Provider, ProviderKey, UpdateProvider, UpdateProviderKey,
};
use keyward_core::provider_config::AttachedKey;

use crate::client::Client;
use crate::error::Error;

const PROVIDERS: [&str; 2] = ["api", "providers"];

fn one(provider: &ProviderName) -> [&str; 3] {
    let [api, providers] = PROVIDERS;
    [api, providers, provider.as_str()]
}

fn keys(provider: &ProviderName) -> [&str; 4] {
    let [api, providers, provider] = one(provider);
    [api, providers, provider, "keys"]
}

fn one_key<'a>(provider: &'a ProviderName, id: &'a ProviderKeyId) -> [&'a str; 5] {
    let [api, providers, provider, keys] = keys(provider);
    [api, providers, provider, keys, id.as_str()]
}

impl Client {
    /// Configures a provider.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn provider_create(&self, request: &CreateProvider) -> Result<Provider, Error> {
        self.create("provider_create", &PROVIDERS, request).await
    }

    /// Lists all providers.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn provider_list(&self) -> Result<ProviderList, Error> {
        self.get("provider_list", &PROVIDERS).await
    }

    /// Reads a provider.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn provider_get(&self, provider: &ProviderName) -> Result<Provider, Error> {
        self.get("provider_get", &one(provider)).await
    }

    /// Edits a provider.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn provider_update(&self, provider: &ProviderName, request: &UpdateProvider) -> Result<Provider, Error> {
        self.put("provider_update", &one(provider), request).await
    }

    /// Deletes a provider with its keys.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn provider_delete(&self, provider: &ProviderName) -> Result<Done, Error> {
        self.delete("provider_delete", &one(provider)).await
    }

    /// Adds a key to a provider.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn provider_key_create(
        &self,
        provider: &ProviderName,
        request: &CreateProviderKey,
    ) -> Result<ProviderKey, Error> {
        self.create("provider_key_create", &keys(provider), request).await
    }

    /// Lists the keys of a provider.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn provider_key_list(&self, provider: &ProviderName) -> Result<ProviderKeyList, Error> {
        self.get("provider_key_list", &keys(provider)).await
    }

    /// Reads a key of a provider.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn provider_key_get(&self, provider: &ProviderName, id: &ProviderKeyId) -> Result<ProviderKey, Error> {
        self.get("provider_key_get", &one_key(provider, id)).await
    }

    /// Edits a key of a provider.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn provider_key_update(
        &self,
        provider: &ProviderName,
        id: &ProviderKeyId,
        request: &UpdateProviderKey,
    ) -> Result<ProviderKey, Error> {
        self.put("provider_key_update", &one_key(provider, id), request).await
    }

    /// Lists the keys of all providers.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn key_list(&self) -> Result<Vec<AttachedKey>, Error> {
        self.get("key_list", &["api", "keys"]).await
    }

    /// Deletes a key of a provider.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn provider_key_delete(&self, provider: &ProviderName, id: &ProviderKeyId) -> Result<Done, Error> {
        self.delete("provider_key_delete", &one_key(provider, id)).await
    }
}
