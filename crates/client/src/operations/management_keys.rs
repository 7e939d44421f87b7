//! Operations on management keys.

use keyward_core::ids::ManagementKeyId;
use keyward_core::list::{
    Done, ListQuery, ManagementKeyChanged, ManagementKeyDetail, ManagementKeyIssued, ManagementKeyList,
};
use keyward_core::management_key::{CreateManagementKey, ManagementKey, UpdateManagementKey};

use crate::client::Client;
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
        self.create("management_key_create", &KEYS, request).await
    }

    /// Lists management keys.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn management_key_list(&self, query: &ListQuery) -> Result<ManagementKeyList, Error> {
        self.list("management_key_list", &KEYS, query).await
    }

    /// Reads a management key.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn management_key_get(&self, id: &ManagementKeyId) -> Result<ManagementKey, Error> {
        self.get("management_key_get", &one(id)).await.map(|detail: ManagementKeyDetail| detail.management_key)
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
        self.put("management_key_update", &one(id), request).await
    }

    /// Gives a management key another secret, which the answer has, this once.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn management_key_rotate(&self, id: &ManagementKeyId) -> Result<ManagementKeyIssued, Error> {
        let [api, keys, id] = one(id);
        self.act("management_key_rotate", &[api, keys, id, "rotate"]).await
    }

    /// Deletes a management key.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn management_key_delete(&self, id: &ManagementKeyId) -> Result<Done, Error> {
        self.delete("management_key_delete", &one(id)).await
    }
}
