//! The forms of providers and their keys: they have what the API knows, and no secret.

use serde_json::json;

use super::{Browser, admin, guarded, management_key, text};

/// Secrets that no page may have.
const SECRETS: [&str; 3] = ["fake-provider-secret-9", "fake-header-secret-99", "fake-entra-secret-999"];

#[tokio::test(flavor = "multi_thread")]
async fn forms_have_every_field_and_no_secret() {
    let app = guarded().await;
    let [secret, header, entra] = SECRETS;
    let key = json!({ "name": "one", "value": secret, "weight": 0.25, "aliases": { "asked": "served" },
        "azure_key_config": { "endpoint": "https://one.openai.azure.com", "client_id": "a", "client_secret": entra, "tenant_id": "b" } });
    let request = json!({ "name": "house", "description": "ours", "keys": [key],
        "network_config": { "base_url": "http://127.0.0.1:9", "max_retries": 2, "extra_headers": { "x-api-key": header, "x-team": "red" } },
        "concurrency_and_buffer_size": { "concurrency": 7, "buffer_size": 70 },
        "custom_provider_config": { "base_provider_type": "mistral", "allowed_requests": { "embedding": true, "unheard_of": true } } });
    let made = admin(&app).provider_create(&serde_json::from_value(request).unwrap()).await.unwrap();
    let browser = Browser::administrator(&app).await;
    let of_key = format!("/providers/house/keys/{}/edit", made.keys[0].id);
    let pages = ["/providers/house", "/providers/house/edit", "/providers/house/keys/new", of_key.as_str()];
    for path in pages {
        let page = text(&browser.get(path).await);
        assert!(page.len() < 100 * 1024, "{path} has {} bytes", page.len());
        for secret in SECRETS {
            assert!(!page.contains(secret), "{path} has a secret");
        }
    }
    let form = text(&browser.get(pages[1]).await);
    for part in [
        r#"name="network_config.base_url" value="http://127.0.0.1:9""#,
        r#"name="network_config.default_request_timeout_in_seconds" value="""#,
        r#"name="network_config.max_retries" value="2""#,
        r#"name="network_config.retry_backoff_initial""#,
        r#"name="network_config.retry_backoff_max""#,
        "x-api-key=fake",
        "x-team=red",
        r#"name="concurrency_and_buffer_size.buffer_size" value="70""#,
        r#"value="mistral" selected"#,
        r#"value="embedding" selected"#,
        r#"value="unheard_of" selected"#,
        "data-etag=",
    ] {
        assert!(form.contains(part), "{part} is not in {form}");
    }
    assert!(!form.contains(r#"name="name""#), "its name stays");
    let form = text(&browser.get(&of_key).await);
    for part in [
        r#"type="password" id="f-value""#,
        r#"type="password" id="f-azure_key_config.client_secret""#,
        r#"name="azure_key_config.endpoint" value="https://one.openai.azure.com""#,
        r#"name="models""#,
        r#"name="blacklisted_models""#,
        "asked=served",
        r#"name="weight" value="0.25""#,
        r#"name="enabled" checked"#,
        r#"name="use_for_batch_api""#,
        "Now fake",
    ] {
        assert!(form.contains(part), "{part} is not in {form}");
    }
    let form = text(&browser.get(pages[2]).await);
    assert!(!form.contains("_key_config"), "a provider of one's own needs no settings of clouds");
    for (provider, field) in
        [("vertex", "vertex_key_config.auth_credentials"), ("bedrock", "bedrock_key_config.session_token")]
    {
        admin(&app).provider_create(&serde_json::from_value(json!({ "name": provider })).unwrap()).await.unwrap();
        let form = text(&browser.get(&format!("/providers/{provider}/keys/new")).await);
        assert!(form.contains(&format!(r#"name="{field}""#)), "{field} is not in {form}");
        let edit = text(&browser.get(&format!("/providers/{provider}/edit")).await);
        assert!(!edit.contains("custom_provider_config"), "{provider} is a known one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_hides_no_form_and_no_form_a_name() {
    let app = guarded().await;
    admin(&app)
        .provider_create(&serde_json::from_value(json!({ "name": "new", "description": "called so", "network_config": { "base_url": "http://127.0.0.1:9" } })).unwrap())
        .await
        .unwrap();
    let browser = Browser::administrator(&app).await;
    assert!(text(&browser.get("/providers/new").await).contains("called so"));
    assert!(text(&browser.get("/new/providers").await).contains(r#"name="name""#));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_is_offered_no_form() {
    let app = guarded().await;
    let permissions = json!([{ "resource": "providers", "access": "read" }]);
    let (_, secret) = management_key(&app, permissions).await;
    let reader = Browser::holder(&app, &secret).await;
    for path in ["/providers", "/providers/demo"] {
        let page = text(&reader.get(path).await);
        assert!(
            page.contains("demo") && !page.contains("/new/") && !page.contains("/new\"") && !page.contains("/edit\""),
            "{page}"
        );
        assert!(!page.contains("data-action") && !page.contains("data-opens"), "{page}");
    }
    let made = admin(&app).provider_get(&"demo".into()).await.unwrap();
    let of_key = format!("/providers/demo/keys/{}/edit", made.keys[0].id);
    for path in ["/new/providers", "/providers/demo/edit", "/providers/demo/keys/new", of_key.as_str()] {
        assert_eq!(reader.get(path).await.status, 403, "{path}");
    }
}
