//! Providers and their keys are made, edited and deleted by clicks. What a provider is sent shows which secrets are kept.

use keyward_client::{Client, CreateVirtualKey};

use super::{PASSWORD, USERNAME, administrator, guarded, is_quiet, text};
use crate::gateway::chat;
use crate::harness::{App, Scripted};

const ANSWER: &str = r#"{"id":"a","object":"chat.completion","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}"#;

fn admin(app: &App) -> Client {
    app.client_builder().admin(USERNAME, PASSWORD).build().unwrap()
}

/// What the provider gets when somebody asks for its model.
async fn sent(app: &App, client: &Client, upstream: &Scripted) -> String {
    let request = CreateVirtualKey { name: format!("key {}", upstream.requests().len()), ..Default::default() };
    let key = client.virtual_key_create(&request).await.unwrap().virtual_key;
    app.caller(&key).chat_completion_create(&chat("house/echo", "hi")).await.unwrap();
    upstream.requests().last().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_and_its_key_are_made_edited_and_deleted_and_secrets_stay() {
    let upstream = Scripted::answering("200 OK", "application/json", ANSWER).await;
    let app = guarded().start().await;
    let (browser, client) = (administrator(&app).await, admin(&app));
    browser.click("nav a[href='/providers']").await.unwrap();
    browser.click("a[href='/new/providers']").await.unwrap();
    browser.write("[name=name]", "house").await.unwrap();
    browser.write("[name='network_config.base_url']", upstream.base_url().as_str()).await.unwrap();
    let headers = "x-team=red\nx-api-token=fake-header-secret-1234";
    browser.write("[name='network_config.extra_headers']", headers).await.unwrap();
    browser.write("[name='network_config.retry_backoff_max']", "2s").await.unwrap();
    browser.click("[name='custom_provider_config.base_provider_type'] option[value=openai]").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find_saying("h1", "house").await.unwrap();

    browser.click("a[href='/providers/house/keys/new']").await.unwrap();
    browser.write("[name=name]", "by clicks").await.unwrap();
    browser.write("input[type=password][name=value]", "fake-provider-secret-1").await.unwrap();
    browser.write("[name=aliases]", "echo=their-echo").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find("tbody a[href$='/edit']").await.unwrap();
    let request = sent(&app, &client, &upstream).await;
    for part in
        ["authorization: Bearer fake-provider-secret-1\r\n", "x-api-token: fake-header-secret-1234\r\n", "their-echo"]
    {
        assert!(request.contains(part), "{part}: {request}");
    }

    // What is secret is shown by its ends, and stays where nothing else is written.
    browser.click(".head a[href='/providers/house/edit']").await.unwrap();
    browser.write("[name=description]", "in our own racks").await.unwrap();
    browser.click("[name='custom_provider_config.allowed_requests'] option[value='*']").await.unwrap();
    browser.click("[name='custom_provider_config.allowed_requests'] option[value=chat_completion]").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find_saying("dd", "in our own racks").await.unwrap();
    browser.click("tbody a[href$='/edit']").await.unwrap();
    browser.write("[name=weight]", "0.5").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find_saying("td", "0.5").await.unwrap();
    assert_eq!(sent(&app, &client, &upstream).await.matches("fake-").count(), 2);
    let provider = client.provider_get(&"house".into()).await.unwrap();
    let taken = provider.custom_provider_config.unwrap().allowed_requests.unwrap();
    assert_eq!(taken.into_iter().collect::<Vec<_>>(), [("chat_completion".to_owned(), true)]);
    assert_eq!(provider.network_config.retry_backoff_max.unwrap().count(), 2_000);

    browser.click("tbody a[href$='/edit']").await.unwrap();
    browser.write("input[type=password][name=value]", "fake-provider-secret-2").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find_saying("h1", "house").await.unwrap();
    assert!(sent(&app, &client, &upstream).await.contains("Bearer fake-provider-secret-2\r\n"));
    is_quiet(&browser, "the whole way").await;

    browser.click("[data-opens=delete]").await.unwrap();
    browser.click("dialog#delete [data-closes]").await.unwrap();
    client.provider_get(&"house".into()).await.unwrap();
    browser.click("[data-opens=delete]").await.unwrap();
    browser.click("dialog#delete button[type=submit]").await.unwrap();
    browser.find_saying("h1", "Providers").await.unwrap();
    assert!(!text(&browser).await.contains("house"));
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_refuses_of_a_provider_is_said_at_the_field() {
    let app = guarded().start().await;
    let browser = administrator(&app).await;
    for (name, base_url, field) in [("a b", "", "name"), ("house", "", "network_config.base_url")] {
        browser.open(&format!("{}/new/providers", app.url)).await.unwrap();
        browser.write("[name=name]", name).await.unwrap();
        browser.write("[name='network_config.base_url']", base_url).await.unwrap();
        browser.click("form.sheet button[type=submit]").await.unwrap();
        browser.find(&format!("[name='{field}'][aria-invalid=true]")).await.unwrap();
    }
    browser.open(&format!("{}/providers/demo/keys/new", app.url)).await.unwrap();
    browser.write("[name=name]", "without a secret").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find("input[type=password][name=value][aria-invalid=true]").await.unwrap();
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_cloud_are_edited_and_their_secrets_taken_away() {
    let app = guarded().start().await;
    let (browser, client) = (administrator(&app).await, admin(&app));
    let keys = serde_json::json!([{ "name": "eu", "value": "fake-azure-secret", "azure_key_config": {
        "endpoint": "https://eu.openai.azure.com", "client_id": "a-client", "client_secret": "fake-entra-secret", "tenant_id": "a-tenant" } }]);
    let request = serde_json::json!({ "name": "azure", "keys": keys });
    client.provider_create(&serde_json::from_value(request).unwrap()).await.unwrap();
    let key = async || client.provider_get(&"azure".into()).await.unwrap().keys.remove(0);
    browser.open(&format!("{}/providers/azure", app.url)).await.unwrap();

    browser.click("tbody a[href$='/edit']").await.unwrap();
    browser.write("[name='azure_key_config.api_version']", "v1").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find("tbody a[href$='/edit']").await.unwrap();
    let config = key().await.azure_key_config.unwrap();
    assert_eq!(config.api_version.unwrap().value, "v1");
    assert!(config.client_secret.is_some() && config.client_id.is_some(), "what is not touched stays");

    browser.click("tbody a[href$='/edit']").await.unwrap();
    browser.click("input[type=checkbox][name='azure_key_config.client_secret']").await.unwrap();
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find("input[type=password][name='azure_key_config.client_secret'][aria-invalid=true]").await.unwrap();
    for member in ["client_id", "tenant_id"] {
        browser.write(&format!("[name='azure_key_config.{member}']"), "").await.unwrap();
    }
    browser.click("form.sheet button[type=submit]").await.unwrap();
    browser.find("tbody a[href$='/edit']").await.unwrap();
    let config = key().await.azure_key_config.unwrap();
    assert_eq!((config.client_id, config.client_secret, config.tenant_id), (None, None, None));
    assert_eq!(config.endpoint.unwrap().value, "https://eu.openai.azure.com");
    browser.close().await.unwrap();
}
