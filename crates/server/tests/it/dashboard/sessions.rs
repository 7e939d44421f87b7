//! Sessions of the dashboard: what bounds them, and what ends them.

use keyward_client::{CreateVirtualKey, Resource, UpdateManagementKey};
use serde_json::{Value, json};

use super::{Browser, PASSWORD, TEAMS, admin, guarded, management_key, text};
use crate::harness::App;

const KEYS: &str = "/api/governance/virtual-keys";

fn grants(access: &str) -> Value {
    json!([
        { "resource": Resource::VirtualKeys, "access": access },
        { "resource": Resource::Teams, "access": access },
        { "resource": Resource::Usage, "access": "read" },
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_needs_the_token_of_a_page() {
    let app = guarded().await;
    let (browser, other) = (Browser::administrator(&app).await, Browser::administrator(&app).await);
    let (token, strange) = (browser.token().await, other.token().await);
    assert_ne!(token, strange);
    let body = json!({ "name": "a team" });
    for wrong in [None, Some(""), Some("x"), Some(strange.as_str())] {
        let reply = browser.call("POST", TEAMS, wrong, &body).await;
        assert_eq!((reply.status, reply.error().1.as_str()), (403, "forbidden_origin"), "{wrong:?}");
    }
    let foreign = [("origin", "https://evil.example"), ("x-csrf-token", token.as_str())];
    let reply = browser.send("POST", TEAMS, &foreign, body.to_string()).await;
    assert_eq!(reply.status, 403, "the token does not stand in for the origin");
    assert_eq!(browser.call("POST", TEAMS, Some(&token), &body).await.status, 200);
    assert_eq!(browser.call("GET", TEAMS, None, &json!(null)).await.status, 200, "reading needs none");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_the_api_need_no_page() {
    let app = guarded().await;
    let login = json!({ "username": "admin", "password": PASSWORD });
    let mut browser = Browser::at(&app);
    let reply = browser.call("POST", "/api/session/login", None, &login).await;
    browser.cookie = Some(reply.header("set-cookie").split(';').next().unwrap().to_owned());
    assert_eq!(browser.call("POST", TEAMS, None, &json!({ "name": "a team" })).await.status, 200);
    let sessions = admin(&app).session_list().await.unwrap().sessions;
    assert!(!sessions[0].from_dashboard && sessions[0].management_key_id.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_refused_call_makes_a_browser_ask_for_a_password() {
    let app = guarded().await;
    let browser = Browser::at(&app);
    let told = async |token| browser.call("POST", TEAMS, token, &json!({})).await.header("www-authenticate").to_owned();
    for token in [None, Some("x")] {
        assert_eq!(told(token).await, "Keyward realm=\"keyward\"");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_only_read_changes_nothing_by_click_or_by_hand() {
    let app = guarded().await;
    let client = admin(&app);
    let request = CreateVirtualKey { name: "a virtual key".to_owned(), ..Default::default() };
    let key = client.virtual_key_create(&request).await.unwrap().virtual_key;
    let (_, secret) = management_key(&app, grants("read")).await;
    let reader = Browser::holder(&app, &secret).await;
    let page = format!("/virtual-keys/{}", key.id);
    for path in ["/", "/virtual-keys", "/teams", page.as_str()] {
        let shown = text(&reader.get(path).await);
        for offer in ["data-action", "data-reveals", "data-opens", "/new", "/edit", "Make a"] {
            assert!(!shown.contains(offer), "{path} offers {offer}");
        }
    }
    for path in ["/new/virtual-keys", "/new/teams", &format!("{page}/edit")] {
        assert_eq!(reader.get(path).await.status, 403, "{path}");
    }
    let token = reader.token().await;
    let one = format!("{KEYS}/{}", key.id);
    for (method, path, body) in [
        ("POST", KEYS, json!({ "name": "another" })),
        ("PUT", one.as_str(), json!({ "is_active": false })),
        ("DELETE", one.as_str(), json!({})),
        ("POST", TEAMS, json!({ "name": "a team" })),
    ] {
        let reply = reader.call(method, path, Some(&token), &body).await;
        assert_eq!((reply.status, reply.error().1.as_str()), (403, "permission_denied"), "{method} {path}");
    }
    assert!(!text(&reader.get(&page).await).contains(key.value.expose()), "nor does it see the secret");

    let (_, secret) = writing_key(&app).await;
    let writer = Browser::holder(&app, &secret).await;
    assert!(text(&writer.get(&page).await).contains("data-action"));
    let token = writer.token().await;
    assert_eq!(writer.call("PUT", &one, Some(&token), &json!({ "is_active": false })).await.status, 200);
    let log = serde_json::to_value(client.audit_list(&Default::default()).await.unwrap()).unwrap();
    assert_eq!(log["entries"][0]["actor"]["kind"], "management_key", "{log}");
}

async fn writing_key(app: &App) -> (keyward_client::ManagementKey, String) {
    let request = json!({ "name": "a writer", "permissions": grants("write") });
    let made = admin(app).management_key_create(&serde_json::from_value(request).unwrap()).await.unwrap();
    (made.management_key, made.value.unwrap().expose().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_can_what_its_key_can_now() {
    let app = guarded().await;
    let (key, secret) = management_key(&app, grants("read")).await;
    let browser = Browser::holder(&app, &secret).await;
    assert_eq!(browser.get("/teams").await.status, 200);
    let narrowed = json!({ "permissions": [{ "resource": Resource::Usage, "access": "read" }] });
    let request: UpdateManagementKey = serde_json::from_value(narrowed).unwrap();
    admin(&app).management_key_update(&key.id, &request).await.unwrap();
    assert_eq!((browser.get("/").await.status, browser.get("/teams").await.status), (200, 403));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_its_key() {
    let app = guarded().await;
    let client = admin(&app);
    let update = |change: Value| serde_json::from_value::<UpdateManagementKey>(change).unwrap();
    let (key, secret) = management_key(&app, grants("read")).await;
    let status = async |browser: &Browser| browser.get("/teams").await.status;

    let browser = Browser::holder(&app, &secret).await;
    let listed = client.session_list().await.unwrap().sessions;
    assert_eq!(listed[0].management_key_id.as_ref(), Some(&key.id));
    client.management_key_update(&key.id, &update(json!({ "description": "the same" }))).await.unwrap();
    assert_eq!(status(&browser).await, 200, "another edit ends nothing");
    client.management_key_update(&key.id, &update(json!({ "is_active": false }))).await.unwrap();
    assert_eq!(status(&browser).await, 303, "switched off");
    assert_eq!(Browser::at(&app).post("/login", &[("management_key", &secret)]).await.status, 401);
    client.management_key_update(&key.id, &update(json!({ "is_active": true }))).await.unwrap();
    assert_eq!(status(&browser).await, 303, "for good");

    let browser = Browser::holder(&app, &secret).await;
    let rotated = client.management_key_rotate(&key.id).await.unwrap();
    assert_eq!(status(&browser).await, 303, "rotated");

    let browser = Browser::holder(&app, rotated.value.unwrap().expose()).await;
    client.management_key_delete(&key.id).await.unwrap();
    assert_eq!(status(&browser).await, 303, "deleted");
    assert_eq!(client.session_list().await.unwrap().count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_limited_key_stays_in_its_team_and_can_sign_out() {
    let app = guarded().await;
    let client = admin(&app);
    let team = |name: &str| keyward_client::CreateTeam { name: name.to_owned(), ..Default::default() };
    let own = client.team_create(&team("own team")).await.unwrap().team;
    let other = client.team_create(&team("other team")).await.unwrap().team;
    let request = json!({ "name": "limited", "permissions": grants("write"), "team_id": own.id });
    let made = client.management_key_create(&serde_json::from_value(request).unwrap()).await.unwrap();
    let browser = Browser::holder(&app, made.value.unwrap().expose()).await;
    let list = text(&browser.get("/teams").await);
    assert!(list.contains("own team") && !list.contains("other team"), "{list}");
    assert_eq!(browser.get(&format!("/teams/{}", other.id)).await.status, 404);
    let page = text(&browser.get(&format!("/teams/{}", own.id)).await);
    assert!(!page.contains("data-action"), "nobody changes the team whose limits are their ceiling: {page}");
    let token = browser.token().await;
    let made = browser.call("POST", KEYS, Some(&token), &json!({ "name": "of the team" })).await;
    assert_eq!(made.json()["virtual_key"]["team_id"], json!(own.id));
    assert_eq!(browser.post("/logout", &[("csrf_token", &token)]).await.status, 303);
    assert_eq!(browser.get("/").await.status, 303);
}
