//! The reference: everything that it shows is in the binary, and it is what the documents say.

use keyward_client::{HttpTransport, Transport};
use reqwest::{Method, Request, Url};
use serde_json::Value;

use crate::harness::{App, Reply};

/// What is at a path. It is no operation, so that the documents know nothing of it.
async fn get(app: &App, path: &str) -> Reply {
    let request = Request::new(Method::GET, Url::parse(&format!("{}{path}", app.url)).unwrap());
    let response = HttpTransport::new().unwrap().execute(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Reply { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_is_served_from_the_binary_alone() {
    let app = App::start().await;
    let get = async |path: &str| get(&app, path).await;
    assert_eq!(
        (get("/docs").await.status, get("/docs").await.header("location").to_owned()),
        (308, "/docs/".to_owned())
    );
    let page = get("/docs/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html"));
    assert!(page.header("content-security-policy").contains("script-src 'self';"));
    let text = String::from_utf8(page.body.clone()).unwrap();
    // What it loads is here, and nothing of it is elsewhere.
    assert!(!text.contains("//") && !text.contains("<script>"), "{text}");
    for part in text.split('"').filter(|part| part.contains('.') && !part.contains([' ', '<'])) {
        let file = part.trim_start_matches("./");
        assert_eq!(get(&format!("/docs/{file}")).await.status, 200, "{file}");
    }
    let settings = String::from_utf8(get("/docs/swagger-initializer.js").await.body).unwrap();
    assert!(settings.contains(r#""validatorUrl": "none""#), "{settings}");
    assert_eq!(get("/docs/nothing.js").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_documents_are_the_published_ones() {
    let app = App::start().await;
    for (name, published) in [
        ("management", include_str!("../../../../../openapi/management.json")),
        ("gateway", include_str!("../../../../../openapi/gateway.json")),
    ] {
        let served = get(&app, &format!("/docs/openapi/{name}.json")).await;
        assert_eq!((served.status, served.header("content-type")), (200, "application/json"));
        assert_eq!(served.json(), serde_json::from_str::<Value>(published).unwrap());
    }
}
