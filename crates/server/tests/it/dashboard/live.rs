//! Live parts of pages.

use futures_util::{Stream, StreamExt};
use keyward_client::{BudgetInput, CreateVirtualKey, HttpTransport, RateLimitInput, Transport};
use reqwest::{Method, Request, Url};
use serde_json::json;

use super::{Browser, admin, guarded, management_key};
use crate::harness::App;

/// The events of a stream, as they come.
async fn events(app: &App, path: &str, cookie: Option<&str>) -> impl Stream<Item = String> + Unpin + use<> {
    let mut request = Request::new(Method::GET, Url::parse(&format!("{}{path}", app.url)).unwrap());
    if let Some(cookie) = cookie {
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
    }
    let response = HttpTransport::new().unwrap().execute(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    Box::pin(response.bytes_stream().map(|piece| String::from_utf8(piece.unwrap().to_vec()).unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn meters_are_told_when_they_change_until_the_server_stops() {
    let app = App::start().await;
    let limit = json!({ "request_max_limit": 10, "request_reset_duration": "1d" });
    let limit: RateLimitInput = serde_json::from_value(limit).unwrap();
    let request = CreateVirtualKey { rate_limit: limit.into(), ..Default::default() };
    let key = app.key(request).await;
    let mut events = events(&app, &format!("/virtual-keys/{}/meters", key.id), None).await;
    let first = events.next().await.unwrap();
    assert!(first.starts_with("event: part\ndata: ") && first.contains("<b>0</b> of 10"), "{first}");
    let question = json!({ "model": "demo/echo", "messages": [{ "role": "user", "content": "Hello" }] });
    app.caller(&key).chat_completion_create(&serde_json::from_value(question).unwrap()).await.unwrap();
    let second = events.next().await.unwrap();
    assert!(second.contains("<b>1</b> of 10"), "{second}");
    let (stopped, rest) = tokio::join!(app.stopped(), events.collect::<Vec<_>>());
    assert!(rest.is_empty(), "{rest:?}");
    drop(stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_session() {
    let app = guarded().await;
    let budget = BudgetInput::new("1".parse().unwrap(), "1d".parse().unwrap()).into();
    let request = CreateVirtualKey { name: "a virtual key".to_owned(), budget, ..Default::default() };
    let key = admin(&app).virtual_key_create(&request).await.unwrap().virtual_key;
    let read = json!([{ "resource": "virtual_keys", "access": "read" }]);
    let (granted, secret) = management_key(&app, read).await;
    let browser = Browser::holder(&app, &secret).await;
    let mut events = events(&app, &format!("/virtual-keys/{}/meters", key.id), browser.cookie.as_deref()).await;
    assert!(events.next().await.unwrap().contains("$0.00"));
    admin(&app).management_key_delete(&granted.id).await.unwrap();
    assert_eq!(events.next().await, None);
}
