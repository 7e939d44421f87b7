//! Signing in and out.

use keyward_client::Resource;
use serde_json::json;

use super::{Browser, PASSWORD, TEAMS, guarded, management_key, text};
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_signed_in_is_asked_to_and_led_back() {
    let app = guarded().await;
    let browser = Browser::at(&app);
    for (path, login) in [
        ("/", "/login"),
        ("/virtual-keys?search=a%20b", "/login?next=%2Fvirtual-keys%3Fsearch%3Da%2520b"),
        ("/virtual-keys/1/meters", "/login?next=%2Fvirtual-keys%2F1%2Fmeters"),
        ("/teams/nobody", "/login?next=%2Fteams%2Fnobody"),
    ] {
        let reply = browser.get(path).await;
        assert_eq!((reply.status, reply.header("location")), (303, login), "{path}");
        assert_eq!(reply.header("www-authenticate"), "", "no browser asks for a password of its own");
    }
    let form = text(&browser.get("/login?next=%2Fvirtual-keys").await);
    assert!(form.contains(r#"name="next" value="/virtual-keys""#), "{form}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_led_elsewhere() {
    let app = guarded().await;
    for (next, location) in [
        ("/virtual-keys?search=x", "/virtual-keys?search=x"),
        ("", "/"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/docs/", "/"),
        ("/logout", "/"),
    ] {
        let form = [("username", "admin"), ("password", PASSWORD), ("next", next)];
        let reply = Browser::at(&app).post("/login", &form).await;
        assert_eq!((reply.status, reply.header("location")), (303, location), "{next}");
        let cookie = reply.header("set-cookie");
        assert!(cookie.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"), "{cookie}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_and_not_repeated() {
    let app = guarded().await;
    let browser = Browser::at(&app);
    let reply = browser.post("/login", &[("username", "<admin>"), ("password", "a guess & more")]).await;
    let page = text(&reply);
    assert_eq!(reply.status, 401);
    assert!(page.contains("Invalid username or password") && page.contains(r#"value="&lt;admin&gt;""#), "{page}");
    assert!(!page.contains("a guess"), "a password is never sent back");
    let reply = browser.post("/login", &[("management_key", "sk-kw-not-a-real-key")]).await;
    assert_eq!(reply.status, 401);
    assert!(text(&reply).contains("No management key that is in force has this secret"));
    assert!(!text(&reply).contains("sk-kw-not-a-real-key"));
    for number in 0..5 {
        browser.post("/login", &[("management_key", &format!("sk-kw-guess-{number}"))]).await;
    }
    let reply = browser.post("/login", &[("management_key", "sk-kw-another-guess")]).await;
    assert_eq!(reply.status, 429, "guesses are throttled by address");
    assert!(text(&reply).contains("Too many wrong"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_elsewhere_sign_nobody_in_or_out() {
    let app = guarded().await;
    let browser = Browser::administrator(&app).await;
    let form = format!("username=admin&password={PASSWORD}");
    let reply = browser.send("POST", "/login", &[("origin", "https://evil.example")], form).await;
    assert_eq!((reply.status, reply.header("set-cookie")), (403, ""));
    let token = browser.token().await;
    let foreign = [("origin", "https://evil.example")];
    let reply = browser.send("POST", "/logout", &foreign, format!("csrf_token={token}")).await;
    assert_eq!(reply.status, 403);
    assert_eq!(browser.post("/logout", &[]).await.status, 403, "without the token of a page");
    assert_eq!(browser.get("/").await.status, 200);
    let reply = browser.post("/logout", &[("csrf_token", &token)]).await;
    assert_eq!((reply.status, reply.header("location")), (303, "/login"));
    assert!(reply.header("set-cookie").starts_with("token=; Path=/; Max-Age=0"));
    assert_eq!(browser.get("/").await.status, 303, "the session is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_credential_the_machine_is_let_in_and_nobody_else() {
    let app = App::start().await;
    let browser = Browser::at(&app);
    let reply = browser.get("/login").await;
    assert_eq!((reply.status, reply.header("location")), (303, "/"));
    let page = text(&browser.get("/").await);
    assert!(page.contains("No credential is set") && !page.contains("Sign out"), "{page}");
    for headers in [("x-forwarded-for", "203.0.113.7"), ("sec-fetch-site", "cross-site"), ("host", "evil.example")] {
        assert_eq!(browser.send("GET", "/", &[headers], String::new()).await.status, 403, "{headers:?}");
    }
    let body = json!({ "name": "a team" });
    assert_eq!(browser.call("POST", TEAMS, None, &body).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_usage_sees_what_it_may_and_no_figures() {
    let app = guarded().await;
    let read = json!([{ "resource": Resource::Teams, "access": "read" }]);
    let (_, secret) = management_key(&app, read).await;
    let browser = Browser::holder(&app, &secret).await;
    let page = text(&browser.get("/").await);
    assert!(page.contains("You are signed in") && page.contains("a key &lt;b&gt;"), "{page}");
    assert!(page.contains(r#"href="/teams""#) && !page.contains(r#"href="/virtual-keys""#), "{page}");
    assert_eq!(browser.get("/teams").await.status, 200);
    let refused = browser.get("/virtual-keys").await;
    assert_eq!(refused.status, 403);
    assert!(text(&refused).contains("You may not see this"));
}
