//! Operations on virtual keys.

use keyward_core::ids::VirtualKeyId;
use keyward_core::list::{Done, ListQuery, VirtualKeyChanged, VirtualKeyList};
use keyward_core::virtual_key::{CreateVirtualKey, UpdateVirtualKey, VirtualKey, VirtualKeyDetail, VirtualKeyQuota};
use reqwest::Method;

use crate::client::{Client, Credential};
use crate::error::Error;

const VIRTUAL_KEYS: [&str; 3] = ["api", "governance", "virtual-keys"];

fn one(id: &VirtualKeyId) -> [&str; 4] {
    let [api, governance, virtual_keys] = VIRTUAL_KEYS;
    [api, governance, virtual_keys, id.as_str()]
}

impl Client {
    /// Makes a virtual key. The answer has its secret in it, maybe for the only time.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_create(&self, request: &CreateVirtualKey) -> Result<VirtualKeyChanged, Error> {
        self.post(&VIRTUAL_KEYS, request).await
    }

    /// Lists virtual keys.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_list(&self, query: &ListQuery) -> Result<VirtualKeyList, Error> {
        self.list(&VIRTUAL_KEYS, query).await
    }

    /// Reads a virtual key.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_get(&self, id: &VirtualKeyId) -> Result<VirtualKey, Error> {
        self.get(&one(id)).await.map(|detail: VirtualKeyDetail| detail.virtual_key)
    }

    /// Edits a virtual key: what is absent stays.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_update(
        &self,
        id: &VirtualKeyId,
        request: &UpdateVirtualKey,
    ) -> Result<VirtualKeyChanged, Error> {
        self.put(&one(id), request).await
    }

    /// Deletes a virtual key.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_delete(&self, id: &VirtualKeyId) -> Result<Done, Error> {
        self.delete(&one(id)).await
    }

    /// Reads what the client's own virtual key has left; needs no admin.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_quota(&self) -> Result<VirtualKeyQuota, Error> {
        let [api, governance, virtual_keys] = VIRTUAL_KEYS;
        let path = [api, governance, virtual_keys, "quota"];
        self.fetch(self.request(Method::GET, &path, Credential::VirtualKey)?).await
    }
}
