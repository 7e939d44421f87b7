//! Credentials: the same key in any of the five headers, before anything else is looked at.

use crate::gateway::with_budget;
use crate::harness::App;

const BODY: &str = r#"{"model":"demo/echo","messages":[{"role":"user","content":"hi"}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn any_of_the_five_headers_calls() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let value = key.value.expose().to_owned();
    let bearer = format!("Bearer {value}");
    for (header, value) in [
        ("x-bf-vk", &value),
        ("authorization", &bearer),
        ("x-api-key", &value),
        ("x-goog-api-key", &value),
        ("api-key", &value),
    ] {
        let reply = app.raw("POST", "/v1/chat/completions").header(header, value).body(BODY).send().await;
        assert_eq!(reply.status, 200, "{header}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_wrong_or_ambiguous_key_is_refused_before_the_body_is_read() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let unknown = "sk-bf-00000000-0000-4000-8000-000000000000";
    type Headers<'a> = &'a [(&'a str, &'a [u8])];
    let cases: [(Headers<'_>, _); 5] = [
        (&[], (401, "virtual_key_required", "")),
        (&[("x-bf-vk", unknown.as_bytes())], (401, "invalid_api_key", "")),
        (&[("authorization", b"Bearer sk-someone-elses")], (401, "invalid_api_key", "authorization")),
        (
            &[("x-bf-vk", unknown.as_bytes()), ("x-api-key", key.value.expose().as_bytes())],
            (400, "conflicting_credentials", "x-api-key"),
        ),
        (&[("x-bf-vk", b"sk-bf-\xff\xfe")], (400, "invalid_request", "x-bf-vk")),
    ];
    for (headers, expected) in cases {
        let raw = app.raw("POST", "/v1/chat/completions").body("not even JSON");
        let raw = headers.iter().fold(raw, |raw, (name, value)| raw.header(name, value));
        let (status, code, param) = raw.send().await.error();
        assert_eq!((status, code.as_str(), param.as_str()), expected);
    }
    assert_eq!(app.simulator.bill().requests, 0);
}

/// The management credential is no virtual key, and a virtual key manages nothing.
#[tokio::test(flavor = "multi_thread")]
async fn inference_and_management_do_not_share_credentials() {
    let admin = keyward_server::AdminCredential::new("admin", &"not-a-real-password".into());
    let app = App::builder().settings(|settings| settings.admin = Some(admin)).start().await;
    let manager = app.client_builder().admin("admin", "not-a-real-password").build().unwrap();
    let request = keyward_client::CreateVirtualKey { name: "key".into(), ..Default::default() };
    let key = manager.virtual_key_create(&request).await.unwrap().virtual_key;
    let bearer = format!("Bearer {}", key.value.expose());
    let reply = app.raw("GET", "/api/governance/virtual-keys").header("authorization", bearer).send().await;
    assert_eq!(reply.error().0, 401);
    // Basic, admin:not-a-real-password
    let basic = "Basic YWRtaW46bm90LWEtcmVhbC1wYXNzd29yZA==";
    let reply = app.raw("POST", "/v1/chat/completions").header("authorization", basic).body(BODY).send().await;
    assert_eq!(reply.error().1, "invalid_api_key");
}

/// What the key may do when its request is complete is what counts, not what it could when the request began.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_deleted_while_its_body_comes_is_refused() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let (first, second) = BODY.split_at(10);
    let (sender, receiver) = tokio::sync::mpsc::channel::<&str>(1);
    let pieces = futures_util::stream::unfold(receiver, async |mut receiver| {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), receiver))
    });
    let raw = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose());
    let calling = raw.body(reqwest::Body::wrap_stream(pieces)).send();
    let deleting = async {
        sender.send(first).await.unwrap();
        app.client.virtual_key_delete(&key.id).await.unwrap();
        sender.send(second).await.unwrap();
        drop(sender);
    };
    let (reply, ()) = tokio::join!(calling, deleting);
    assert_eq!(reply.error().1, "invalid_api_key");
    assert_eq!(app.simulator.bill().requests, 0);
}
