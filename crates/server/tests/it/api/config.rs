//! `/api/config`

use std::net::SocketAddr;

use keyward_client::{ConfigSource, ErrorCode, ServerConfig, UpdateConfig, Versioned as _};
use keyward_server::AdminCredential;
use serde_json::{Value, json};

use super::{done, refused, send, told};
use crate::harness::App;

const CONFIG: &str = "/api/config";
const PASSWORD: &str = "not-a-real-password";

fn update(request: Value) -> UpdateConfig {
    serde_json::from_value(request).unwrap()
}

fn credential(password: &str) -> Value {
    json!({ "auth_config": { "is_enabled": true, "admin_username": "admin", "admin_password": password } })
}

fn admin(app: &App, password: &str) -> keyward_client::Client {
    app.client_builder().admin("admin", password.to_owned()).build().unwrap()
}

/// A server that others could reach, with a credential of the configuration file.
async fn public() -> App {
    let seed = AdminCredential::new("admin", &PASSWORD.into()).as_seed();
    App::builder()
        .settings(|settings| {
            settings.admin = Some(seed);
            settings.listen = SocketAddr::from(([0, 0, 0, 0], 0));
        })
        .start()
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_kept_over_a_restart_and_says_where_it_comes_from() {
    let app = App::start().await;
    let fresh = app.client.config_get().await.unwrap();
    assert_eq!((fresh.auth_config.source, fresh.auth_config.is_enabled), (ConfigSource::Default, false));
    let request =
        json!({ "client_config": { "vk_rotation_cooldown": "24h", "allowed_origins": ["https://a.example"] } });
    let edited = done(&app, "PUT", CONFIG, request).await;
    assert_eq!(edited["client_config"]["vk_rotation_cooldown"], json!(86_400_000_000_000_i64));
    // An answer can be sent back.
    let again = done(&app, "PUT", CONFIG, edited.clone()).await;
    assert_eq!((&again["client_config"], &again["auth_config"]), (&edited["client_config"], &edited["auth_config"]));
    app.client.config_update(&update(credential(PASSWORD))).await.unwrap();
    let app = app.restarted().await;
    let config = admin(&app, PASSWORD).config_get().await.unwrap();
    assert_eq!(config.client_config.allowed_origins, ["https://a.example"]);
    assert_eq!((config.auth_config.source, config.auth_config.is_enabled), (ConfigSource::Database, true));
    assert_eq!(config.auth_config.admin_password, "********");
    assert_eq!(refused(app.client.config_get().await).status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_in_force_at_once_and_audited_without_the_password() {
    let app = App::start().await;
    app.client.config_update(&update(credential(PASSWORD))).await.unwrap();
    assert_eq!(refused(app.client.config_get().await).status, 401);
    let first = admin(&app, PASSWORD);
    first
        .config_update(&update(json!({ "auth_config": { "admin_password": "another-fake-password" } })))
        .await
        .unwrap();
    assert_eq!(refused(first.config_get().await).status, 401, "what was remembered is forgotten");
    let second = admin(&app, "another-fake-password");
    second.config_update(&update(json!({ "auth_config": { "admin_password": "********" } }))).await.unwrap();
    let log = second.audit_list(&Default::default()).await.unwrap();
    let text = serde_json::to_string(&log).unwrap();
    assert!(text.contains("config_update") && !text.contains("fake-password") && !text.contains("argon2"), "{text}");
    second.config_update(&update(json!({ "auth_config": { "is_enabled": false } }))).await.unwrap();
    app.client.config_get().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_others_reach_keeps_its_credential() {
    let app = public().await;
    let client = admin(&app, PASSWORD);
    assert_eq!(client.config_get().await.unwrap().auth_config.source, ConfigSource::ConfigFile);
    for (request, param) in [
        (json!({ "is_enabled": false }), "/auth_config/is_enabled"),
        (json!({ "admin_password": null }), "/auth_config/admin_password"),
        (json!({ "admin_username": null }), "/auth_config/admin_username"),
        (json!({ "admin_password": "env.NOT_SET_ANYWHERE" }), "/auth_config/admin_password"),
        (json!({ "admin_password": "env.KEYWARD_ROOT_KEY" }), "/auth_config/admin_password"),
    ] {
        let refusal = refused(client.config_update(&update(json!({ "auth_config": request }))).await);
        assert_eq!(told(&refusal).0, 400);
        assert_eq!(refusal.param.as_deref(), Some(param));
    }
    // The database wins over the file, and a name alone keeps the file's password.
    client.config_update(&update(json!({ "auth_config": { "admin_username": "root" } }))).await.unwrap();
    let root = app.client_builder().admin("root", PASSWORD).build().unwrap();
    assert_eq!(root.config_get().await.unwrap().auth_config.source, ConfigSource::Database);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_cannot_be_overruled() {
    let app = App::builder()
        .settings(|settings| settings.admin = Some(AdminCredential::new("admin", &PASSWORD.into())))
        .start()
        .await;
    let client = admin(&app, PASSWORD);
    let config: ServerConfig = client.config_get().await.unwrap();
    assert_eq!(config.auth_config.source, ConfigSource::Environment);
    let refusal = refused(client.config_update(&update(credential("another-fake-password"))).await);
    let (status, param, message) = told(&refusal);
    assert_eq!((status, param), (400, "/auth_config"));
    assert!(message.contains("KEYWARD_ADMIN_PASSWORD") && !message.contains("fake"));
    // What changes nothing is no attempt to overrule it.
    let same = json!({ "auth_config": config.auth_config, "client_config": { "vk_rotation_cooldown": "1m" } });
    client.config_update(&update(same)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_enforced_is_refused_by_name() {
    let app = App::start().await;
    for (request, param) in [
        (
            json!({ "client_config": { "enforce_auth_on_inference": false } }),
            "/client_config/enforce_auth_on_inference",
        ),
        (json!({ "client_config": { "vk_rotation_cooldown": "31d" } }), "/client_config/vk_rotation_cooldown"),
        (json!({ "client_config": { "enable_logging": true } }), "/client_config/enable_logging"),
        (json!({ "framework_config": {} }), "/framework_config"),
        (json!({ "auth_config": { "is_enabled": true } }), "/auth_config/admin_username"),
        (
            json!({ "auth_config": { "admin_username": "a", "admin_password": "7 chars" } }),
            "/auth_config/admin_password",
        ),
    ] {
        let (status, _, at) = send(&app, "PUT", CONFIG, &request).await.error();
        assert_eq!((status, at.as_str()), (400, param), "{request}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_can_insist_on_the_version_that_was_read() {
    let app = App::start().await;
    let read = app.client.config_get().await.unwrap();
    let first = app.client.if_match(read.version()).unwrap();
    let edit = update(json!({ "client_config": { "vk_rotation_cooldown": 5 } }));
    first.config_update(&edit).await.unwrap();
    assert_eq!(refused(first.config_update(&edit).await).code, Some(ErrorCode::PreconditionFailed));
}

/// A preflight is no operation of the document, so it is asked past the contract.
async fn preflight(app: &App, path: &str, origin: &str) -> reqwest::Response {
    let url = reqwest::Url::parse(&format!("{}{path}", app.url)).unwrap();
    let mut request = reqwest::Request::new(reqwest::Method::OPTIONS, url);
    for (name, value) in [("origin", origin), ("access-control-request-method", "PUT")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    use keyward_client::Transport as _;
    keyward_client::HttpTransport::new().unwrap().execute(request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_allowed_origins_may_call() {
    let app = public().await;
    let client = admin(&app, PASSWORD);
    let origins = json!({ "client_config": { "allowed_origins": ["https://a.example"] } });
    client.config_update(&update(origins)).await.unwrap();
    for (origin, allowed, cookies) in [
        ("https://a.example", Some("https://a.example"), true),
        ("http://localhost:3000", Some("http://localhost:3000"), false),
        ("https://b.example", None, false),
        ("null", None, false),
    ] {
        let answer = preflight(&app, CONFIG, origin).await;
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(answer.status().as_u16(), if allowed.is_some() { 200 } else { 405 }, "{origin}");
        assert_eq!(header("access-control-allow-origin"), allowed, "{origin}");
        assert_eq!(header("access-control-allow-credentials").is_some(), cookies, "{origin}");
        let refusal = app.raw("GET", CONFIG).header("origin", origin).send().await;
        assert_eq!((refusal.status, refusal.header("access-control-allow-origin")), (401, allowed.unwrap_or_default()));
    }
    let any = json!({ "client_config": { "allowed_origins": ["*"] } });
    client.config_update(&update(any)).await.unwrap();
    let answer = preflight(&app, CONFIG, "https://b.example").await;
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    let gateway = preflight(&app, "/v1/chat/completions", "https://b.example").await;
    assert!(!gateway.headers().contains_key("access-control-allow-origin"), "the management API only");
}
