//! Shutdown: what runs may end, nothing new begins, nothing is lost.

use futures_util::{StreamExt, TryStreamExt};

use crate::gateway::{chat, with_budget};
use crate::harness::{App, Scripted, Step};

#[tokio::test(flavor = "multi_thread")]
async fn a_running_stream_ends_well_and_new_requests_are_refused() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let piece = "data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[]}\n\n";
    let usage = "data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}\n\n";
    let send = |text: &str| Step::Send(text.as_bytes().to_vec());
    let script = vec![send(head), send(piece), Step::Wait, send(piece), send(usage), send("data: [DONE]\n\n")];
    let upstream = Scripted::start(script).await;
    let app = App::start().await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    let caller = app.caller(&key);
    let mut stream = caller.chat_completion_stream(&chat("openai/gpt-4o-mini", "hi")).await.unwrap();
    stream.next().await.unwrap().unwrap();

    let (ready, manager) = (app.prober("/readyz"), app.client.clone());
    let ending = async {
        while ready.status().await == 200 {}
        let refused = caller.chat_completion_create(&chat("demo/echo", "late")).await.unwrap_err();
        assert_eq!((refused.status(), refused.code()), (Some(503), Some("shutting_down")));
        // An edit would be waited for, and the next one after it.
        let refused = manager.virtual_key_delete(&key.id).await.unwrap_err();
        assert_eq!(refused.code(), Some("shutting_down"));
        upstream.go_on();
        stream.try_collect::<Vec<_>>().await.unwrap().len()
    };
    let ((store, _database), pieces) = tokio::join!(app.stopped(), ending);
    assert_eq!(pieces, 1);
    let totals = store.ledger_totals(key.id).await.unwrap();
    assert_eq!((totals.entries, totals.tokens), (1, 2));
}

/// I2, when the time is up: an attempt that is given up has its entry all the same, at what it held.
#[tokio::test(flavor = "multi_thread")]
async fn i2_an_attempt_that_outlasts_the_shutdown_is_charged_at_its_hold() {
    let upstream = Scripted::start(vec![Step::Wait]).await;
    let app = App::builder().settings(|settings| settings.shutdown_timeout = std::time::Duration::ZERO).start().await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    let caller = app.caller(&key);
    let request = chat("openai/gpt-4o-mini", "hi");
    let asking = async { caller.chat_completion_create(&request).await.unwrap_err() };
    let stopping = async {
        while upstream.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        app.stopped().await
    };
    let (refused, (store, _database)) = tokio::join!(asking, stopping);
    assert_eq!(refused.code(), Some("shutting_down"));
    let totals = store.ledger_totals(key.id).await.unwrap();
    assert_eq!(totals.entries, 1);
    assert!(totals.cost > "0.0098".parse().unwrap());
}

/// A stream that is given up breaks off; it does not end.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_outlasts_the_shutdown_does_not_look_complete() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let piece = "data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[]}\n\n";
    let script = [head, piece].map(|text| Step::Send(text.as_bytes().to_vec())).into_iter().chain([Step::Wait]);
    let upstream = Scripted::start(script.collect()).await;
    let app = App::builder().settings(|settings| settings.shutdown_timeout = std::time::Duration::ZERO).start().await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    let mut stream = app.caller(&key).chat_completion_stream(&chat("openai/gpt-4o-mini", "hi")).await.unwrap();
    stream.next().await.unwrap().unwrap();
    let (cut, _) = tokio::join!(stream.next(), app.stopped());
    assert!(matches!(cut, Some(Err(keyward_client::Error::Transport(_)))), "{cut:?}");
}
