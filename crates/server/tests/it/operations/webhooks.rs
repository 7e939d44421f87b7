//! Webhooks: signed, at least once, and apart from everything else.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use keyward_client::{CreateVirtualKey, DeliveryState, Event, EventQuery, EventType, RateLimitInput, VirtualKey};
use keyward_server::config::{Settings, Webhook};
use serde_json::json;
use sha2::Sha256;

use crate::gateway::{called, chat};
use crate::harness::{Absent, App, Message, Receiver};

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn webhook(receiver: &Receiver, events: Option<Vec<EventType>>) -> Webhook {
    Webhook { url: receiver.url(), secret: SECRET.parse().unwrap(), events }
}

/// A server that tells the receiver, and tries so often again, at once.
async fn telling(receiver: &Receiver, retries: usize) -> App {
    let webhooks = vec![webhook(receiver, None)];
    let change = move |settings: &mut Settings| {
        settings.webhooks = webhooks;
        settings.webhook_retries = vec![Duration::ZERO; retries];
    };
    App::builder().settings(change).start().await
}

/// A virtual key for so many requests in a day.
async fn key(app: &App, requests: i64) -> VirtualKey {
    let limit = RateLimitInput {
        request_max_limit: requests.into(),
        request_reset_duration: "1d".parse::<keyward_client::ResetDuration>().unwrap().into(),
        ..RateLimitInput::default()
    };
    app.key(CreateVirtualKey { rate_limit: limit.into(), ..CreateVirtualKey::default() }).await
}

/// What every receiver should do, from what came over the wire alone.
fn verify(message: &Message) {
    let [id, timestamp] = ["webhook-id", "webhook-timestamp"].map(|name| message.header(name));
    let bytes = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&bytes).unwrap();
    mac.update(format!("{id}.{timestamp}.{}", message.body).as_bytes());
    let signature = message.header("webhook-signature").strip_prefix("v1,").unwrap();
    mac.verify_slice(&STANDARD.decode(signature).unwrap()).unwrap();
    assert!(timestamp.parse::<i64>().unwrap() > 1_700_000_000);
}

async fn events(app: &App) -> Vec<Event> {
    app.client.event_list(&EventQuery::default()).await.unwrap().events
}

/// The events, as soon as they are as expected.
async fn events_when(app: &App, expected: impl Fn(&[Event]) -> bool) -> Vec<Event> {
    loop {
        let events = events(app).await;
        if expected(&events) {
            return events;
        }
    }
}

