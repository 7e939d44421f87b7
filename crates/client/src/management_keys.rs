//! Operations on management keys.

use keyward_core::ids::ManagementKeyId;
use keyward_core::list::{
    Done, ListQuery, ManagementKeyChanged, ManagementKeyDetail, ManagementKeyIssued, ManagementKeyList,
};
use keyward_core::management_key::{CreateManagementKey, ManagementKey, UpdateManagementKey};
use reqwest::Method;

use crate::client::{Client, Credential};
use crate::error::Error;

const KEYS: [&str; 2] = ["api", "management-keys"];

fn one(id: &ManagementKeyId) -> [&str; 3] {
    let [api, keys] = KEYS;
    [api, keys, id.as_str()]
}

impl Client {
    /// Makes a management key. The answer has its secret, this once.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn management_key_create(&self, request: &CreateManagementKey) -> Result<ManagementKeyIssued, Error> {
        self.post(&KEYS, request).await
    }

    /// Lists management keys.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn management_key_list(&self, query: &ListQuery) -> Result<ManagementKeyList, Error> {
        self.list(&KEYS, query).await
    }

    /// Reads a management key.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn management_key_get(&self, id: &ManagementKeyId) -> Result<ManagementKey, Error> {
        self.get(&one(id)).await.map(|detail: ManagementKeyDetail| detail.management_key)
    }

    /// Edits a management key: what is absent stays, null clears.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn management_key_update(
        &self,
        id: &ManagementKeyId,
        request: &UpdateManagementKey,
    ) -> Result<ManagementKeyChanged, Error> {
        self.put(&one(id), request).await
    }

    /// Gives a management key another secret, which the answer has, this once.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn management_key_rotate(&self, id: &ManagementKeyId) -> Result<ManagementKeyIssued, Error> {
        let [api, keys, id] = one(id);
        self.fetch(self.request(Method::POST, &[api, keys, id, "rotate"], Credential::Admin)?).await
    }

    /// Deletes a management key.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn management_key_delete(&self, id: &ManagementKeyId) -> Result<Done, Error> {
        self.delete(&one(id)).await
    }
}
