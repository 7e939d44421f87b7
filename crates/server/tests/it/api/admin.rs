//! Who may manage: walks the document, so that no operation can be forgotten.

use keyward_client::VirtualKeyQuery;
use keyward_server::AdminCredential;

use super::VIRTUAL_KEYS;
use crate::harness::{App, Contract};

/// These need no admin: the quota is the virtual key's own, probes have no credential, and a login is how one is shown.
pub const OPEN: [&str; 7] =
    ["health", "livez", "readyz", "session_login", "session_logout", "session_status", "virtual_key_quota"];

async fn guarded() -> App {
    let credential = AdminCredential::new("admin", &"not-a-real-password".into());
    App::builder().settings(|settings| settings.admin = Some(credential)).start().await
}

/// Method, path, and whether an admin is asked for, of every operation of the management document.
fn operations() -> Vec<(String, String, bool)> {
    let contract = Contract::new();
    let mut operations = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for (template, item) in contract.documents()[0]["paths"].as_object().unwrap() {
        let path: Vec<&str> =
            template.split('/').map(|segment| if segment.starts_with('{') { "x" } else { segment }).collect();
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            open.extend(OPEN.iter().filter(|open| **open == id));
            operations.push((method.to_uppercase(), path.join("/"), !OPEN.contains(&id)));
        }
    }
    open.sort_unstable();
    assert_eq!(open, OPEN, "an exception that there is no operation for");
    assert!(operations.len() > 20);
    operations
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_asks_for_the_admin() {
    let app = guarded().await;
    for (method, path, asks) in operations() {
        // The body is none that could be read: the credential comes first.
        let reply = app.raw(&method, &path).body("{").send().await;
        match (asks, path.ends_with("/quota")) {
            (true, _) => {
                let expected = (401, "unauthorized".to_owned(), String::new());
                assert_eq!(reply.error(), expected, "{method} {path}");
                assert_eq!(reply.header("www-authenticate"), "Keyward realm=\"keyward\"");
            }
            (false, true) => assert_eq!(reply.error().1, "virtual_key_required"),
            (false, false) if path.ends_with("/login") => assert_eq!(reply.error().1, "invalid_json"),
            (false, false) => assert_eq!(reply.status, 200, "{method} {path}"),
        }
        let authorised = app.raw(&method, &path).header("authorization", "Basic YWRtaW46bm90LWEtcmVhbC1wYXNzd29yZA==");
        let reply = authorised.body("{").send().await;
        assert!(matches!(reply.status, 200 | 400 | 404) || !asks, "{method} {path}: {}", reply.status);
    }
}

/// A browser that keeps a password sends it for whichever page asks.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_changes_nothing_for_a_page_of_another_origin() {
    let app = guarded().await;
    let post = async |origin: Option<&str>| {
        let request = app.raw("POST", "/api/governance/teams");
        let request = request.header("authorization", "Basic YWRtaW46bm90LWEtcmVhbC1wYXNzd29yZA==");
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        let body = format!(r#"{{"name":"of {}"}}"#, origin.unwrap_or("nobody"));
        request.header("content-type", "text/plain").body(body).send().await
    };
    for foreign in ["https://evil.example", "null"] {
        assert_eq!(post(Some(foreign)).await.error().1, "forbidden_origin", "{foreign}");
    }
    for welcome in [None, Some(app.url.as_str()), Some("http://localhost:3000")] {
        assert_eq!(post(welcome).await.status, 200, "{welcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_exact_credential_passes() {
    let app = guarded().await;
    let as_admin = |name: &str, password: &str| app.client_builder().admin(name, password.to_owned()).build().unwrap();
    let query = VirtualKeyQuery::default();
    as_admin("admin", "not-a-real-password").virtual_key_list(&query).await.unwrap();
    for (name, password) in [
        ("admin", "not-a-real-passwort"),
        ("admin", ""),
        ("admin", "not-a-real-password "),
        ("Admin", "not-a-real-password"),
        ("", "not-a-real-password"),
    ] {
        let error = as_admin(name, password).virtual_key_list(&query).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(401), Some("unauthorized")), "{name} {password}");
    }
    for header in ["Bearer not-a-real-password", "Basic", "Basic %%%", "YWRtaW46bm90LWEtcmVhbC1wYXNzd29yZA==", ""] {
        let reply = app.raw("GET", VIRTUAL_KEYS).header("authorization", header).send().await;
        assert_eq!(reply.status, 401, "{header}");
    }
}

/// A virtual key is no admin, and the admin's credential is no virtual key.
#[tokio::test(flavor = "multi_thread")]
async fn the_two_credentials_do_not_stand_in_for_each_other() {
    let app = guarded().await;
    let admin = app.client_builder().admin("admin", "not-a-real-password".to_owned()).build().unwrap();
    let request = keyward_client::CreateVirtualKey { name: "one".to_owned(), ..Default::default() };
    let key = admin.virtual_key_create(&request).await.unwrap().virtual_key;
    for header in ["x-bf-vk", "x-api-key", "authorization"] {
        let value = if header == "authorization" { "Bearer " } else { "" }.to_owned() + key.value.expose();
        assert_eq!(app.raw("GET", VIRTUAL_KEYS).header(header, value).send().await.status, 401, "{header}");
    }
    let basic = "Basic YWRtaW46bm90LWEtcmVhbC1wYXNzd29yZA==";
    let quota = app.raw("GET", &format!("{VIRTUAL_KEYS}/quota"));
    assert_eq!(quota.header("authorization", basic).send().await.error().1, "invalid_api_key");
    app.caller(&key).virtual_key_quota().await.unwrap();
}

/// Without an admin the server trusts programs on its machine, but no web page that a browser there shows, and no proxy.
#[tokio::test(flavor = "multi_thread")]
async fn without_an_admin_web_pages_of_elsewhere_are_kept_out() {
    let app = App::start().await;
    for (method, path, asks) in operations() {
        for (name, value) in [
            ("host", "evil.example"),
            ("host", "127.0.0.1.evil.example:8080"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://localhost:3000"),
            ("sec-fetch-site", "cross-site"),
            ("x-forwarded-for", "203.0.113.7"),
        ] {
            let reply = app.raw(&method, &path).header(name, value).body("{").send().await;
            let expected = (403, "forbidden_origin".to_owned(), name.to_owned());
            match asks {
                true => assert_eq!(reply.error(), expected, "{method} {path} {value}"),
                // Not even in or out does a page of elsewhere log anybody.
                false => {
                    assert!(reply.status != 403 || path.starts_with("/api/session/log"), "{method} {path} {value}")
                }
            }
        }
    }
    for (name, value) in [("host", "localhost:1"), ("host", "[::1]:1"), ("sec-fetch-site", "none")] {
        assert_eq!(app.raw("GET", VIRTUAL_KEYS).header(name, value).send().await.status, 200, "{value}");
    }
}
