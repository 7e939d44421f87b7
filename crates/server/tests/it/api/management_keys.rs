//! `/api/management-keys`

use keyward_client::{
    ActorKind, Client, CreateManagementKey, CreateTeam, CreateVirtualKey, ErrorCode, ListQuery, ManagementKey,
    ManagementKeyIssued, TeamQuery, UpdateManagementKey, VirtualKeyQuery,
};
use keyward_server::AdminCredential;
use serde_json::{Value, json};

use super::{refused, send};
use crate::harness::App;

mod reach;

const KEYS: &str = "/api/management-keys";

async fn guarded() -> (App, Client) {
    let credential = AdminCredential::new("admin", &"not-a-real-password".into());
    let app = App::builder().settings(|settings| settings.admin = Some(credential)).start().await;
    let admin = app.client_builder().admin("admin", "not-a-real-password").build().unwrap();
    (app, admin)
}

fn request(name: &str, permissions: &[(&str, &str)], more: Value) -> CreateManagementKey {
    let permissions: Vec<_> =
        permissions.iter().map(|(resource, access)| json!({"resource": resource, "access": access})).collect();
    let mut request = json!({ "name": name, "permissions": permissions });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(request).unwrap()
}

fn holder(app: &App, issued: &ManagementKeyIssued) -> Client {
    app.client_builder().management_token(issued.value.as_ref().unwrap().expose()).build().unwrap()
}

async fn issue(app: &App, maker: &Client, request: CreateManagementKey) -> (ManagementKey, Client) {
    let issued = maker.management_key_create(&request).await.unwrap();
    let holder = holder(app, &issued);
    (issued.management_key, holder)
}

