//! Things are chosen by their names, also where there are too many for a list.

use keyward_client::{Client, CreateVirtualKey, ModelConfigQuery, RoutingRuleQuery};
use keyward_showcase::browser::{Browser, PATIENCE};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{PASSWORD, USERNAME, administrator, guarded, is_quiet};
use crate::harness::App;

/// More than a list has.
const KEYS: usize = 51;
/// The key that leads to the next field.
const TAB: &str = "\u{e004}";

fn admin(app: &App) -> Client {
    app.client_builder().admin(USERNAME, PASSWORD).build().unwrap()
}

/// Makes the keys; gives the id of the last, which is none of the first that are offered.
async fn keys(client: &Client) -> String {
    let mut last = String::new();
    for number in 0..KEYS {
        let request = CreateVirtualKey { name: format!("key {number}"), ..Default::default() };
        last = client.virtual_key_create(&request).await.unwrap().virtual_key.id.to_string();
    }
    last
}

/// Writes a text into the field with this id, waits until something of this name is offered, and leaves the field.
async fn choose(browser: &Browser, id: &str, text: &str, name: &str) {
    let field = format!("[id='{id}']");
    browser.write(&field, text).await.unwrap();
    browser
        .find(&format!("[id='{id}-fitting'] option[label='{name}'], [id='{id}-fitting'] option[value='{name}']"))
        .await
        .unwrap();
    browser.write(&field, &format!("{name}{TAB}")).await.unwrap();
}

/// Waits until a field has this value.
async fn has(browser: &Browser, selector: &str, value: &str) {
    let script = format!("return document.querySelector(\"{selector}\").value");
    let mut seen = Value::Null;
    let waiting = timeout(PATIENCE, async {
        while seen != json!(value) {
            seen = browser.run(&script).await.unwrap();
        }
    });
    assert!(waiting.await.is_ok(), "{selector} has {seen} instead of {value}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_is_chosen_by_a_part_of_its_name() {
    let app = guarded().start().await;
    let (browser, client) = (administrator(&app).await, admin(&app));
    let last = keys(&client).await;
    browser.open(&format!("{}/ledger", app.url)).await.unwrap();
    choose(&browser, "virtual_key_id", "EY 50", "key 50").await;
    has(&browser, "#virtual_key_id", &last).await;
    browser.find_saying("p", "key 50").await.unwrap();
    browser.click("form.filters button").await.unwrap();
    browser.find_saying("p", "key 50").await.unwrap();
    assert!(browser.client.current_url().await.unwrap().query().unwrap().contains(&format!("virtual_key_id={last}")));

    browser.open(&format!("{}/new/limits", app.url)).await.unwrap();
    choose(&browser, "f-model_name", "gpt-4.1-m", "gpt-4.1-mini").await;
    browser.click("[name=scope] option[value=virtual_key]").await.unwrap();
    choose(&browser, "f-scope_id", "key 5", "key 50").await;
    has(&browser, "[name=scope_id]", &last).await;
    browser.click("[data-list=budgets] [data-add]").await.unwrap();
    browser.write("[name='budgets[0].max_limit']", "3").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find_saying("h1", "Limits").await.unwrap();
    let made = client.model_config_list(&ModelConfigQuery::default()).await.unwrap().model_configs.remove(0);
    assert_eq!((made.model_name.as_str(), made.scope_id.unwrap().as_str()), ("gpt-4.1-mini", last.as_str()));

    browser.open(&format!("{}/new/routing", app.url)).await.unwrap();
    browser.write("[name=name]", "by name").await.unwrap();
    browser.click("[name=scope] option[value=virtual_key]").await.unwrap();
    choose(&browser, "f-scope_id", "key 50", "key 50 · key").await;
    has(&browser, "[name=scope_id]", &last).await;
    browser.click("[name='targets[0].provider'] option[value=demo]").await.unwrap();
    browser.click("[name='targets[0].key_id'] option:nth-child(2)").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find("[data-opens^=delete]").await.unwrap();
    let made = client.routing_rule_list(&RoutingRuleQuery::default()).await.unwrap().rules.remove(0);
    assert_eq!(made.scope_id.as_deref(), Some(last.as_str()));
    assert!(made.targets[0].key_id.is_some());
    is_quiet(&browser, "choosing").await;
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_gathered_in_place_of_every_model() {
    let app = guarded().start().await;
    let browser = administrator(&app).await;
    browser.open(&format!("{}/new/virtual-keys", app.url)).await.unwrap();
    browser.click("[data-add=config-row]").await.unwrap();
    browser.click("[data-add=config-row]").await.unwrap();
    let list = "[name='provider_configs[1].allowed_models']";
    for (written, name, gathered) in [
        ("gpt-4.1-m", "gpt-4.1-mini", "gpt-4.1-mini"),
        ("gpt-4.1-n", "gpt-4.1-nano", "gpt-4.1-mini\ngpt-4.1-nano"),
        ("gpt-4.1-m", "gpt-4.1-mini", "gpt-4.1-nano\ngpt-4.1-mini"),
    ] {
        choose(&browser, "f-provider_configs[1].allowed_models-adding", written, name).await;
        has(&browser, list, gathered).await;
    }
    has(&browser, "[name='provider_configs[0].allowed_models']", "*").await;
    is_quiet(&browser, "the form").await;
    browser.close().await.unwrap();
}
