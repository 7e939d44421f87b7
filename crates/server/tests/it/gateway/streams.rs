//! Streams through the SDK: pieces as they come, and the cost known when the end is.

use futures_util::TryStreamExt;
use keyward_client::{ChatCompletionRequest, StreamOptions};

use crate::gateway::{chat, demo_cost, with_budget};
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_gives_the_text_in_pieces_and_is_charged_at_its_end() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let caller = app.caller(&key);
    let stream = caller.chat_completion_stream(&chat("demo/echo", "a b c")).await.unwrap();
    let pieces: Vec<_> = stream.try_collect().await.unwrap();
    let text: String = pieces.iter().flat_map(|piece| &piece.choices).filter_map(|c| c.delta.content.clone()).collect();
    assert_eq!(text, "(simulated) You said: a b c");
    assert!(pieces.iter().all(|piece| piece.usage.is_none()), "usage that nobody asked for");
    let bill = app.simulator.bill();
    let usage = caller.virtual_key_quota().await.unwrap().budgets[0].current_usage;
    assert_eq!(usage, demo_cost(bill.prompt_tokens, bill.completion_tokens));
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_that_was_asked_for_is_told() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let request = ChatCompletionRequest {
        stream_options: Some(StreamOptions { include_usage: true, ..StreamOptions::default() }),
        ..chat("demo/echo", "a b c")
    };
    let stream = app.caller(&key).chat_completion_stream(&request).await.unwrap();
    let pieces: Vec<_> = stream.try_collect().await.unwrap();
    let usage = pieces.last().unwrap().usage.clone().unwrap();
    assert_eq!((usage.prompt_tokens, usage.completion_tokens), (4, 6));
}