fn virtual_key(name: &str) -> CreateVirtualKey {
    CreateVirtualKey { name: name.to_owned(), ..CreateVirtualKey::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_it_was_granted_and_nothing_else() {
    let (app, admin) = guarded().await;
    let (key, reader) = issue(&app, &admin, request("reader", &[("virtual_keys", "read")], json!({}))).await;
    let made = admin.virtual_key_create(&virtual_key("secret")).await.unwrap().virtual_key;
    assert_eq!(
        reader.virtual_key_list(&VirtualKeyQuery::default()).await.unwrap().virtual_keys[0].value,
        made.value.redacted()
    );
    assert_eq!(reader.virtual_key_get(&made.id).await.unwrap().value, made.value.redacted());
    let refusals = [
        refused(reader.virtual_key_create(&virtual_key("x")).await),
        refused(reader.team_list(&TeamQuery::default()).await),
        refused(reader.audit_list(&Default::default()).await),
        refused(reader.management_key_get(&key.id).await),
        refused(reader.session_list().await),
        refused(reader.config_get().await),
    ];
    for refusal in refusals {
        assert_eq!((refusal.status, refusal.code), (403, Some(ErrorCode::PermissionDenied)));
    }
    let (key, writer) = issue(&app, &admin, request("writer", &[("virtual_keys", "write")], json!({}))).await;
    writer.virtual_key_create(&virtual_key("x")).await.unwrap();
    writer.virtual_key_list(&VirtualKeyQuery::default()).await.unwrap();
    let entry = &admin.audit_list(&Default::default()).await.unwrap().entries[0];
    assert_eq!((entry.actor.kind, entry.actor.name.as_str()), (ActorKind::ManagementKey, "writer"));
    assert_eq!(entry.actor.id, key.id.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_refused_when_it_is_off_expired_rotated_or_deleted() {
    let (app, admin) = guarded().await;
    let (key, client) = issue(&app, &admin, request("x", &[("teams", "write")], json!({}))).await;
    let refuses = async |client: &Client| refused(client.team_list(&TeamQuery::default()).await).status;
    let off = UpdateManagementKey { is_active: Some(false), ..Default::default() };
    admin.management_key_update(&key.id, &off).await.unwrap();
    assert_eq!(refuses(&client).await, 401);
    let on = UpdateManagementKey { is_active: Some(true), ..Default::default() };
    admin.management_key_update(&key.id, &on).await.unwrap();
    client.team_list(&TeamQuery::default()).await.unwrap();
    let rotated = admin.management_key_rotate(&key.id).await.unwrap();
    assert_eq!(refuses(&client).await, 401);
    let client = holder(&app, &rotated);
    client.team_list(&TeamQuery::default()).await.unwrap();
    admin.management_key_delete(&key.id).await.unwrap();
    assert_eq!(refuses(&client).await, 401);
    let past = json!({ "name": "y", "permissions": [{"resource": "teams", "access": "read"}], "expires_at": "2020-01-01T00:00:00Z" });
    let reply = app.raw("POST", KEYS).header("authorization", "Basic YWRtaW46bm90LWEtcmVhbC1wYXNzd29yZA==");
    assert_eq!(reply.body(past.to_string()).send().await.error().2, "/expires_at");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_is_told_once() {
    let app = App::start().await;
    let client = app.client.with_idempotency_key("create-1").unwrap();
    let asked = request("x", &[("teams", "read")], json!({}));
    let issued = client.management_key_create(&asked).await.unwrap();
    let secret = issued.value.as_ref().unwrap().expose().to_owned();
    assert!(secret.starts_with("sk-kw-"));
    let again = client.management_key_create(&asked).await.unwrap();
    assert_eq!((&again.management_key, &again.value), (&issued.management_key, &None));
    let told = [
        format!("{:?}", app.client.management_key_get(&issued.management_key.id).await.unwrap()),
        serde_json::to_string(&app.client.management_key_list(&ListQuery::default()).await.unwrap()).unwrap(),
        serde_json::to_string(&app.client.audit_list(&Default::default()).await.unwrap()).unwrap(),
        format!("{issued:?}"),
    ];
    assert!(told.iter().all(|text| !text.contains(&secret)));
    assert_eq!(refused(app.client.management_key_create(&asked).await).status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn management_keys_do_not_infer_and_virtual_keys_do_not_manage() {
    let (app, admin) = guarded().await;
    let issued = admin.management_key_create(&request("x", &[("virtual_keys", "write")], json!({}))).await.unwrap();
    let secret = issued.value.unwrap().expose().to_owned();
    for path in ["/v1/chat/completions", "/api/governance/virtual-keys/quota"] {
        let method = if path.starts_with("/v1") { "POST" } else { "GET" };
        for (name, value) in [
            ("authorization", format!("Bearer {secret}")),
            ("x-api-key", secret.clone()),
            ("x-bf-vk", secret.clone()),
            ("api-key", secret.clone()),
        ] {
            let reply = app.raw(method, path).header(name, value).body("{}").send().await;
            assert_eq!((reply.error().0, reply.error().1), (403, "management_key_refused".to_owned()), "{path} {name}");
            assert!(!String::from_utf8(reply.body).unwrap().contains(&secret));
        }
    }
    let key = admin.virtual_key_create(&virtual_key("x")).await.unwrap().virtual_key;
    for (name, value) in
        [("authorization", format!("Bearer {}", key.value.expose())), ("x-api-key", key.value.expose().to_owned())]
    {
        assert_eq!(app.raw("GET", KEYS).header(name, value).send().await.status, 401, "{name}");
    }
    assert_eq!(app.raw("GET", "/api/governance/virtual-keys").header("x-api-key", &secret).send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_grants_more_than_they_have() {
    let (app, admin) = guarded().await;
    let permissions = [("management_keys", "write"), ("virtual_keys", "read")];
    let until = json!({ "expires_at": "2050-01-01T00:00:00Z" });
    let (own, deputy) = issue(&app, &admin, request("deputy", &permissions, until.clone())).await;
    let (strong, _) = issue(&app, &admin, request("strong", &[("virtual_keys", "write")], until.clone())).await;
    for (asked, param) in [
        (request("a", &[("virtual_keys", "write")], until.clone()), "/permissions/0"),
        (request("b", &[("virtual_keys", "read"), ("teams", "read")], until.clone()), "/permissions/1"),
        (request("c", &[("virtual_keys", "read")], json!({})), "/expires_at"),
        (request("d", &[("virtual_keys", "read")], json!({ "expires_at": "2050-01-01T00:00:01Z" })), "/expires_at"),
    ] {
        let refusal = refused(deputy.management_key_create(&asked).await);
        assert_eq!((refusal.status, refusal.param.as_deref()), (403, Some(param)));
    }
    let (weak, _) = issue(&app, &deputy, request("e", &[("virtual_keys", "read")], until)).await;
    let more: UpdateManagementKey =
        serde_json::from_value(json!({ "permissions": [{ "resource": "config", "access": "write" }] })).unwrap();
    let rename = UpdateManagementKey { name: "mine".to_owned().into(), ..Default::default() };
    let refusals = [
        refused(deputy.management_key_update(&weak.id, &more).await),
        refused(deputy.management_key_update(&own.id, &more).await),
        refused(deputy.management_key_update(&strong.id, &rename).await),
        refused(deputy.management_key_rotate(&strong.id).await),
        refused(deputy.management_key_delete(&strong.id).await),
    ];
    assert!(refusals.iter().all(|refusal| refusal.code == Some(ErrorCode::PermissionDenied)));
    deputy.management_key_rotate(&weak.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_cannot_make_itself_the_administrator() {
    let (app, admin) = guarded().await;
    let (_, client) = issue(&app, &admin, request("x", &[("config", "write")], json!({}))).await;
    client
        .config_update(&serde_json::from_value(json!({ "client_config": { "vk_rotation_cooldown": "1h" } })).unwrap())
        .await
        .unwrap();
    let trust = json!({ "client_config": { "allowed_origins": ["https://evil.example"] } });
    let refusal = refused(client.config_update(&serde_json::from_value(trust).unwrap()).await);
    assert_eq!(refusal.param.as_deref(), Some("/client_config/allowed_origins"));
    let open = App::start().await;
    let (_, client) = issue(&open, &open.client, request("x", &[("config", "write")], json!({}))).await;
    let take =
        json!({ "auth_config": { "is_enabled": true, "admin_username": "me", "admin_password": "a-fake-password" } });
    let refusal = refused(client.config_update(&serde_json::from_value(take).unwrap()).await);
    assert_eq!((refusal.code, refusal.param.as_deref()), (Some(ErrorCode::PermissionDenied), Some("/auth_config")));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_named() {
    let app = App::start().await;
    let read = json!([{ "resource": "teams", "access": "read" }]);
    for (body, param) in [
        (json!({ "permissions": read }), "/name"),
        (json!({ "name": "x", "permissions": [] }), "/permissions"),
        (
            json!({ "name": "x", "permissions": [{ "resource": "everything", "access": "read" }] }),
            "/permissions/0/resource",
        ),
        (json!({ "name": "x", "permissions": [{ "resource": "teams", "acess": "read" }] }), "/permissions/0/acess"),
        (json!({ "name": "x", "permissions": read, "team_id": "nobody" }), "/team_id"),
    ] {
        let (status, _, at) = send(&app, "POST", KEYS, &body).await.error();
        assert_eq!((status, at.as_str()), (400, param), "{body}");
    }
    assert_eq!(refused(app.client.management_key_get(&"nobody".into()).await).status, 404);
    assert_eq!(app.client.management_key_list(&ListQuery::default()).await.unwrap().total_count, 0);
    let team = CreateTeam { name: "t".to_owned(), ..CreateTeam::default() };
    let team = app.client.team_create(&team).await.unwrap().team;
    let body = json!({ "name": "x", "permissions": read, "team_id": team.id.as_str() });
    assert_eq!(send(&app, "POST", KEYS, &body).await.status, 200);
}
