//! Retries: a provider that fails is asked again before the client has got a byte, and never afterwards. Each try is charged.

use futures_util::{StreamExt, TryStreamExt};
use keyward_client::NanoUsd;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{called, chat, error, metric, ok, retried, rule, secret_of, served, with_budget};
use crate::harness::{Absent, App, Scripted, Step};

const MODEL: &str = "openai/gpt-4o-mini";
const NO_HEADER: (&str, &str) = ("", "");

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_asked_again_and_each_try_is_in_the_books() {
    let app = App::start().await;
    let failing = vec![error("500 Internal Server Error", NO_HEADER)];
    let upstream = Scripted::in_turn(vec![failing.clone(), failing, vec![], vec![ok()]]).await;
    retried(&app, "openai", upstream.base_url(), &["a"], 3).await;
    let key = app.key(with_budget("1")).await;
    let reply = called(&app, &key, MODEL).await;
    assert_eq!((served(&reply), reply.header("x-keyward-attempts")), ((200, "openai", "gpt-4o-mini"), "4"));
    assert_eq!((upstream.requests().len(), metric(&app, "keyward_retries_total").await), (4, Some(3)));
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(key.id).await.unwrap();
    // The errors are free, the answer is 75 micro-dollars, and what broke off is charged at what it held: 16,384 tokens of output
    // at $0.60 for a million, and a few of input.
    assert_eq!(totals.entries, 4);
    assert!(totals.cost > "0.0098".parse().unwrap() && totals.cost < "0.01".parse().unwrap(), "{:?}", totals.cost);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_failure_is_the_answer_and_a_provider_is_asked_once_unless_told_otherwise() {
    let app = App::start().await;
    let upstream = Scripted::start(vec![error("503 Service Unavailable", NO_HEADER)]).await;
    retried(&app, "openai", upstream.base_url(), &["a"], 2).await;
    app.provider("other", upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    let reply = called(&app, &key, MODEL).await;
    assert_eq!((served(&reply).0, reply.header("x-keyward-attempts")), (503, "3"));
    assert_eq!(reply.header("x-keyward-error-source"), "provider");
    rule(
        &app,
        json!({ "name": "r", "provider": "other", "model": "gpt-4o-mini", "cel_expression": "model == 'once'" }),
    )
    .await;
    let free = app.key(Default::default()).await;
    let reply = called(&app, &free, "once").await;
    assert_eq!((served(&reply).0, reply.header("x-keyward-attempts")), (503, "1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_that_do_not_come_to_a_connection_cost_nothing() {
    let app = App::start().await;
    let absent = Absent::reserve();
    retried(&app, "openai", absent.base_url(), &["a"], 2).await;
    let key = app.key(with_budget("1")).await;
    let reply = called(&app, &key, MODEL).await;
    assert_eq!((reply.error().1.as_str(), reply.header("x-keyward-attempts")), ("upstream_unreachable", "3"));
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(key.id).await.unwrap();
    assert_eq!((totals.entries, totals.cost), (0, NanoUsd::ZERO));
}

/// The client has seen the beginning: another answer would not go with it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_tried_again_after_the_first_byte() {
    let app = App::start().await;
    let events = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n\
         data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[]}\n\n";
    let upstream = Scripted::start(vec![Step::Send(events.as_bytes().to_vec())]).await;
    retried(&app, "openai", upstream.base_url(), &["a", "b"], 5).await;
    let key = app.key(with_budget("1")).await;
    let mut stream = app.caller(&key).chat_completion_stream(&chat(MODEL, "hi")).await.unwrap();
    assert!(stream.next().await.unwrap().is_ok());
    assert!(stream.next().await.unwrap().is_err() && stream.next().await.is_none());
    assert_eq!(upstream.requests().len(), 1);
    let (store, _database) = app.stopped().await;
    assert_eq!(store.ledger_totals(key.id).await.unwrap().entries, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_tried_again_while_it_has_not_begun() {
    let app = App::start().await;
    let usage = "{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}";
    let events = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n\
         data: {{\"id\":\"a\",\"model\":\"m\",\"choices\":[],\"usage\":{usage}}}\n\ndata: [DONE]\n\n"
    );
    let scripts = vec![vec![error("529 Overloaded", NO_HEADER)], vec![], vec![Step::Send(events.into_bytes())]];
    let upstream = Scripted::in_turn(scripts).await;
    retried(&app, "openai", upstream.base_url(), &["a"], 2).await;
    let key = app.key(with_budget("1")).await;
    let stream = app.caller(&key).chat_completion_stream(&chat(MODEL, "hi")).await.unwrap();
    stream.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(upstream.requests().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_takes_over_from_one_that_the_provider_does_not_take() {
    for status in ["429 Too Many Requests", "401 Unauthorized", "402 Payment Required", "403 Forbidden"] {
        let app = App::start().await;
        let upstream = Scripted::in_turn(vec![vec![error(status, NO_HEADER)], vec![ok()]]).await;
        retried(&app, "openai", upstream.base_url(), &["a", "b"], 1).await;
        let key = app.key(with_budget("1")).await;
        assert_eq!(called(&app, &key, MODEL).await.status, 200, "{status}");
        assert_eq!(called(&app, &key, MODEL).await.status, 200);
        let keys: Vec<String> = upstream.requests().iter().map(|request| secret_of(request)).collect();
        assert!(keys[0] != keys[1] && keys[1] == keys[2], "{status}: {keys:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_limit_is_waited_for_and_a_long_one_is_not() {
    let app = App::start().await;
    let limited = |header| vec![error("429 Too Many Requests", header)];
    let scripts = vec![limited(("retry-after-ms", "20")), vec![ok()], limited(("retry-after", "60"))];
    let upstream = Scripted::in_turn(scripts).await;
    retried(&app, "openai", upstream.base_url(), &["a"], 1).await;
    let key = app.key(with_budget("1")).await;
    let reply = called(&app, &key, MODEL).await;
    assert_eq!((served(&reply).0, reply.header("x-keyward-attempts")), (200, "2"));
    let reply = called(&app, &key, MODEL).await;
    assert_eq!((served(&reply).0, reply.header("x-keyward-attempts")), (429, "1"));
    assert_eq!(reply.header("x-keyward-error-source"), "provider");
}

/// Nobody waits for the answer any more, so nobody is charged for another try.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_tried_again_for_a_client_that_is_gone() {
    let app = App::start().await;
    let upstream = Scripted::in_turn(vec![vec![Step::Wait, error("500 Oops", NO_HEADER)], vec![ok()]]).await;
    retried(&app, "openai", upstream.base_url(), &["a"], 5).await;
    let key = app.key(with_budget("1")).await;
    let address = app.url.strip_prefix("http://").unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    let body = json!({ "model": MODEL, "messages": [{ "role": "user", "content": "hi" }] }).to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: keyward\r\nx-bf-vk: {}\r\ncontent-length: {}\r\n\r\n",
        key.value.expose(),
        body.len()
    );
    client.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    while upstream.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    client.shutdown().await.unwrap();
    // The server closes too: it has noticed.
    assert_eq!(client.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    upstream.go_on();
    let (store, _database) = app.stopped().await;
    assert_eq!(store.ledger_totals(key.id).await.unwrap().entries, 1);
    assert_eq!(upstream.requests().len(), 1);
}

/// Whatever fails, and however often: nothing stays held, and the books are what the budget says.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_requests_at_once_leave_no_hold_behind() {
    let app = App::start().await;
    let absent = Absent::reserve();
    let failures = ["500 Oops", "429 Too Many Requests", "401 Unauthorized", "503 Service Unavailable"];
    let scripts = failures.iter().map(|status| vec![error(status, NO_HEADER)]);
    let upstream = Scripted::in_turn(scripts.chain([vec![], vec![ok()]]).collect()).await;
    retried(&app, "openai", upstream.base_url(), &["a", "b", "c"], 2).await;
    retried(&app, "groq", absent.base_url(), &["a", "b"], 2).await;
    let fallbacks = json!(["groq/llama-3.1-8b-instant", "demo/echo"]);
    rule(&app, json!({ "name": "r", "provider": "openai", "model": "gpt-4o-mini", "fallbacks": fallbacks })).await;
    let key = app.key(with_budget("100")).await;
    let calls = (0..100).map(|_| called(&app, &key, "demo/echo"));
    let replies = futures_util::future::join_all(calls).await;
    assert!(replies.iter().all(|reply| reply.status == 200), "demo serves when all else fails");
    assert_eq!(metric(&app, "keyward_open_attempts").await, Some(0));
    let used = app.caller(&key).virtual_key_quota().await.unwrap().budgets[0].current_usage;
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(key.id).await.unwrap();
    assert_eq!(used, totals.cost);
    assert!(totals.entries >= 100);
}
