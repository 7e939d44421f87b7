//! Owners and providers come back as they were made, are found, and go away with what is theirs.

use keyward_core::list::Page;
use keyward_core::owner::TeamFilter;
use keyward_core::secret::SecretSource;
use keyward_core::virtual_key::VirtualKeyFilter;
use keyward_store::{Noun, Reveal, StoreError};
use serde_json::json;

use crate::database::Database;
use crate::request::{self, change, customer, now, provider, provider_key, team};

#[tokio::test(flavor = "multi_thread")]
async fn owners_come_back_with_their_limits_and_the_count_of_their_keys() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let limits = json!({
        "name": "acme", "calendar_aligned": true,
        "budgets": [
            {"max_limit": 90.5, "reset_duration": "1M", "timezone": "Europe/Berlin"},
            {"max_limit": 1, "reset_duration": "1d", "calendar_aligned": false}
        ],
        "rate_limit": {"token_max_limit": 10, "token_reset_duration": "1m"}
    });
    let acme = store.customer_create(change("customer_create"), customer(limits)).await.unwrap();
    let budgets: Vec<_> = acme.budgets.iter().map(|b| (b.reset_duration.as_str(), b.timezone.name())).collect();
    assert_eq!(budgets, [("1d", "UTC"), ("1M", "Europe/Berlin")]);
    assert_eq!((acme.budget_id.as_ref(), acme.calendar_aligned), (Some(&acme.budgets[0].id), true));
    assert_eq!(acme.rate_limit.as_ref().unwrap().token_max_limit, Some(10));
    assert_eq!(store.customer_get(acme.id.clone(), now()).await.unwrap(), acme);

    let request = json!({"name": "search", "customer_id": acme.id, "budget": {"max_limit": 5, "reset_duration": "1w"}});
    let search = store.team_create(change("team_create"), team(request)).await.unwrap();
    assert_eq!(store.team_get(search.id.clone(), now()).await.unwrap(), search);
    request::create(&store, json!({"name": "one", "team_id": search.id})).await.unwrap();
    request::create(&store, json!({"name": "two", "customer_id": acme.id})).await.unwrap();
    assert_eq!(store.team_get(search.id.clone(), now()).await.unwrap().virtual_key_count, 1);
    assert_eq!(store.customer_get(acme.id.clone(), now()).await.unwrap().virtual_key_count, 1);

    store.customer_delete(change("customer_delete"), acme.id.clone()).await.unwrap();
    assert_eq!(store.team_get(search.id.clone(), now()).await.unwrap().customer_id, None);
    store.team_delete(change("team_delete"), search.id.clone()).await.unwrap();
    let keys = store.virtual_key_list(VirtualKeyFilter::default(), now(), Reveal::Redacted).await.unwrap();
    assert!(keys.entries.iter().all(|key| key.team_id.is_none() && key.customer_id.is_none()));
    assert_eq!(database.lines("SELECT id AS line FROM budgets"), [""; 0]);
    assert!(matches!(store.customer_get(acme.id, now()).await, Err(StoreError::NotFound(Noun::Customer))));
    assert!(matches!(store.team_delete(change("team_delete"), search.id).await, Err(StoreError::NotFound(Noun::Team))));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_paged_in_a_total_order_and_searched_by_ascii_case_and_literally() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    for name in ["Alpha_1", "ALPHAx2", "beta", "100%", "Ärger"] {
        store.team_create(change("team_create"), team(json!({"name": name}))).await.unwrap();
    }
    let whole = store.team_list(TeamFilter::default()).await.unwrap();
    let mut ids: Vec<String> = whole.entries.iter().map(|team| team.id.to_string()).collect();
    assert_eq!(whole.total, 5);
    assert!(ids.is_sorted(), "equal instants are ordered by id");
    let page = store.team_list(Page { limit: 2, offset: 1, ..Page::default() }.into()).await.unwrap();
    assert_eq!(page.total, 5);
    let paged: Vec<String> = page.entries.iter().map(|team| team.id.to_string()).collect();
    assert_eq!(paged, ids.drain(1..3).collect::<Vec<_>>());
    for (search, expected) in
        [("alpha", 2), ("a_1", 1), ("%", 1), ("\\", 0), ("ärger", 0), ("ÄRGER", 1), ("Alpha_1' OR 1=1", 0)]
    {
        let found =
            store.team_list(Page { limit: 9, search: Some(search.into()), ..Page::default() }.into()).await.unwrap();
        assert_eq!(found.total, expected, "{search}");
        assert_eq!(found.entries.len(), usize::try_from(expected).unwrap(), "{search}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_taken_once_per_kind() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let [..] = request::providers(&store).await;
    store.team_create(change("team_create"), team(json!({"name": "x"}))).await.unwrap();
    store.customer_create(change("customer_create"), customer(json!({"name": "x"}))).await.unwrap();
    request::create(&store, json!({"name": "x"})).await.unwrap();
    let other = request::create(&store, json!({"name": "y"})).await.unwrap();
    let errors = [
        (Noun::Team, store.team_create(change("team_create"), team(json!({"name": "x"}))).await.err()),
        (Noun::Customer, store.customer_create(change("customer_create"), customer(json!({"name": "x"}))).await.err()),
        (Noun::VirtualKey, request::create(&store, json!({"name": "x"})).await.err()),
        (Noun::VirtualKey, request::update(&store, &other, now(), json!({"name": "x"})).await.err()),
        (
            Noun::Provider,
            store.provider_create(change("provider_create"), provider(json!({"name": "openai"}))).await.err(),
        ),
        (
            Noun::ProviderKey,
            store
                .provider_key_create(change("provider_key_create"), "anthropic".into(), provider_key("a", "sk"))
                .await
                .err(),
        ),
    ];
    for (noun, error) in errors {
        assert!(matches!(error, Some(StoreError::Duplicate(found)) if found == noun), "{noun:?}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_and_their_keys_come_back_without_secrets() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let network = json!({"base_url": "http://127.0.0.1:9/v1", "default_request_timeout_in_seconds": 7});
    let own = provider(json!({"name": "own", "network_config": network, "keys": [
        {"name": "literal", "value": "sk-upstream-secret", "models": ["m1"], "weight": 0.25, "enabled": false}
    ]}));
    let own = store.provider_create(change("provider_create"), own).await.unwrap();
    assert_eq!(own.keys[0].value.value, "sk-u************************cret");
    let added = provider_key("variable", "env.OWN_KEY");
    let added = store.provider_key_create(change("provider_key_create"), "own".into(), added).await.unwrap();
    assert_eq!((added.value.env_var.as_str(), added.value.from_env), ("env.OWN_KEY", true));

    let own = store.provider_get("own".into()).await.unwrap();
    assert_eq!(own.network_config.base_url.as_ref().unwrap().as_str(), "http://127.0.0.1:9");
    assert_eq!(own.network_config.default_request_timeout_in_seconds, Some(7));
    assert_eq!(store.provider_list().await.unwrap(), std::slice::from_ref(&own));
    assert_eq!(store.provider_key_list("own".into()).await.unwrap(), own.keys);
    assert_eq!(store.provider_key_get("own".into(), added.id.clone()).await.unwrap(), added);

    let upstream = store.upstream_keys().await.unwrap();
    let secrets: Vec<_> = upstream.iter().map(|key| key.secret.clone()).collect();
    let expected = ["sk-upstream-secret", "env.OWN_KEY"].map(|text| Some(SecretSource::from_text(text)));
    assert_eq!(secrets, expected);
    assert_eq!((upstream[0].weight, upstream[0].enabled, upstream[0].models.allows("m2")), (0.25, false, false));

    store.provider_key_delete(change("provider_key_delete"), "own".into(), added.id.clone()).await.unwrap();
    let missing = store.provider_key_get("own".into(), added.id).await;
    assert!(matches!(missing, Err(StoreError::NotFound(Noun::ProviderKey))));
    store.provider_delete(change("provider_delete"), "own".into()).await.unwrap();
    assert!(matches!(store.provider_key_list("own".into()).await, Err(StoreError::NotFound(Noun::Provider))));
    assert!(store.upstream_keys().await.unwrap().is_empty());
}
