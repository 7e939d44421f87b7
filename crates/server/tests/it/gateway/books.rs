//! The books agree: what the key's usage says, what the ledger adds up to, and what the provider counted.

use futures_util::future::join_all;
use keyward_client::{CreateVirtualKey, RateLimitInput};

use super::{chat, demo_cost, with_budget};
use crate::harness::App;

/// I4, over the wire: usage, ledger and the provider's own count are one figure, to the nano-dollar.
#[tokio::test(flavor = "multi_thread")]
async fn i4_usage_ledger_and_the_providers_count_agree() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let caller = app.caller(&key);
    for round in 0..10 {
        let text = "word ".repeat(round + 1);
        if round % 2 == 0 {
            caller.chat_completion_create(&chat("demo/echo", &text)).await.unwrap();
        } else {
            let stream = caller.chat_completion_stream(&chat("demo/echo", &text)).await.unwrap();
            futures_util::TryStreamExt::try_collect::<Vec<_>>(stream).await.unwrap();
        }
    }
    let bill = app.simulator.bill();
    assert_eq!(bill.requests, 10);
    let usage = caller.virtual_key_quota().await.unwrap().budgets[0].current_usage;
    assert_eq!(usage, demo_cost(bill.prompt_tokens, bill.completion_tokens));
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(key.id).await.unwrap();
    assert_eq!((totals.entries, totals.cost), (10, usage));
}

/// I1, over the wire: many calls at once never exceed the budget, and what was admitted is what was paid.
#[tokio::test(flavor = "multi_thread")]
async fn i1_a_storm_of_64_calls_never_exceeds_a_budget_that_pays_for_ten() {
    let app = App::start().await;
    // A hold is at most 64 frame tokens and the body's bytes of input, and one token of output.
    let request = keyward_client::ChatCompletionRequest { max_tokens: Some(1), ..chat("demo/echo", "hi") };
    let probe = app.key(with_budget("1")).await;
    app.caller(&probe).chat_completion_create(&request).await.unwrap();
    let paid = app.client.virtual_key_get(&probe.id).await.unwrap().budgets[0].current_usage;
    let body = serde_json::to_vec(&request).unwrap().len() as u64;
    let hold = demo_cost(body + 64, 1);
    let budget = keyward_client::NanoUsd::from_nanos(hold.nanos() + 9 * paid.nanos());

    let key = app.key(with_budget(&budget.to_string())).await;
    let caller = app.caller(&key);
    let before = app.simulator.bill().requests;
    let answers = join_all((0..64).map(|_| caller.chat_completion_create(&request))).await;
    let served = answers.iter().filter(|answer| answer.is_ok()).count() as i64;
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!((refused.status(), refused.code()), (Some(402), Some("budget_exceeded")));
    }
    let usage = caller.virtual_key_quota().await.unwrap().budgets[0].current_usage;
    assert!((1..=10).contains(&served), "{served} calls were served");
    assert!(usage <= budget, "{usage:?} of {budget:?} was spent");
    assert_eq!(usage.nanos(), paid.nanos() * served);
    assert_eq!((app.simulator.bill().requests - before) as i64, served);
    // What is left still pays for calls, one after the other, up to the tenth.
    for _ in served..10 {
        caller.chat_completion_create(&request).await.unwrap();
    }
    assert_eq!(caller.chat_completion_create(&request).await.unwrap_err().status(), Some(402));
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_survives_a_restart() {
    let app = App::start().await;
    let rate_limit = RateLimitInput {
        request_max_limit: 2.into(),
        request_reset_duration: "1h".parse::<keyward_client::ResetDuration>().unwrap().into(),
        ..RateLimitInput::default()
    };
    let key = app.key(CreateVirtualKey { rate_limit: rate_limit.into(), ..with_budget("1") }).await;
    app.caller(&key).chat_completion_create(&chat("demo/echo", "one")).await.unwrap();
    let before = app.client.virtual_key_get(&key.id).await.unwrap();
    let app = app.restarted().await;
    let after = app.client.virtual_key_get(&key.id).await.unwrap();
    assert_eq!(before, after);
    assert_ne!(after.budgets[0].current_usage, keyward_client::NanoUsd::ZERO);
    app.caller(&key).chat_completion_create(&chat("demo/echo", "two")).await.unwrap();
    let refused = app.caller(&key).chat_completion_create(&chat("demo/echo", "three")).await.unwrap_err();
    assert_eq!(refused.code(), Some("request_limited"));
}
