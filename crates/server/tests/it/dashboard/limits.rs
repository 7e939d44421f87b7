//! Lists of all budgets and rate limits, whoever owns them.

use keyward_client::CreateVirtualKey;
use serde_json::{Value, json};

use super::{Browser, text};
use crate::gateway::called;
use crate::harness::App;

/// A virtual key with limits of its own, at a provider, and of a model there.
fn with_limits() -> CreateVirtualKey {
    let limits = |requests: u32| {
        json!({ "rate_limit": { "request_max_limit": requests, "request_reset_duration": "1d" },
            "budgets": [{ "max_limit": requests, "reset_duration": "1d" }] })
    };
    let merged = |mut base: Value, other: Value| {
        base.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        base
    };
    let model = merged(json!({ "model": "echo" }), limits(3_003));
    let config =
        merged(json!({ "provider": "demo", "allowed_models": ["*"], "model_budgets": [model] }), limits(2_002));
    serde_json::from_value(merged(json!({ "name": "<i>one", "provider_configs": [config] }), limits(1_001))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_limit_is_listed_with_what_is_used_and_the_way_to_its_owner() {
    let app = App::start().await;
    let key = app.client.virtual_key_create(&with_limits()).await.unwrap().virtual_key;
    let config = json!({ "model_name": "echo", "provider": "demo",
        "rate_limit": { "token_max_limit": 90_000, "token_reset_duration": "1h" }, "budget": { "max_limit": 77, "reset_duration": "1M" } });
    app.client.model_config_create(&serde_json::from_value(config).unwrap()).await.unwrap();
    let customer =
        json!({ "name": "acme", "rate_limit": { "request_max_limit": 5_005, "request_reset_duration": "1d" } });
    let customer = app.client.customer_create(&serde_json::from_value(customer).unwrap()).await.unwrap().customer;
    assert_eq!(called(&app, &key, "demo/echo").await.status, 200);

    let browser = Browser::at(&app);
    let page = text(&browser.get("/limits/rate-limits").await);
    let of_key = |place: &str| {
        format!(r#"<a href="/virtual-keys/{}">&lt;i&gt;one</a> <span class="muted">key{place}</span>"#, key.id)
    };
    let of_model = r#"<a href="/limits?search=echo&amp;provider=demo">echo at demo</a>"#.to_owned();
    let of_customer = format!(r#"<a href="/customers/{}">acme</a>"#, customer.id);
    let owners = [of_key(""), of_key(" at demo"), of_key(" at demo/echo"), of_model, of_customer];
    for owner in &owners {
        assert!(page.contains(owner), "{owner} is not in {page}");
    }
    for figures in
        ["<b>1</b> of 1,001", "<b>1</b> of 2,002", "<b>1</b> of 3,003", "<b>0</b> of 5,005", " of 90,000", "1–5 of 5"]
    {
        assert!(page.contains(figures), "{figures} is not in {page}");
    }
    let page = text(&browser.get("/limits/budgets").await);
    for owner in &owners[..4] {
        assert!(page.contains(owner), "{owner} is not in {page}");
    }
    assert!(page.contains("$2,002.00") && page.contains("/limits/rate-limits"), "{page}");
}
