//! `/api/governance/pricing-overrides`

use keyward_client::{
    CreatePricingOverride, CreateVirtualKey, Patch, PricePatch, PricingOverrideQuery, UpdatePricingOverride,
};
use serde_json::json;

use super::{PRICING_OVERRIDES, refused, send, told};
use crate::harness::App;

fn prices(json: &str) -> PricePatch {
    serde_json::from_str(json).unwrap()
}

fn of(name: &str) -> CreatePricingOverride {
    CreatePricingOverride {
        name: name.to_owned(),
        scope_kind: "global".to_owned(),
        match_type: "exact".to_owned(),
        pattern: "echo".to_owned(),
        request_types: vec!["chat_completion".to_owned()],
        ..CreatePricingOverride::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_created_with_201_and_shows_its_prices_in_both_forms() {
    let app = App::start().await;
    let body = r#"{"name":" mine ","scope_kind":"provider","provider_id":" demo ","virtual_key_id":"","match_type":"wildcard",
        "pattern":"ec*","request_types":["chat_completion","embedding"],
        "patch":{"output_cost_per_token":6e-7,"input_cost_per_token":0.00000015,"input_cost_per_image":null}}"#;
    let reply = app.raw("POST", PRICING_OVERRIDES).body(body).send().await;
    assert_eq!(reply.status, 201);
    let answer = reply.json();
    assert_eq!(answer["message"], "Pricing override created successfully");
    let mut entry = answer["pricing_override"].as_object().unwrap().clone();
    let id = entry.remove("id").unwrap();
    assert_eq!(entry.remove("created_at"), entry.remove("updated_at"));
    let expected = json!({
        "name": "mine", "scope_kind": "provider", "provider_id": "demo", "match_type": "wildcard", "pattern": "ec*",
        "request_types": ["chat_completion", "embedding"],
        "patch": { "input_cost_per_token": 0.00000015, "output_cost_per_token": 0.0000006 },
        "pricing_patch": r#"{"input_cost_per_token":0.00000015,"output_cost_per_token":0.0000006}"#,
        "config_hash": "",
    });
    assert_eq!(json!(entry), expected);
    let read = app.raw("GET", &format!("{PRICING_OVERRIDES}/{}", id.as_str().unwrap())).send().await.json();
    assert_eq!(read, json!({ "pricing_override": answer["pricing_override"] }));
}

/// Which ids each kind of scope wants, and which it does not take.
#[tokio::test(flavor = "multi_thread")]
async fn a_scope_has_the_ids_of_its_kind_and_no_other() {
    let app = App::start().await;
    let good = serde_json::to_value(of("x")).unwrap();
    let (provider, key, virtual_key) = (("provider_id", "demo"), ("provider_key_id", "k"), ("virtual_key_id", "vk"));
    for (kind, ids, message) in [
        ("provider", &[][..], "provider_id is required for provider scope_kind"),
        ("provider", &[provider, key], "provider scope_kind only supports provider_id"),
        ("provider_key", &[], "provider_key_id is required for provider_key scope_kind"),
        ("provider_key", &[key, provider], "provider_key scope_kind only supports provider_key_id"),
        ("virtual_key", &[], "virtual_key_id is required for virtual_key scope_kind"),
        ("virtual_key", &[virtual_key, provider], "virtual_key scope_kind only supports virtual_key_id"),
        (
            "virtual_key_provider",
            &[virtual_key],
            "virtual_key_id and provider_id are required for virtual_key_provider scope_kind",
        ),
        (
            "virtual_key_provider",
            &[virtual_key, provider, key],
            "virtual_key_provider scope_kind does not support provider_key_id",
        ),
        (
            "virtual_key_provider_key",
            &[virtual_key, provider],
            "virtual_key_id, provider_id, and provider_key_id are required for virtual_key_provider_key scope_kind",
        ),
    ] {
        let mut body = good.clone();
        body["scope_kind"] = kind.into();
        for (name, id) in ids {
            body[*name] = (*id).into();
        }
        let reply = app.raw("POST", "/api/governance/pricing-overrides").body(body.to_string()).send().await;
        assert_eq!((reply.status, reply.json()["error"]["message"].as_str()), (400, Some(message)), "{kind} {ids:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_and_makes_nothing() {
    let app = App::start().await;
    let good = serde_json::to_value(of("x")).unwrap();
    for (members, at, message) in [
        (json!({ "name": "" }), "/name", "name is required"),
        (json!({ "scope_kind": "team" }), "/scope_kind", "unsupported scope_kind \"team\""),
        (json!({ "provider_id": "demo" }), "/scope_kind", "global scope_kind must not include scope identifiers"),
        (
            json!({ "scope_kind": "virtual_key" }),
            "/virtual_key_id",
            "virtual_key_id is required for virtual_key scope_kind",
        ),
        (json!({ "scope_kind": "virtual_key", "virtual_key_id": "gone" }), "/virtual_key_id", "'gone' not found"),
        (json!({ "scope_kind": "provider", "provider_id": "nowhere" }), "/provider_id", "'nowhere' not found"),
        (json!({ "scope_kind": "provider_key", "provider_key_id": "gone" }), "/provider_key_id", "'gone' not found"),
        (json!({ "match_type": "regex" }), "/match_type", "unsupported match_type \"regex\""),
        (json!({ "pattern": "e*" }), "/pattern", "exact match pattern must not contain wildcards"),
        (json!({ "request_types": ["chat_completion_stream"] }), "/request_types/0", "use \"chat_completion\""),
        (
            json!({ "patch": { "input_cost_per_tokens": 1 } }),
            "/patch/input_cost_per_tokens",
            "did you mean 'input_cost_per_token'?",
        ),
        (json!({ "patch": { "input_cost_per_token": -1 } }), "/patch/input_cost_per_token", "cannot be negative"),
        (
            json!({ "patch": { "input_cost_per_token": 1e-13 } }),
            "/patch/input_cost_per_token",
            "finer than a pico-dollar",
        ),
        (json!({ "patch": { "input_cost_per_token": "1" } }), "/patch/input_cost_per_token", "a number of US dollars"),
        (json!({ "patch": [] }), "/patch", "expected a map"),
    ] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let reply = send(&app, "POST", PRICING_OVERRIDES, &body).await;
        assert_eq!((reply.error().0, reply.error().2.as_str()), (400, at), "{members}: {}", reply.json());
        let told = reply.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(told.contains(message), "{members}: {told}");
    }
    assert_eq!(app.client.pricing_override_list(&PricingOverrideQuery::default()).await.unwrap().count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn put_and_patch_change_what_they_name() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let request = CreatePricingOverride {
        scope_kind: "provider".to_owned(),
        provider_id: Some("demo".into()),
        patch: Some(prices(r#"{"input_cost_per_token":1}"#)),
        ..of("mine")
    };
    let made = app.client.pricing_override_create(&request).await.unwrap().pricing_override;
    let renamed = UpdatePricingOverride { name: Some("yours".to_owned()), ..UpdatePricingOverride::default() };
    let updated = app.client.pricing_override_update(&made.id, &renamed).await.unwrap().pricing_override;
    assert_eq!((updated.name.as_str(), &updated.patch), ("yours", &made.patch));
    let moved = UpdatePricingOverride {
        scope_kind: Some("virtual_key".to_owned()),
        virtual_key_id: key.id.clone().into(),
        patch: prices(r#"{"output_cost_per_token":2}"#).into(),
        ..UpdatePricingOverride::default()
    };
    let moved = app.client.pricing_override_patch(&made.id, &moved).await.unwrap().pricing_override;
    assert_eq!((moved.virtual_key_id.as_ref(), moved.provider_id.as_ref()), (Some(&key.id), None));
    assert_eq!(moved.pricing_patch, r#"{"output_cost_per_token":2}"#);
    let cleared = UpdatePricingOverride { virtual_key_id: Patch::Null, ..UpdatePricingOverride::default() };
    assert_eq!(refused(app.client.pricing_override_patch(&made.id, &cleared).await).status, 400);
    // What it is for may have gone since: an edit of something else is no reason to refuse.
    app.client.virtual_key_delete(&key.id).await.unwrap();
    let again = app.client.pricing_override_update(&made.id, &renamed).await.unwrap().pricing_override;
    assert_eq!(again.virtual_key_id, Some(key.id));
    let gone = app.client.pricing_override_delete(&made.id).await.unwrap();
    assert_eq!(gone.message, "Pricing override deleted successfully");
    assert_eq!(
        told(&refused(app.client.pricing_override_update(&made.id, &renamed).await)),
        (404, "", "Pricing override not found")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_searched_and_paged() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let at_demo = CreatePricingOverride { provider_id: Some("demo".into()), ..of("at demo") };
    let for_key = CreatePricingOverride { virtual_key_id: Some(key.id.clone()), ..at_demo.clone() };
    for request in [
        of("everywhere"),
        CreatePricingOverride { scope_kind: "provider".to_owned(), ..at_demo },
        CreatePricingOverride { scope_kind: "virtual_key_provider".to_owned(), name: "mine".to_owned(), ..for_key },
    ] {
        app.client.pricing_override_create(&request).await.unwrap();
    }
    let names = async |query: PricingOverrideQuery| -> Vec<String> {
        let list = app.client.pricing_override_list(&query).await.unwrap();
        list.pricing_overrides.into_iter().map(|entry| entry.name).collect()
    };
    let any = PricingOverrideQuery::default;
    assert_eq!(names(any()).await, ["everywhere", "at demo", "mine"]);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(names(PricingOverrideQuery { provider_id: text(" demo "), ..any() }).await, ["at demo", "mine"]);
    assert_eq!(names(PricingOverrideQuery { virtual_key_id: text(key.id.as_str()), ..any() }).await, ["mine"]);
    assert_eq!(names(PricingOverrideQuery { scope_kind: text("global"), ..any() }).await, ["everywhere"]);
    assert_eq!(names(PricingOverrideQuery { search: text("DEMO"), ..any() }).await, ["at demo"]);
    assert_eq!(names(PricingOverrideQuery { limit: text("1"), offset: text("2"), ..any() }).await, ["mine"]);
    assert_eq!(names(PricingOverrideQuery { provider_key_id: text(""), ..any() }).await.len(), 3);
    let unknown = PricingOverrideQuery { scope_kind: text("team"), ..any() };
    assert_eq!(told(&refused(app.client.pricing_override_list(&unknown).await)).1, "/scope_kind");
    assert!(names(PricingOverrideQuery { virtual_key_id: text("nobody"), ..any() }).await.is_empty());
}
