//! What people do, by clicks; and what came of it, by the API.

use keyward_client::{Client, VirtualKey, VirtualKeyQuery};

use super::{PASSWORD, USERNAME, administrator, guarded, is_quiet, text};
use crate::gateway::chat;
use crate::harness::App;

/// The administrator's client.
fn admin(app: &App) -> Client {
    app.client_builder().admin(USERNAME, PASSWORD).build().unwrap()
}

/// The one virtual key there is.
async fn only_key(client: &Client) -> VirtualKey {
    let mut listed = client.virtual_key_list(&VirtualKeyQuery::default()).await.unwrap();
    assert_eq!(listed.virtual_keys.len(), 1);
    listed.virtual_keys.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_key_is_made_used_edited_rotated_switched_off_and_deleted() {
    let app = guarded().start().await;
    let (browser, client) = (administrator(&app).await, admin(&app));
    browser.click("nav a[href='/virtual-keys']").await.unwrap();
    browser.click("a[href='/new/virtual-keys']").await.unwrap();
    browser.write("[name=name]", "made by clicks").await.unwrap();
    browser.click("[data-list=budgets] [data-add]").await.unwrap();
    browser.write("[name='budgets[0].max_limit']", "0.05").await.unwrap();
    browser.write("[name='budgets[0].reset_duration']", "1d").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();

    // The secret is shown, and works.
    browser.find("dialog#secret[open]").await.unwrap();
    let secret = browser.find("#secret-value").await.unwrap().text().await.unwrap();
    assert_eq!(only_key(&client).await.budgets[0].max_limit.to_string(), "0.05");
    app.client
        .with_virtual_key(secret.as_str())
        .unwrap()
        .chat_completion_create(&chat("demo/echo", "hi"))
        .await
        .unwrap();
    browser.click("dialog#secret [data-closes]").await.unwrap();
    browser.find_saying("h1", "made by clicks").await.unwrap();

    browser.click("main a[href$='/edit']").await.unwrap();
    browser.write("[name=description]", "for a test").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find_saying("h1", "made by clicks").await.unwrap();
    assert_eq!(only_key(&client).await.description, "for a test");

    browser.click("[data-opens=rotate]").await.unwrap();
    browser.click("dialog#rotate button[type=submit]").await.unwrap();
    browser.find("dialog#secret[open]").await.unwrap();
    let rotated = browser.find("#secret-value").await.unwrap().text().await.unwrap();
    assert_ne!(rotated, secret);
    browser.click("dialog#secret [data-closes]").await.unwrap();
    browser.find_saying("h1", "made by clicks").await.unwrap();

    browser.click("form[data-method=PUT] button[type=submit]").await.unwrap();
    browser.find_saying("button", "Switch on").await.unwrap();
    assert!(!only_key(&client).await.is_active);

    is_quiet(&browser, "the whole way").await;
    browser.click("[data-opens=delete]").await.unwrap();
    browser.click("dialog#delete [data-closes]").await.unwrap();
    assert!(!only_key(&client).await.is_active, "it was only asked about");
    browser.click("[data-opens=delete]").await.unwrap();
    browser.click("dialog#delete button[type=submit]").await.unwrap();
    browser.find_saying("h1", "Virtual keys").await.unwrap();
    assert_eq!(client.virtual_key_list(&VirtualKeyQuery::default()).await.unwrap().total_count, 0);
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_refuses_is_said_at_the_field() {
    let app = guarded().start().await;
    let browser = administrator(&app).await;
    browser.open(&format!("{}/new/virtual-keys", app.url)).await.unwrap();
    browser.write("[name=name]", "x").await.unwrap();
    browser.click("[data-list=budgets] [data-add]").await.unwrap();
    browser.write("[name='budgets[0].max_limit']", "-1").await.unwrap();
    browser.write("[name='budgets[0].reset_duration']", "1d").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find("[name='budgets[0].max_limit'][aria-invalid=true]").await.unwrap();
    let complaints = browser.complaints().await.unwrap();
    assert!(complaints.iter().all(|one| one.source == "network" && one.message.contains("400")), "{complaints:?}");
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_is_found_in_the_ledger_with_what_it_did() {
    let app = guarded().start().await;
    let (browser, client) = (administrator(&app).await, admin(&app));
    let request = serde_json::json!({ "name": "one", "budget": { "max_limit": 1, "reset_duration": "1d" } });
    let key = client.virtual_key_create(&serde_json::from_value(request).unwrap()).await.unwrap().virtual_key;
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    browser.click("nav a[href='/ledger']").await.unwrap();
    browser.click("tbody th a").await.unwrap();
    browser.find_saying("h2", "Limits that covered it").await.unwrap();
    let shown = text(&browser).await;
    assert!(shown.contains("Completed") && shown.contains("The virtual key") && shown.contains("$1.00"), "{shown}");
    is_quiet(&browser, "the ledger").await;
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_limited_a_rule_is_made_and_an_expression_is_tried() {
    let app = guarded().start().await;
    let (browser, client) = (administrator(&app).await, admin(&app));
    browser.open(&format!("{}/new/limits", app.url)).await.unwrap();
    browser.write("[name=model_name]", "echo").await.unwrap();
    browser.click("[data-list=budgets] [data-add]").await.unwrap();
    browser.write("[name='budgets[0].max_limit']", "3").await.unwrap();
    browser.write("[name='budgets[0].reset_duration']", "1M").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find_saying("th", "echo").await.unwrap();
    browser.click("[data-opens^=delete]").await.unwrap();
    browser.click("dialog[open] button[type=submit]").await.unwrap();
    browser.find_saying("h2", "No model and no provider is limited").await.unwrap();

    browser.open(&format!("{}/new/routing", app.url)).await.unwrap();
    browser.write("[name=name]", "by clicks").await.unwrap();
    browser.write("[name=cel_expression]", "model == \"echo\"").await.unwrap();
    browser.click("[name='targets[0].provider'] option[value=demo]").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find("[data-opens^=delete]").await.unwrap();
    assert!(text(&browser).await.contains("model == \"echo\""));

    let request = serde_json::json!({ "name": "one" });
    client.virtual_key_create(&serde_json::from_value(request).unwrap()).await.unwrap();
    for (expression, said) in [
        ("model == \"echo\" && headers[\"x-tier\"] == \"gold\"", "It applies"),
        ("model == \"other\"", "It does not apply"),
        ("model ==", "It cannot be evaluated"),
        ("budget_used", "It cannot be evaluated"),
    ] {
        browser.open(&format!("{}/routing/try", app.url)).await.unwrap();
        browser.write("#expression", expression).await.unwrap();
        browser.find("#virtual_key_id option:nth-child(2)").await.unwrap().click().await.unwrap();
        browser.write("#model", "demo/echo").await.unwrap();
        browser.write("#headers", "X-Tier: gold").await.unwrap();
        browser.click("main button[type=submit]").await.unwrap();
        let outcome = browser.find("#outcome").await.unwrap().text().await.unwrap();
        assert!(outcome.starts_with(said), "{expression}: {outcome}");
    }
    is_quiet(&browser, "limits and rules").await;
    browser.close().await.unwrap();
}
