//! The list of events.

use keyward_client::EventQuery;
use serde_json::json;

use super::{Browser, text};
use crate::gateway::called;
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_with_their_limit_and_who_was_told() {
    let app = App::start().await;
    let browser = Browser::at(&app);
    assert!(text(&browser.get("/events").await).contains("Nothing has come near to its cap"));
    let limit = json!({ "name": "near", "rate_limit": { "request_max_limit": 1, "request_reset_duration": "1d" } });
    let key = app.client.virtual_key_create(&serde_json::from_value(limit).unwrap()).await.unwrap().virtual_key;
    assert_eq!(called(&app, &key, "demo/echo").await.status, 200);
    while app.client.event_list(&EventQuery::default()).await.unwrap().total_count < 3 {}
    let page = text(&browser.get("/events").await);
    for part in [
        format!(r#"<a href="/virtual-keys/{}">near</a>"#, key.id),
        "100 %".to_owned(),
        "1 of 1".to_owned(),
        "1–3 of 3".to_owned(),
        "Nobody".to_owned(),
    ] {
        assert!(page.contains(&part), "{part} is not in {page}");
    }
    assert!(page.contains(r#"href="/events" aria-current="page""#));
}
