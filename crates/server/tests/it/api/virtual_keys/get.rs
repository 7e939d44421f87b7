//! `GET /api/governance/virtual-keys/{vk_id}`

use keyward_client::CreateVirtualKey;

use super::super::{VIRTUAL_KEYS, refused, told};
use super::{demo_key, dressed, team};
use crate::gateway::with_budget;
use crate::harness::App;

/// Clients of one generation read `virtual_key`, clients of another one the members beside it.
#[tokio::test(flavor = "multi_thread")]
async fn both_documented_shapes_are_in_one_answer() {
    let app = App::start().await;
    let key = demo_key(&app, "second").await;
    let request = CreateVirtualKey {
        team_id: Some(team(&app, "red").await),
        provider_configs: Some(vec![dressed(key)]),
        ..with_budget("1")
    };
    let created = app.key(request).await;
    let reply = app.raw("GET", &format!("{VIRTUAL_KEYS}/{}", created.id)).send().await;
    let mut flat = reply.json();
    let envelope = flat.as_object_mut().unwrap().remove("virtual_key").unwrap();
    assert_eq!(envelope, flat);
    assert_eq!(serde_json::from_value::<keyward_client::VirtualKey>(flat).unwrap(), created);
    assert_eq!(app.client.virtual_key_get(&created.id).await.unwrap(), created);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_id_is_not_found_whatever_is_in_it() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    for id in ["a/b", "a b", "100%", "..%2f", "é🦀", "?x=1", "#", "'; --", key.name.as_str(), key.value.expose()] {
        let error = refused(app.client.virtual_key_get(&id.into()).await);
        assert_eq!(told(&error), (404, "", "Virtual key not found"), "{id}");
        assert_eq!(error.raw_code, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_percent_decoded() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let encoded: String = key.id.as_str().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let reply = app.raw("GET", &format!("{VIRTUAL_KEYS}/{encoded}")).send().await;
    assert_eq!((reply.status, &reply.json()["id"]), (200, &key.id.as_str().into()));
    // Neither is text that any id could be.
    for path in ["%00", "%ff"] {
        let reply = app.raw("GET", &format!("{VIRTUAL_KEYS}/{path}")).send().await;
        assert!(matches!(reply.status, 400 | 404), "{path}: {}", reply.status);
    }
}
