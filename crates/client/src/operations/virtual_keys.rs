//! Operations on virtual keys.

use keyward_core::budget::{BudgetOverridden, OverrideBudget};
use keyward_core::explanation::{ExplainRequest, Explanation};
use keyward_core::ids::{LimitId, VirtualKeyId};
use keyward_core::list::{Done, VirtualKeyChanged, VirtualKeyList};
use keyward_core::virtual_key::{
    CreateVirtualKey, RotateVirtualKeys, UpdateVirtualKey, VirtualKey, VirtualKeyDetail, VirtualKeyQuery,
    VirtualKeyQuota, VirtualKeyRevealed, VirtualKeysRotated,
};
use reqwest::Method;

use crate::client::{Client, Credential};
use crate::error::Error;

const VIRTUAL_KEYS: [&str; 3] = ["api", "governance", "virtual-keys"];

fn one(id: &VirtualKeyId) -> [&str; 4] {
    let [api, governance, virtual_keys] = VIRTUAL_KEYS;
    [api, governance, virtual_keys, id.as_str()]
}

fn override_of<'a>(id: &'a VirtualKeyId, budget: &'a LimitId) -> [&'a str; 7] {
    let [api, governance, virtual_keys, id] = one(id);
    [api, governance, virtual_keys, id, "budgets", budget.as_str(), "override"]
}

impl Client {
    /// Makes a virtual key. The answer has its secret in it, maybe for the only time.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_create(&self, request: &CreateVirtualKey) -> Result<VirtualKeyChanged, Error> {
        self.create("virtual_key_create", &VIRTUAL_KEYS, request).await
    }

    /// Lists virtual keys.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_list(&self, query: &VirtualKeyQuery) -> Result<VirtualKeyList, Error> {
        self.list("virtual_key_list", &VIRTUAL_KEYS, query).await
    }

    /// Reads a virtual key.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_get(&self, id: &VirtualKeyId) -> Result<VirtualKey, Error> {
        self.get("virtual_key_get", &one(id)).await.map(|detail: VirtualKeyDetail| detail.virtual_key)
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
        self.put("virtual_key_update", &one(id), request).await
    }

    /// Deletes a virtual key.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_delete(&self, id: &VirtualKeyId) -> Result<Done, Error> {
        self.delete("virtual_key_delete", &one(id)).await
    }

    /// Gives a virtual key a new value. The answer has the new secret in it, maybe for the only time.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_rotate(&self, id: &VirtualKeyId) -> Result<VirtualKeyChanged, Error> {
        let [api, governance, virtual_keys, id] = one(id);
        self.act("virtual_key_rotate", &[api, governance, virtual_keys, id, "rotate"]).await
    }

    /// Gives several virtual keys new values, each on its own.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_keys_rotate(&self, request: &RotateVirtualKeys) -> Result<VirtualKeysRotated, Error> {
        let [api, governance, virtual_keys] = VIRTUAL_KEYS;
        self.post("virtual_keys_rotate", &[api, governance, virtual_keys, "rotate"], request).await
    }

    /// Reads the secret of a virtual key.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_reveal(&self, id: &VirtualKeyId) -> Result<VirtualKeyRevealed, Error> {
        let [api, governance, virtual_keys, id] = one(id);
        self.get("virtual_key_reveal", &[api, governance, virtual_keys, id, "reveal"]).await
    }

    /// Reads the secret of a virtual key, to copy it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_copy(&self, id: &VirtualKeyId) -> Result<VirtualKeyRevealed, Error> {
        let [api, governance, virtual_keys, id] = one(id);
        self.get("virtual_key_copy", &[api, governance, virtual_keys, id, "copy"]).await
    }

    /// Raises the cap of a budget for a time.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn budget_override_set(
        &self,
        id: &VirtualKeyId,
        budget: &LimitId,
        request: &OverrideBudget,
    ) -> Result<BudgetOverridden, Error> {
        self.put("budget_override_set", &override_of(id, budget), request).await
    }

    /// Removes the override of a budget.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn budget_override_remove(&self, id: &VirtualKeyId, budget: &LimitId) -> Result<BudgetOverridden, Error> {
        self.delete("budget_override_remove", &override_of(id, budget)).await
    }

    /// Asks what would become of a request if it were sent now. Nothing is sent or held.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn request_explain(&self, request: &ExplainRequest) -> Result<Explanation, Error> {
        let [api, governance, _] = VIRTUAL_KEYS;
        let path = [api, governance, "explain"];
        let call = self.call("request_explain", Method::POST, &path, Credential::Admin)?;
        self.fetch(call.with_json(request)?.harmless()).await
    }

    /// Reads what the client's own virtual key has left; needs no admin.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn virtual_key_quota(&self) -> Result<VirtualKeyQuota, Error> {
        let [api, governance, virtual_keys] = VIRTUAL_KEYS;
        let path = [api, governance, virtual_keys, "quota"];
        self.fetch(self.call("virtual_key_quota", Method::GET, &path, Credential::VirtualKey)?).await
    }
}
