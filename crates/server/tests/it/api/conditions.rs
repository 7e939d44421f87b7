//! `ETag` and `If-Match`, `Idempotency-Key`: changes under conditions.

use keyward_client::{CreateCustomer, CreateVirtualKey, ErrorCode, UpdateVirtualKey, Versioned as _};
use serde_json::json;

use super::{CUSTOMERS, VIRTUAL_KEYS, refused};
use crate::harness::App;

fn renamed(name: &str) -> UpdateVirtualKey {
    UpdateVirtualKey { name: name.to_owned().into(), ..UpdateVirtualKey::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_version_that_was_read_is_changed() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let first = app.client.if_match(key.version()).unwrap();
    let newer = first.virtual_key_update(&key.id, &renamed("mine")).await.unwrap().virtual_key;
    let lost = refused(first.virtual_key_update(&key.id, &renamed("theirs")).await);
    assert_eq!((lost.status, lost.code), (412, Some(ErrorCode::PreconditionFailed)));
    assert_eq!(refused(first.virtual_key_delete(&key.id).await).status, 412);
    let read = app.client.virtual_key_get(&key.id).await.unwrap();
    assert_eq!((read.name.as_str(), read.version()), ("mine", newer.version()));
    app.client.if_match(read.version()).unwrap().virtual_key_delete(&key.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_edits_of_one_version_one_wins() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let client = app.client.if_match(key.version()).unwrap();
    let (one, other) = (renamed("one"), renamed("other"));
    let (one, other) =
        tokio::join!(client.virtual_key_update(&key.id, &one), client.virtual_key_update(&key.id, &other));
    assert_eq!([&one, &other].into_iter().filter(|result| result.is_ok()).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_about_one_resource_has_its_tag_in_every_form() {
    let app = App::start().await;
    let made = app.raw("POST", CUSTOMERS).body(json!({ "name": "acme" }).to_string()).send().await;
    let path = format!("{CUSTOMERS}/{}", made.json()["customer"]["id"].as_str().unwrap());
    let tag = made.header("etag").to_owned();
    assert_eq!(app.raw("GET", &path).send().await.header("etag"), tag);
    for (header, status) in
        [("\"0\"", 412), (&*format!("W/{tag}"), 412), ("unquoted", 400), ("", 400), (&*format!("\"0\", {tag}"), 200)]
    {
        let reply = app.raw("DELETE", &path).header("if-match", header).send().await;
        assert_eq!(reply.status, status, "{header}");
        if status != 200 {
            assert_eq!(reply.error().2, "if-match");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_is_sent_again_makes_nothing_new_and_answers_the_same() {
    let app = App::start().await;
    let client = app.client.with_idempotency_key("create-1").unwrap();
    let request = CreateVirtualKey { name: "x".to_owned(), ..CreateVirtualKey::default() };
    let first = client.virtual_key_create(&request).await.unwrap();
    assert_eq!(client.virtual_key_create(&request).await.unwrap(), first, "with its secret");
    let other = CreateVirtualKey { name: "y".to_owned(), ..CreateVirtualKey::default() };
    let refusal = refused(client.virtual_key_create(&other).await);
    assert_eq!((refusal.status, refusal.param.as_deref()), (400, Some("idempotency-key")));
    // Under another operation the same key is another one.
    let customer = CreateCustomer { name: "x".to_owned(), ..CreateCustomer::default() };
    client.customer_create(&customer).await.unwrap();
    assert_eq!(refused(app.client.virtual_key_create(&request).await).status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_the_same_request_at_the_same_place() {
    let app = App::start().await;
    for provider in ["openai", "mistral"] {
        app.provider(provider, "https://api.example.com".parse().unwrap()).await;
    }
    let create = async |provider: &str| {
        let path = format!("/api/providers/{provider}/keys");
        let body = json!({ "name": "second", "value": "fake-provider-secret" }).to_string();
        app.raw("POST", &path).header("idempotency-key", "create-1").body(body).send().await
    };
    assert_eq!(create("openai").await.status, 200);
    assert_eq!(create("openai").await.status, 200);
    let (status, _, at) = create("mistral").await.error();
    assert_eq!((status, at.as_str()), (400, "idempotency-key"), "another provider's key is another request");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_and_deleted_is_not_made_again() {
    let app = App::start().await;
    let client = app.client.with_idempotency_key("create-1").unwrap();
    let request = CreateVirtualKey { name: "x".to_owned(), ..CreateVirtualKey::default() };
    let made = client.virtual_key_create(&request).await.unwrap().virtual_key;
    app.client.virtual_key_delete(&made.id).await.unwrap();
    assert_eq!(refused(client.virtual_key_create(&request).await).status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_cannot_be_repeated_and_says_so() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let (one, all) = (format!("{VIRTUAL_KEYS}/{}/rotate", key.id), format!("{VIRTUAL_KEYS}/rotate"));
    for path in [one, all] {
        let body = json!({ "ids": [key.id] }).to_string();
        let reply = app.raw("POST", &path).header("idempotency-key", "rotate-1").body(body).send().await;
        assert_eq!((reply.status, reply.error().2.as_str()), (400, "idempotency-key"), "{path}");
    }
    assert_eq!(app.client.virtual_key_get(&key.id).await.unwrap().rotated_at, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_creates_at_once_under_one_key_make_one_thing() {
    let app = App::start().await;
    let client = app.client.with_idempotency_key("create-1").unwrap();
    let request = CreateVirtualKey { name: "x".to_owned(), ..CreateVirtualKey::default() };
    let (one, other) = tokio::join!(client.virtual_key_create(&request), client.virtual_key_create(&request));
    assert_eq!(one.unwrap().virtual_key.id, other.unwrap().virtual_key.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_that_cannot_be_read_are_named() {
    let app = App::start().await;
    let body = json!({ "name": "x" }).to_string();
    let create = || app.raw("POST", VIRTUAL_KEYS).body(body.clone());
    let long = "k".repeat(256);
    for request in [
        create().header("idempotency-key", ""),
        create().header("idempotency-key", &long),
        create().header("idempotency-key", [0xFF]),
        create().header("idempotency-key", "a").header("idempotency-key", "b"),
    ] {
        let (status, _, at) = request.send().await.error();
        assert_eq!((status, at.as_str()), (400, "idempotency-key"));
    }
    assert_eq!(create().header("idempotency-key", "a").send().await.status, 200, "none of them made it");
}