fn all_are(state: DeliveryState) -> impl Fn(&[Event]) -> bool {
    move |events| {
        !events.is_empty() && events.iter().flat_map(|event| &event.deliveries).all(|each| each.state == state)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_delivered_and_its_signature_can_be_verified() {
    let mut receiver = Receiver::start().await;
    let app = telling(&receiver, 0).await;
    let key = key(&app, 2).await;
    called(&app, &key, "demo/echo").await;
    let message = receiver.next().await;
    verify(&message);
    assert_eq!(message.request_line(), "POST /hooks?token=secret-of-the-path HTTP/1.1");
    assert_eq!(message.header("content-type"), "application/json");
    let (id, body) = (message.header("webhook-id").to_owned(), message.json());
    message.answer(200).await;

    let event = events_when(&app, all_are(DeliveryState::Delivered)).await.remove(0);
    assert_eq!((event.id.as_str(), event.deliveries[0].attempts), (id.as_str(), 1));
    assert!(receiver.url().expose().starts_with(&format!("{}/", event.deliveries[0].endpoint)));
    let limit = key.rate_limit.as_ref().unwrap();
    assert_eq!(
        body,
        json!({
            "type": "rate_limit.threshold_reached",
            "timestamp": event.at,
            "data": {
                "scope": { "kind": "virtual_key", "id": key.id },
                "limit": limit.id, "metric": "requests", "threshold": 50, "used": 1, "cap": 2,
                "window_start": event.data.window_start, "window_end": event.data.window_end,
            },
        })
    );
    called(&app, &key, "demo/echo").await;
    let more = receiver.accept(2).await;
    assert!(!more.contains(&id));
    events_when(&app, all_are(DeliveryState::Delivered)).await;
    assert!(receiver.is_idle());
    let metrics = app.raw("GET", "/metrics").send().await.body;
    let metrics = String::from_utf8(metrics).unwrap();
    assert!(metrics.contains("keyward_webhook_deliveries_total{outcome=\"delivered\"} 3"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_accepted_comes_again_also_after_a_restart_under_the_same_id() {
    let mut receiver = Receiver::start().await;
    let app = telling(&receiver, 9).await;
    let key = key(&app, 2).await;
    called(&app, &key, "demo/echo").await;
    let first = receiver.next().await;
    let (id, body) = (first.header("webhook-id").to_owned(), first.body.clone());
    first.answer(500).await;
    let second = receiver.next().await;
    assert_eq!((second.header("webhook-id"), &second.body), (&*id, &body));
    let events = events(&app).await;
    assert_eq!(events[0].deliveries[0].attempts, 1);
    assert_eq!(events[0].deliveries[0].last_error.as_deref(), Some("the endpoint answered 500"));

    let app = app.restarted().await;
    let third = receiver.next().await;
    verify(&third);
    assert_eq!((third.header("webhook-id"), &third.body), (&*id, &body));
    third.answer(204).await;
    let event = events_when(&app, all_are(DeliveryState::Delivered)).await.remove(0);
    assert_eq!((event.deliveries[0].attempts, event.deliveries[0].last_error.as_ref()), (2, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_does_not_answer_holds_nobody_else_up() {
    let (mut silent, mut other) = (Receiver::start().await, Receiver::start().await);
    let webhooks = vec![webhook(&silent, None), webhook(&other, None)];
    let app = App::builder().settings(|settings| settings.webhooks = webhooks).start().await;
    let key = key(&app, 10).await;
    let mut unanswered = None;
    for calls in 1..=10 {
        app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
        if [5, 8, 10].contains(&calls) {
            other.accept(1).await;
        }
        if calls == 5 {
            unanswered = Some(silent.next().await);
        }
    }
    let limit = app.caller(&key).virtual_key_quota().await.unwrap().rate_limit.unwrap();
    assert_eq!(limit.request_current_usage, 10);
    let waiting = |event: &Event| event.deliveries.iter().filter(|each| each.state == DeliveryState::Pending).count();
    let is_told = |events: &[Event]| events.len() == 3 && events.iter().map(waiting).sum::<usize>() == 3;
    events_when(&app, is_told).await;
    drop(unanswered);
    let (store, _database) = app.stopped().await;
    assert_eq!(store.ledger_totals(key.id).await.unwrap().entries, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_gets_nothing_until_a_restart() {
    let mut receiver = Receiver::start().await;
    let app = telling(&receiver, 9).await;
    let key = key(&app, 2).await;
    called(&app, &key, "demo/echo").await;
    let first = receiver.next().await;
    let id = first.header("webhook-id").to_owned();
    first.answer(410).await;
    events_when(&app, |events| events[0].deliveries[0].attempts == 1).await;
    called(&app, &key, "demo/echo").await;
    events_when(&app, |events| events.len() == 3).await;
    assert!(receiver.is_idle());

    let app = app.restarted().await;
    assert!(receiver.accept(3).await.contains(&id));
    events_when(&app, all_are(DeliveryState::Delivered)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_given_up_when_it_was_tried_often_enough() {
    let absent = Absent::reserve();
    let url = absent.base_url().join("/hooks").parse().unwrap();
    let webhooks = vec![Webhook { url, secret: SECRET.parse().unwrap(), events: None }];
    let change = |settings: &mut Settings| {
        settings.webhooks = webhooks;
        settings.webhook_retries = vec![Duration::ZERO];
    };
    let app = App::builder().settings(change).start().await;
    let key = key(&app, 1).await;
    called(&app, &key, "demo/echo").await;
    let events = events_when(&app, |events| events.len() == 3 && all_are(DeliveryState::GivenUp)(events)).await;
    for delivery in events.iter().flat_map(|event| &event.deliveries) {
        assert_eq!((delivery.attempts, delivery.next_at), (2, None));
        assert_eq!(delivery.last_error.as_deref(), Some("no connection could be made"));
    }
    let metrics = String::from_utf8(app.raw("GET", "/metrics").send().await.body).unwrap();
    assert!(metrics.contains("keyward_webhook_deliveries_total{outcome=\"failed\"} 3"), "{metrics}");
    assert!(metrics.contains("keyward_webhook_deliveries_total{outcome=\"given_up\"} 3"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_gets_the_events_that_it_wants() {
    let (mut all, money) = (Receiver::start().await, Receiver::start().await);
    let budgets = Some(vec![EventType::BudgetThresholdReached]);
    let webhooks = vec![webhook(&all, None), webhook(&money, budgets)];
    let app = App::builder().settings(|settings| settings.webhooks = webhooks).start().await;
    let key = key(&app, 1).await;
    called(&app, &key, "demo/echo").await;
    all.accept(3).await;
    events_when(&app, all_are(DeliveryState::Delivered)).await;
    assert!(events(&app).await.iter().all(|event| event.deliveries.len() == 1));
    assert!(money.is_idle());
}
