//! The playground: a request is explained and sent by clicks, and one sees where it went, what it cost, and that the budget moved.

use keyward_client::{Client, LedgerQuery, VirtualKey};
use keyward_showcase::browser::Browser;
use serde_json::json;

use super::{PASSWORD, USERNAME, administrator, guarded, is_quiet, text};
use crate::gateway::demo_cost;
use crate::harness::{App, Scripted, Step};

fn admin(app: &App) -> Client {
    app.client_builder().admin(USERNAME, PASSWORD).build().unwrap()
}

/// A virtual key with a budget for a day.
async fn key(app: &App, dollars: f64) -> VirtualKey {
    let request = json!({ "name": "one", "budget": { "max_limit": dollars, "reset_duration": "1d" } });
    admin(app).virtual_key_create(&serde_json::from_value(request).unwrap()).await.unwrap().virtual_key
}

/// The text of an element, as soon as there is one.
async fn said(browser: &Browser, selector: &str) -> String {
    browser.find(selector).await.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_a_pasted_key_is_explained_and_sent_and_moves_the_budget() {
    let app = guarded().start().await;
    let (browser, key) = (administrator(&app).await, key(&app, 0.01).await);
    browser.click("nav a[href='/playground']").await.unwrap();
    browser.write("#playground-secret", key.value.expose()).await.unwrap();
    browser.write("#playground-message", "Hello, Keyward!").await.unwrap();
    browser.click("#playground-explain").await.unwrap();
    browser.find("[data-verdict=admitted]").await.unwrap();
    let plan = said(&browser, "#playground-plan").await;
    assert!(plan.contains("demo") && plan.contains("$0.00 of $0.01") && plan.contains("tokens in"), "{plan}");
    let nothing = admin(&app).ledger_list(&LedgerQuery::default()).await.unwrap();
    assert!(nothing.entries.is_empty(), "explaining sends nothing");

    browser.click("#playground button[type=submit]").await.unwrap();
    let moved = said(&browser, "[data-moved=cost]").await;
    assert_eq!(moved, format!("${}", demo_cost(3, 5)));
    assert_eq!(said(&browser, "#playground-text").await, "(simulated) You said: Hello, Keyward!");
    assert_eq!(said(&browser, "#playground-cost").await, moved);
    let facts = said(&browser, "#playground-facts").await;
    assert!(facts.contains("200") && facts.contains("echo") && facts.contains("Budget left"), "{facts}");

    // Nothing of the secret is in the address, in the storage, or in the page.
    let kept = browser.run("return [location.href, JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie, document.documentElement.outerHTML].join()");
    assert!(!kept.await.unwrap().to_string().contains(key.value.expose()));
    is_quiet(&browser, "the playground").await;
    browser.click("#playground-entry").await.unwrap();
    browser.find_saying("h2", "Limits that covered it").await.unwrap();
    assert!(text(&browser).await.contains(&moved));
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_streamed_with_a_key_that_is_revealed_for_it() {
    let app = guarded().start().await;
    let (browser, key) = (administrator(&app).await, key(&app, 0.01).await);
    browser.open(&format!("{}/virtual-keys/{}", app.url, key.id)).await.unwrap();
    browser.click("main a[href^='/playground']").await.unwrap();
    browser.click("#playground-stream").await.unwrap();
    browser.write("#playground-message", "Hello, stream!").await.unwrap();
    browser.click("#playground button[type=submit]").await.unwrap();
    let moved = said(&browser, "[data-moved=cost]").await;
    assert_eq!(said(&browser, "#playground-text").await, "(simulated) You said: Hello, stream!");
    // The headers of a stream cannot tell its cost: the ledger does.
    assert_eq!(said(&browser, "#playground-cost").await, moved);
    is_quiet(&browser, "the playground").await;
    browser.open(&format!("{}/audit", app.url)).await.unwrap();
    assert!(text(&browser).await.contains("virtual_key_reveal"));
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_which_limit_has_no_room_and_what_to_do() {
    let app = guarded().start().await;
    let (browser, key) = (administrator(&app).await, key(&app, 0.000_01).await);
    browser.open(&format!("{}/playground?virtual_key_id={}", app.url, key.id)).await.unwrap();
    browser.click("#playground-explain").await.unwrap();
    browser.find("#playground-plan [data-refusal=budget_exceeded]").await.unwrap();
    is_quiet(&browser, "an explained refusal").await;
    browser.click("#playground button[type=submit]").await.unwrap();
    let refusal = said(&browser, "#playground-answer [data-refusal=budget_exceeded]").await;
    assert!(
        refusal.contains("Virtual key") && refusal.contains("$0.00001") && refusal.contains("Raise the budget"),
        "{refusal}"
    );
    assert!(said(&browser, "#playground-facts").await.contains("402"));
    // The browser's own word on the status is all that it complains about.
    let complaints = browser.complaints().await.unwrap();
    assert!(complaints.iter().all(|one| one.source == "network" && one.message.contains("402")), "{complaints:?}");
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_sees_no_more_and_the_rest_is_in_the_books() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let piece = r#"data: {"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"once "}}]}"#;
    let usage = r#"data: {"id":"a","model":"m","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":77,"total_tokens":177}}"#;
    let [begin, end] = [format!("{head}{piece}\n\n"), format!("{piece}\n\n{usage}\n\ndata: [DONE]\n\n")];
    let upstream = Scripted::start(vec![Step::Send(begin.into()), Step::Wait, Step::Send(end.into())]).await;
    let app = guarded().start().await;
    let provider = json!({ "name": "house", "network_config": { "base_url": upstream.base_url() },
        "custom_provider_config": { "base_provider_type": "openai", "is_key_less": true } });
    admin(&app).provider_create(&serde_json::from_value(provider).unwrap()).await.unwrap();
    let request = serde_json::from_value(json!({ "name": "one" })).unwrap();
    let key = admin(&app).virtual_key_create(&request).await.unwrap().virtual_key;
    let browser = administrator(&app).await;
    browser.open(&format!("{}/playground?virtual_key_id={}&model=house/m", app.url, key.id)).await.unwrap();
    assert_eq!(browser.run("return document.getElementById('playground-stop').disabled").await.unwrap(), json!(true));
    browser.click("#playground-stream").await.unwrap();
    browser.click("#playground button[type=submit]").await.unwrap();
    browser.find_saying("p", "once").await.unwrap();
    browser.click("#playground-stop").await.unwrap();
    let note = said(&browser, "#playground-answer .note").await;
    assert!(note.starts_with("You hung up"), "{note}");
    upstream.go_on();
    let entries = loop {
        let entries = admin(&app).ledger_list(&LedgerQuery::default()).await.unwrap().entries;
        if !entries.is_empty() {
            break entries;
        }
    };
    assert_eq!((entries.len(), entries[0].input_tokens, entries[0].output_tokens), (1, 100, 77));
    assert_eq!(said(&browser, "#playground-text").await.trim_end(), "once");
    assert_eq!(browser.run("return document.getElementById('playground-stop').disabled").await.unwrap(), json!(true));
    is_quiet(&browser, "the playground").await;
    browser.close().await.unwrap();
}
