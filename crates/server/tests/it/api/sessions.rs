//! `/api/session/…`, `/api/sessions`

use std::time::Duration;

use keyward_client::{AuthType, ErrorCode, Login};
use keyward_server::AdminCredential;
use serde_json::json;

use super::{done, refused, send, told};
use crate::harness::{App, Reply};

const PASSWORD: &str = "not-a-real-password";
const TEAMS: &str = "/api/governance/teams";

async fn guarded() -> App {
    let seed = AdminCredential::new("admin", &PASSWORD.into()).as_seed();
    App::builder().settings(|settings| settings.admin = Some(seed)).start().await
}

async fn login(app: &App) -> Reply {
    send(app, "POST", "/api/session/login", &json!({ "username": "admin", "password": PASSWORD })).await
}

/// The token of a new session.
async fn token(app: &App) -> String {
    let reply = login(app).await;
    assert_eq!(reply.status, 200);
    let cookie = reply.header("set-cookie");
    cookie.strip_prefix("token=").unwrap().split(';').next().unwrap().to_owned()
}

fn bearer(app: &App, token: &str) -> keyward_client::Client {
    app.client_builder().management_token(token.to_owned()).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_sets_a_cookie_that_no_script_reads() {
    let app = guarded().await;
    let reply = login(&app).await;
    assert_eq!(reply.json(), json!({ "message": "Login successful" }));
    let cookie = reply.header("set-cookie");
    assert!(cookie.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"), "{cookie}");
    let body = json!({ "username": "admin", "password": PASSWORD }).to_string();
    let request = app.raw("POST", "/api/session/login").header("x-forwarded-proto", "https").body(body);
    assert!(request.send().await.header("set-cookie").ends_with("; Secure"));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_logins_are_told_apart_from_malformed_ones() {
    let app = guarded().await;
    let login = |username: &str, password: &str| Login { username: username.to_owned(), password: password.to_owned() };
    for wrong in [login("admin", "x"), login("root", PASSWORD), login("", "")] {
        let refusal = refused(app.client.session_login(&wrong).await);
        assert_eq!(told(&refusal), (401, "", "Invalid username or password"));
    }
    for body in [json!({}), json!({ "username": 1, "password": "x" }), json!([])] {
        assert_eq!(send(&app, "POST", "/api/session/login", &body).await.status, 400, "{body}");
    }
    let open = App::start().await;
    let refusal = refused(open.client.session_login(&login("admin", PASSWORD)).await);
    assert_eq!(
        (told(&refusal).2, refusal.code),
        ("Authentication is not enabled", Some(ErrorCode::AuthenticationDisabled))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_manages_until_it_is_ended() {
    let app = guarded().await;
    let (one, other) = (token(&app).await, token(&app).await);
    let (first, second) = (bearer(&app, &one), bearer(&app, &other));
    let status = first.session_status().await.unwrap();
    assert!(status.is_auth_enabled && status.has_valid_token && status.auth_type == AuthType::Password);
    assert!(!app.client.session_status().await.unwrap().has_valid_token);
    let sessions = first.session_list().await.unwrap().sessions;
    assert_eq!(sessions.len(), 2);
    assert_eq!((sessions[0].username.as_str(), sessions[0].source.as_str()), ("admin", "127.0.0.1"));
    first.session_delete(&sessions[1].id).await.unwrap();
    assert_eq!(refused(second.session_list().await).status, 401);
    assert_eq!(refused(first.session_delete(&sessions[1].id).await).status, 404);
    first.session_logout().await.unwrap();
    assert_eq!(refused(first.session_list().await).status, 401);
    assert!(!first.session_status().await.unwrap().has_valid_token);
    first.session_logout().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_stored_or_told() {
    let app = guarded().await;
    let token = token(&app).await;
    let client = bearer(&app, &token);
    let told = [
        serde_json::to_string(&client.session_list().await.unwrap()).unwrap(),
        serde_json::to_string(&client.audit_list(&Default::default()).await.unwrap()).unwrap(),
    ];
    assert!(told[1].contains("session_login"));
    assert!(told.iter().all(|text| !text.contains(&token) && !text.contains(PASSWORD)));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_ends_all_sessions_and_a_restart_none() {
    let app = guarded().await;
    let token = token(&app).await;
    let app = app.restarted().await;
    let client = bearer(&app, &token);
    client.session_list().await.unwrap();
    let request = json!({ "auth_config": { "admin_password": PASSWORD } });
    client.config_update(&serde_json::from_value(request).unwrap()).await.unwrap();
    assert_eq!(refused(client.session_list().await).status, 401, "also when it is the same password once more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_session_is_over() {
    let seed = AdminCredential::new("admin", &PASSWORD.into());
    let app = App::builder()
        .settings(|settings| {
            settings.admin = Some(seed);
            settings.session_idle_limit = Duration::ZERO;
        })
        .start()
        .await;
    let token = token(&app).await;
    assert_eq!(refused(bearer(&app, &token).session_list().await).status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_changes_nothing_for_pages_of_elsewhere() {
    let app = guarded().await;
    let cookie = format!("token={}", token(&app).await);
    let own = app.url.clone();
    let get = app.raw("GET", TEAMS).header("cookie", &cookie).send().await;
    assert_eq!(get.status, 200, "reading needs no proof: other origins cannot see the answer");
    for (name, value, status) in [
        ("origin", own.as_str(), 200),
        ("sec-fetch-site", "same-origin", 200),
        ("origin", "https://evil.example", 403),
        ("origin", "http://localhost:1", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("accept", "*/*", 403),
    ] {
        let body = json!({ "name": format!("{name} {value}") }).to_string();
        let reply = app.raw("POST", TEAMS).header("cookie", &cookie).header(name, value).body(body).send().await;
        assert_eq!(reply.status, status, "{name} {value}");
    }
    let logout = app.raw("POST", "/api/session/logout").header("cookie", &cookie);
    assert_eq!(logout.header("origin", "https://evil.example").send().await.error().1, "forbidden_origin");
    let logout = app.raw("POST", "/api/session/logout").header("cookie", &cookie).header("origin", own).send().await;
    assert!(logout.header("set-cookie").starts_with("token=; Path=/; Max-Age=0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_way_of_a_password_as_bearer_token_is_understood() {
    let app = guarded().await;
    let pair = "YWRtaW46bm90LWEtcmVhbC1wYXNzd29yZA==";
    bearer(&app, pair).session_list().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_has_to_wait_and_others_do_not() {
    let app = guarded().await;
    let admin = app.client_builder().admin("admin", PASSWORD).build().unwrap();
    admin.session_list().await.unwrap();
    let wrong = |name: &str| app.client_builder().admin(name.to_owned(), "a guess").build().unwrap();
    for _ in 0..5 {
        assert_eq!(refused(wrong("admin").session_list().await).status, 401);
    }
    let refusal = refused(wrong("somebody").session_list().await);
    assert_eq!((refusal.status, refusal.code), (429, Some(ErrorCode::LoginThrottled)), "by address");
    assert!(refusal.retry_after.is_some());
    let login = refused(app.client.session_login(&Login { username: "x".to_owned(), password: "y".to_owned() }).await);
    assert_eq!(login.status, 429);
    // Whoever has been let in already is not looked at again.
    admin.session_list().await.unwrap();
    done(&app, "POST", "/api/session/logout", json!({})).await;
}
