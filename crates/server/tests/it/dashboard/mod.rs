//! The dashboard over HTTP: what a browser gets and sends, without a browser.

mod audit;
mod choices;
mod events;
mod limits;
mod live;
mod pages;
mod providers;
mod sessions;
mod signing_in;

use keyward_client::{HttpTransport, ManagementKey, Transport};
use keyward_server::AdminCredential;
use reqwest::header::{COOKIE, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use serde_json::{Value, json};

use crate::harness::{App, Reply};

const PASSWORD: &str = "not-a-real-password";
const TEAMS: &str = "/api/governance/teams";

/// A server with an administrator.
async fn guarded() -> App {
    let seed = AdminCredential::new("admin", &PASSWORD.into()).as_seed();
    App::builder().settings(|settings| settings.admin = Some(seed)).start().await
}

/// The administrator's client.
fn admin(app: &App) -> keyward_client::Client {
    app.client_builder().admin("admin", PASSWORD).build().unwrap()
}

/// A management key that may do this, and its secret.
async fn management_key(app: &App, permissions: Value) -> (ManagementKey, String) {
    let request = json!({ "name": "a key <b>", "permissions": permissions });
    let made = admin(app).management_key_create(&serde_json::from_value(request).unwrap()).await.unwrap();
    let secret = made.value.unwrap().expose().to_owned();
    (made.management_key, secret)
}

/// What a browser knows of the server.
struct Browser {
    url: String,
    cookie: Option<String>,
}

impl Browser {
    fn at(app: &App) -> Self {
        Self { url: app.url.clone(), cookie: None }
    }

    /// A browser whose reader has signed in by this form.
    async fn signed_in(app: &App, form: &[(&str, &str)]) -> Self {
        let mut browser = Self::at(app);
        let reply = browser.post("/login", form).await;
        assert_eq!(reply.status, 303, "{}", text(&reply));
        browser.cookie = Some(reply.header("set-cookie").split(';').next().unwrap().to_owned());
        browser
    }

    async fn administrator(app: &App) -> Self {
        Self::signed_in(app, &[("username", "admin"), ("password", PASSWORD)]).await
    }

    async fn holder(app: &App, secret: &str) -> Self {
        Self::signed_in(app, &[("management_key", secret)]).await
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: String) -> Reply {
        let url = Url::parse(&format!("{}{path}", self.url)).unwrap();
        let mut request = Request::new(Method::from_bytes(method.as_bytes()).unwrap(), url);
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        *request.body_mut() = Some(body.into());
        let response = HttpTransport::new().unwrap().execute(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[("sec-fetch-site", "same-origin")], String::new()).await
    }

    /// Sends a form as a page of the server's own does.
    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let headers = [
            ("origin", self.url.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.send("POST", path, &headers, body).await
    }

    /// Calls the management API as a script of this origin does, with this token of a page.
    async fn call(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> Reply {
        let mut headers = vec![("origin", self.url.as_str()), ("sec-fetch-site", "same-origin")];
        headers.extend(token.map(|token| ("x-csrf-token", token)));
        self.send(method, path, &headers, body.to_string()).await
    }

    /// The token that the pages carry.
    async fn token(&self) -> String {
        let page = text(&self.get("/").await);
        between(&page, r#"<meta name="csrf-token" content=""#, "\"").unwrap().to_owned()
    }
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}

/// What stands between two texts, where they stand first.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}
