//! Settings: what the server is configured with is edited, and management keys are made, used and taken away, by clicks.

use keyward_client::{Client, ListQuery};
use keyward_showcase::browser::Browser;

use super::{PASSWORD, USERNAME, administrator, guarded, is_quiet, text};
use crate::harness::App;

fn admin(app: &App) -> Client {
    app.client_builder().admin(USERNAME, PASSWORD).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_edited_and_is_in_force() {
    let app = guarded().start().await;
    let (browser, client) = (administrator(&app).await, admin(&app));
    browser.click("nav a[href='/settings']").await.unwrap();
    browser.write("[name='client_config.vk_rotation_cooldown']", "90m").await.unwrap();
    browser.write("[name='client_config.allowed_origins']", "https://admin.example.com").await.unwrap();
    browser.click("form[data-method=PUT] button[type=submit]").await.unwrap();
    let saved = "[name='client_config.vk_rotation_cooldown'][value='90m']";
    browser.find(saved).await.unwrap();
    let config = client.config_get().await.unwrap().client_config;
    assert_eq!(config.vk_rotation_cooldown.duration().as_mins(), 90);
    assert_eq!(config.allowed_origins, ["https://admin.example.com"]);
    is_quiet(&browser, "settings").await;

    browser.write("[name='client_config.vk_rotation_cooldown']", "31 days").await.unwrap();
    browser.click("form[data-method=PUT] button[type=submit]").await.unwrap();
    browser.find("[name='client_config.vk_rotation_cooldown'][aria-invalid=true]").await.unwrap();
    assert_eq!(client.config_get().await.unwrap().client_config, config);
    browser.close().await.unwrap();
}

/// Signs in with a management key.
async fn sign_in(browser: &Browser, app: &App, secret: &str) {
    browser.open(&format!("{}/login", app.url)).await.unwrap();
    browser.click("details summary").await.unwrap();
    browser.write("[name=management_key]", secret).await.unwrap();
    browser.click("details button[type=submit]").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_management_key_is_made_lets_somebody_in_and_is_taken_away() {
    let app = guarded().start().await;
    let (browser, client) = (administrator(&app).await, admin(&app));
    browser.click("nav a[href='/settings']").await.unwrap();
    browser.click("a[href='/settings/keys/new']").await.unwrap();
    browser.write("[name=name]", "by clicks").await.unwrap();
    browser.click("[name='permissions[0].resource'] option[value=usage]").await.unwrap();
    browser.click("[data-add=permission-row]").await.unwrap();
    browser.click("[name='permissions[1].resource'] option[value=teams]").await.unwrap();
    browser.click("[name='permissions[1].access'] option[value=write]").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find("dialog#secret[open]").await.unwrap();
    let secret = browser.find("#secret-value").await.unwrap().text().await.unwrap();
    browser.click("dialog#secret [data-closes]").await.unwrap();
    browser.find_saying("h2", "Management keys").await.unwrap();
    let listed = client.management_key_list(&ListQuery::default()).await.unwrap().management_keys;
    assert_eq!(listed.iter().map(|key| key.permissions.len()).collect::<Vec<_>>(), [2]);

    let guest = Browser::start().await.unwrap();
    sign_in(&guest, &app, &secret).await;
    guest.find("nav a[href='/teams']").await.unwrap();
    let offered = guest.run("return document.querySelector(\"nav a[href='/virtual-keys']\") === null").await.unwrap();
    assert_eq!(offered, true);

    // Its session is there to be seen, and ends with the key.
    browser.open(&format!("{}/settings", app.url)).await.unwrap();
    assert!(text(&browser).await.contains("with a management key"));
    browser.click("form[data-method=PUT][data-action*='management-keys'] button[type=submit]").await.unwrap();
    browser.find_saying("button", "Switch on").await.unwrap();
    guest.open(&format!("{}/teams", app.url)).await.unwrap();
    guest.find("[name=management_key]").await.unwrap();
    is_quiet(&browser, "settings").await;
    browser.click("[data-opens^=delete]").await.unwrap();
    browser.click("dialog[open] button[type=submit]").await.unwrap();
    browser.find_saying("p", "There is none.").await.unwrap();
    guest.close().await.unwrap();
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_ended_from_outside() {
    let app = guarded().start().await;
    let (browser, other) = (administrator(&app).await, administrator(&app).await);
    browser.click("nav a[href='/settings']").await.unwrap();
    // The oldest comes first: the one that looks.
    browser.click("section[aria-labelledby=sessions] tbody tr:nth-child(2) [data-opens^=end]").await.unwrap();
    browser.click("dialog[open] button[type=submit]").await.unwrap();
    browser.find("section[aria-labelledby=sessions] tbody tr:only-child").await.unwrap();
    other.open(&format!("{}/teams", app.url)).await.unwrap();
    other.find("input[name=username]").await.unwrap();
    is_quiet(&browser, "sessions").await;
    other.close().await.unwrap();
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_management_key_has_another_secret_and_its_sessions_end() {
    let app = guarded().start().await;
    let request = serde_json::json!({ "name": "a key", "permissions": [{ "resource": "teams", "access": "read" }] });
    let made = admin(&app).management_key_create(&serde_json::from_value(request).unwrap()).await.unwrap();
    let old = made.value.unwrap().expose().to_owned();
    let (browser, guest) = (administrator(&app).await, Browser::start().await.unwrap());
    sign_in(&guest, &app, &old).await;
    guest.find("nav a[href='/teams']").await.unwrap();

    browser.click("nav a[href='/settings']").await.unwrap();
    browser.click("[data-opens^=rotate]").await.unwrap();
    browser.click("dialog[open] button[type=submit]").await.unwrap();
    browser.find("dialog#secret[open]").await.unwrap();
    let new = browser.find("#secret-value").await.unwrap().text().await.unwrap();
    assert!(new.starts_with("sk-kw-") && new != old);
    browser.click("dialog#secret [data-closes]").await.unwrap();
    browser.find("#secret-value:empty").await.unwrap();
    let kept = browser.run("return document.documentElement.outerHTML").await.unwrap().to_string();
    assert!(!kept.contains(&new), "it is shown once");

    guest.open(&format!("{}/teams", app.url)).await.unwrap();
    guest.find("[name=management_key]").await.unwrap();
    sign_in(&guest, &app, &old).await;
    guest.find("[name=management_key][aria-invalid=true]").await.unwrap();
    sign_in(&guest, &app, &new).await;
    guest.find("nav a[href='/teams']").await.unwrap();
    is_quiet(&browser, "settings").await;
    guest.close().await.unwrap();
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_credential_is_in_force_at_once_and_ends_every_session() {
    let app = guarded().start().await;
    let browser = administrator(&app).await;
    browser.click("nav a[href='/settings']").await.unwrap();
    browser.click("[data-opens=credential]").await.unwrap();
    browser.click("dialog#credential [data-closes]").await.unwrap();
    assert!(admin(&app).config_get().await.is_ok(), "it was only asked about");
    browser.click("[data-opens=credential]").await.unwrap();
    browser.write("dialog#credential [name='auth_config.admin_username']", "chief").await.unwrap();
    browser.write("dialog#credential [name='auth_config.admin_password']", "another-fake-password").await.unwrap();
    browser.click("dialog#credential button[type=submit]").await.unwrap();
    browser.find("input[name=username]").await.unwrap();
    assert!(admin(&app).config_get().await.is_err(), "the old one is refused");

    browser.write("input[name=username]", "chief").await.unwrap();
    browser.write("input[name=password]", "another-fake-password").await.unwrap();
    browser.click("button[type=submit]").await.unwrap();
    browser.find_saying("h1", "Settings").await.unwrap();
    assert!(text(&browser).await.contains("chief"));
    browser.close().await.unwrap();
}
