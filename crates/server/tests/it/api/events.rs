//! `/api/governance/events`

use keyward_client::{CreateVirtualKey, EventQuery, RateLimitInput};
use keyward_core::event::Thresholds;
use serde_json::json;

use super::{done, duration};
use crate::gateway::called;
use crate::harness::App;

/// Calls with a key that has reached its cap at once.
async fn exhaust(app: &App) {
    let limit = RateLimitInput {
        request_max_limit: 1.into(),
        request_reset_duration: duration("1d").into(),
        ..RateLimitInput::default()
    };
    let key = app.key(CreateVirtualKey { rate_limit: limit.into(), ..CreateVirtualKey::default() }).await;
    assert_eq!(called(app, &key, "demo/echo").await.status, 200);
}

fn page(limit: &str, offset: &str) -> EventQuery {
    EventQuery { limit: Some(limit.to_owned()), offset: Some(offset.to_owned()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_newest_first_a_page_at_a_time() {
    let app = App::start().await;
    exhaust(&app).await;
    exhaust(&app).await;
    let whole = app.client.event_list(&EventQuery::default()).await.unwrap();
    assert_eq!((whole.count, whole.total_count, whole.limit, whole.offset), (6, 6, 25, 0));
    assert!(whole.events.is_sorted_by(|a, b| a.at >= b.at));
    assert!(whole.events.iter().all(|event| event.deliveries.is_empty()));
    let part = app.client.event_list(&page("2", "3")).await.unwrap();
    assert_eq!((part.count, part.total_count, part.limit, part.offset), (2, 6, 2, 3));
    assert_eq!(part.events, whole.events[3..5]);
    let bad = app.raw("GET", "/api/governance/events?limit=x").send().await;
    assert_eq!(bad.error(), (400, "invalid_request".to_owned(), "/limit".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn thresholds_are_the_servers_to_choose() {
    let chosen: Thresholds = serde_json::from_str("[7]").unwrap();
    let app = App::builder().settings(|settings| settings.thresholds = chosen).start().await;
    exhaust(&app).await;
    let events = app.client.event_list(&EventQuery::default()).await.unwrap().events;
    assert_eq!(events.iter().map(|event| event.data.threshold.percent()).collect::<Vec<_>>(), [7]);

    let app = App::builder().settings(|settings| settings.thresholds = Thresholds::NONE).start().await;
    exhaust(&app).await;
    assert_eq!(app.client.event_list(&EventQuery::default()).await.unwrap().total_count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_have_a_permission_of_their_own() {
    let app = App::start().await;
    for (resource, status) in [("events", 200), ("audit", 403)] {
        let permissions = json!([{ "resource": resource, "access": "read" }]);
        let body = json!({ "name": resource, "permissions": permissions });
        let key = done(&app, "POST", "/api/management-keys", body).await["value"].as_str().unwrap().to_owned();
        let request = app.raw("GET", "/api/governance/events").header("authorization", format!("Bearer {key}"));
        assert_eq!(request.send().await.status, status, "{resource}");
    }
}
