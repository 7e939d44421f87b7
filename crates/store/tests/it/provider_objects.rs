//! What providers keep: one row for each, found by whoever made it.

use jiff::Timestamp;
use keyward_core::ids::VirtualKeyId;
use keyward_core::provider_object::{ObjectKind, ObjectModel, ObjectState, ProviderObject};
use serde_json::json;

use crate::database::Database;
use crate::request::{at, create, now};

fn object(kind: ObjectKind, id: &str, owner: &VirtualKeyId, state: ObjectState) -> ProviderObject {
    ProviderObject {
        kind,
        provider: "openai".into(),
        id: id.to_owned(),
        virtual_key_id: owner.clone(),
        provider_key_id: "key".into(),
        request_id: format!("request of {id}").into(),
        endpoint: Some("/v1/responses".to_owned()),
        models: vec![ObjectModel { asked: "a".into(), served: "s".into() }],
        state,
        told: None,
        created_at: at("2026-11-23T12:00:01Z"),
        expires_at: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_found_by_who_made_it_and_keeps_its_owner() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let (owner, other): (VirtualKeyId, VirtualKeyId) = ("v".into(), "w".into());
    let file = object(ObjectKind::File, "file-1", &owner, ObjectState::Kept);
    store.provider_objects_put(vec![file.clone()]).await.unwrap();
    let again = ProviderObject { virtual_key_id: other.clone(), ..file.clone() };
    store.provider_objects_put(vec![again]).await.unwrap();
    let find = async |kind, key: &VirtualKeyId| {
        store.provider_object_find(kind, "file-1".to_owned(), key.clone()).await.unwrap()
    };
    assert_eq!(find(ObjectKind::File, &owner).await, Some(file.clone()));
    assert_eq!(find(ObjectKind::File, &other).await, None);
    assert_eq!(find(ObjectKind::Batch, &owner).await, None);
    store.provider_object_tell(file.clone(), "{}".to_owned()).await.unwrap();
    let told = ProviderObject { told: Some("{}".to_owned()), ..file.clone() };
    assert_eq!(store.provider_object_list(ObjectKind::File, owner.clone()).await.unwrap(), [told]);
    store.provider_object_delete(file).await.unwrap();
    assert_eq!(find(ObjectKind::File, &owner).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_open_until_they_are_closed_and_stay_until_then() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let owner = create(&store, json!({ "name": "k" })).await.unwrap().id;
    let gone: VirtualKeyId = "gone".into();
    let (open, left) = (
        object(ObjectKind::Batch, "batch-1", &gone, ObjectState::Open),
        object(ObjectKind::File, "file-1", &gone, ObjectState::Kept),
    );
    let expired = ProviderObject {
        expires_at: Some(Timestamp::UNIX_EPOCH),
        ..object(ObjectKind::Response, "resp-1", &owner, ObjectState::Kept)
    };
    let kept = object(ObjectKind::Response, "resp-2", &owner, ObjectState::Kept);
    store.provider_objects_put(vec![open.clone(), left, expired, kept.clone()]).await.unwrap();
    assert!(store.provider_object_is_awaited(open.request_id.clone()).await.unwrap());
    assert_eq!(store.provider_objects_expire(now()).await.unwrap(), 2);
    assert_eq!(store.provider_object_list(ObjectKind::Response, owner).await.unwrap(), [kept]);
    assert_eq!(store.provider_objects_open().await.unwrap(), std::slice::from_ref(&open));
    store.provider_object_close(open.clone(), ObjectState::Charged, Timestamp::UNIX_EPOCH).await.unwrap();
    assert!(store.provider_objects_open().await.unwrap().is_empty());
    assert!(!store.provider_object_is_awaited(open.request_id).await.unwrap());
    assert_eq!(store.provider_objects_expire(now()).await.unwrap(), 1);
}
