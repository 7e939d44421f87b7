//! A session that may look and not touch: what it may not do is not offered.

use keyward_client::Client;
use keyward_showcase::browser::Browser;
use keyward_showcase::pages::PAGES;
use serde_json::json;

use super::{PASSWORD, USERNAME, guarded, is_quiet};
use crate::harness::App;

/// The secret of a management key that may read everything.
async fn reader(app: &App) -> String {
    let admin: Client = app.client_builder().admin(USERNAME, PASSWORD).build().unwrap();
    let resources = [
        "virtual_keys",
        "teams",
        "customers",
        "providers",
        "routing_rules",
        "model_configs",
        "pricing_overrides",
        "audit",
        "events",
        "usage",
    ];
    let permissions = resources.map(|resource| json!({ "resource": resource, "access": "read" }));
    let request = json!({ "name": "a reader", "permissions": permissions });
    let made = admin.management_key_create(&serde_json::from_value(request).unwrap()).await.unwrap();
    made.value.unwrap().expose().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_is_offered_no_change() {
    let app = guarded().filled().start().await;
    let (browser, secret) = (Browser::start().await.unwrap(), reader(&app).await);
    browser.open(&format!("{}/login", app.url)).await.unwrap();
    browser.click("details summary").await.unwrap();
    browser.write("[name=management_key]", &secret).await.unwrap();
    browser.click("details button[type=submit]").await.unwrap();
    browser.find("nav a[aria-current=page]").await.unwrap();
    for page in PAGES.into_iter().filter(|page| !page.is_form) {
        page.open(&browser, &app.url).await.unwrap();
        let offered = "return [...document.querySelectorAll('main form[data-action], main [data-opens], main a[href^=\"/new/\"], \
                       main a[href$=\"/new\"], \
                       main a[href$=\"/edit\"]')].map((element) => element.outerHTML)";
        assert_eq!(browser.run(offered).await.unwrap(), json!([]), "{}", page.name);
        is_quiet(&browser, page.name).await;
    }
    browser.open(&format!("{}/new/virtual-keys", app.url)).await.unwrap();
    let title = browser.find("h1").await.unwrap().text().await.unwrap();
    assert_eq!(title, "You may not see this");
    browser.close().await.unwrap();
}
