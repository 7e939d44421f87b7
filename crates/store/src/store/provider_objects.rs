//! Objects that providers keep.

use jiff::Timestamp;
use keyward_core::ids::{RequestId, VirtualKeyId};
use keyward_core::provider_object::{ObjectKind, ObjectState, ProviderObject};

use super::{Database, Store};
use crate::error::StoreError;

impl Store {
    /// Writes objects down. One that is there already stays as it is, with its owner.
    ///
    /// # Errors
    /// Only faults.
    pub async fn provider_objects_put(&self, objects: Vec<ProviderObject>) -> Result<(), StoreError> {
        writing!(self, |queries, c| queries::provider_object::put(c, &objects))
    }

    /// The object of this id that the virtual key has made; none: it has made no such thing.
    ///
    /// # Errors
    /// Only faults.
    pub async fn provider_object_find(
        &self,
        kind: ObjectKind,
        id: String,
        virtual_key: VirtualKeyId,
    ) -> Result<Option<ProviderObject>, StoreError> {
        reading!(self, |queries, c| queries::provider_object::find(c, kind, &id, &virtual_key))
    }

    /// What the virtual key has made of a kind, newest first, and at most 10,000.
    ///
    /// # Errors
    /// Only faults.
    pub async fn provider_object_list(
        &self,
        kind: ObjectKind,
        virtual_key: VirtualKeyId,
    ) -> Result<Vec<ProviderObject>, StoreError> {
        reading!(self, |queries, c| queries::provider_object::list(c, kind, &virtual_key))
    }

    /// The batches that are not charged yet, oldest first, and at most 10,000.
    ///
    /// # Errors
    /// Only faults.
    pub async fn provider_objects_open(&self) -> Result<Vec<ProviderObject>, StoreError> {
        reading!(self, |queries, c| queries::provider_object::open(c))
    }

    /// Whether the usage of what a request has made is still waited for.
    ///
    /// # Errors
    /// Only faults.
    pub async fn provider_object_is_awaited(&self, request: RequestId) -> Result<bool, StoreError> {
        reading!(self, |queries, c| queries::provider_object::is_awaited(c, &request))
    }

    /// Notes what the provider says of an object.
    ///
    /// # Errors
    /// Only faults.
    pub async fn provider_object_tell(&self, object: ProviderObject, told: String) -> Result<(), StoreError> {
        writing!(self, |queries, c| queries::provider_object::tell(c, &object, &told))
    }

    /// Notes that nothing more is waited for of a batch, and until when it is kept.
    ///
    /// # Errors
    /// Only faults.
    pub async fn provider_object_close(
        &self,
        object: ProviderObject,
        state: ObjectState,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        writing!(self, |queries, c| queries::provider_object::close(c, &object, state, expires_at))
    }

    /// Forgets an object.
    ///
    /// # Errors
    /// Only faults.
    pub async fn provider_object_delete(&self, object: ProviderObject) -> Result<(), StoreError> {
        writing!(self, |queries, c| queries::provider_object::delete(c, &object))
    }

    /// Forgets what has expired, and what virtual keys have left that are gone. Returns how many.
    ///
    /// # Errors
    /// Only faults; then nothing was forgotten.
    pub async fn provider_objects_expire(&self, now: Timestamp) -> Result<usize, StoreError> {
        writing!(self, |queries, c| queries::provider_object::expire(c, now))
    }

    /// Which attempts of a request are in the ledger.
    ///
    /// # Errors
    /// Only faults.
    pub async fn ledger_attempts(&self, request: RequestId) -> Result<Vec<i32>, StoreError> {
        reading!(self, |queries, c| queries::provider_object::attempts(c, &request))
    }
}
