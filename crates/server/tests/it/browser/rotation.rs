//! Several virtual keys are rotated at once, from the list.

use keyward_client::VirtualKeyQuery;
use serde_json::{Value, json};

use super::{PASSWORD, USERNAME, administrator, guarded, is_quiet};

#[tokio::test(flavor = "multi_thread")]
async fn the_chosen_keys_get_new_secrets_and_the_others_keep_theirs() {
    let app = guarded().start().await;
    let client = app.client_builder().admin(USERNAME, PASSWORD).build().unwrap();
    for name in ["first", "second", "third"] {
        client.virtual_key_create(&serde_json::from_value(json!({ "name": name })).unwrap()).await.unwrap();
    }
    let secrets = async || {
        let listed = client.virtual_key_list(&VirtualKeyQuery::default()).await.unwrap().virtual_keys;
        listed.into_iter().map(|key| (key.name, key.value.expose().to_owned())).collect::<Vec<_>>()
    };
    let before = secrets().await;
    let browser = administrator(&app).await;
    browser.click("nav a[href='/virtual-keys']").await.unwrap();
    let usable = "return !document.querySelector('[data-opens=rotate-chosen]').disabled";
    assert_eq!(browser.run(usable).await.unwrap(), json!(false), "nothing is chosen yet");
    for name in ["first", "third"] {
        browser.click(&format!("[aria-label='Choose {name}']")).await.unwrap();
    }
    browser.click("[data-opens=rotate-chosen]").await.unwrap();
    browser.click("dialog[open] button[type=submit]").await.unwrap();
    browser.find("dialog#rotated[open]").await.unwrap();
    let shown = browser.run("return document.getElementById('rotated-secrets').textContent").await.unwrap();
    let Value::String(shown) = shown else { panic!("no text: {shown}") };
    for ((name, old), (_, new)) in before.into_iter().zip(secrets().await) {
        let is_chosen = name != "second";
        assert_eq!(new != old, is_chosen, "{name}");
        assert_eq!(shown.contains(&new), is_chosen, "{name}");
    }
    is_quiet(&browser, "the list").await;
    browser.click("dialog#rotated [data-closes]").await.unwrap();
    browser.close().await.unwrap();
}
