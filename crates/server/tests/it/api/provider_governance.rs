//! `/api/governance/providers`

use keyward_client::{ModelConfigQuery, ProviderName, UpdateProviderGovernance};
use serde_json::json;

use super::{PROVIDER_GOVERNANCE, budget, done, refused, requests, send, told};
use crate::harness::App;

fn demo() -> ProviderName {
    "demo".into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_has_limits_that_are_a_model_config_for_every_model() {
    let app = App::start().await;
    let listed = app.raw("GET", &format!("{PROVIDER_GOVERNANCE}?from_memory=true")).send().await.json();
    assert_eq!(listed, json!({ "providers": [], "count": 0 }));
    let request = UpdateProviderGovernance {
        budget: budget("5", "1d").into(),
        rate_limit: requests(7, "1m").into(),
        ..UpdateProviderGovernance::default()
    };
    let set = app.client.provider_governance_update(&demo(), &request).await.unwrap();
    assert_eq!(set.message, "Provider governance updated successfully");
    assert_eq!((set.provider.provider.clone(), set.provider.budgets.len()), (demo(), 1));
    let list = app.client.provider_governance_list().await.unwrap();
    assert_eq!((list.providers, list.count), (vec![set.provider.clone()], 1));

    let configs = app.client.model_config_list(&ModelConfigQuery::default()).await.unwrap().model_configs;
    assert_eq!(configs.len(), 1);
    assert_eq!((configs[0].model_name.as_str(), configs[0].provider.as_ref()), ("*", Some(&demo())));
    assert_eq!(configs[0].budget_id, set.provider.budget_id);

    // Absent stays, `{}` and `[]` remove; without limits it is not listed.
    let path = format!("{PROVIDER_GOVERNANCE}/demo");
    let edited = done(&app, "PUT", &path, json!({ "rate_limit": {} })).await["provider"].clone();
    assert_eq!(edited["budgets"][0]["id"], set.provider.budgets[0].id.as_str());
    assert!(edited.get("rate_limit").is_none());
    done(&app, "PUT", &path, json!({ "budgets": [] })).await;
    assert_eq!(app.client.provider_governance_list().await.unwrap().count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_configured_providers_have_limits_and_removing_them_again_is_no_error() {
    let app = App::start().await;
    let nowhere: ProviderName = "no where/at all".into();
    let nothing = UpdateProviderGovernance::default();
    let unknown = refused(app.client.provider_governance_update(&nowhere, &nothing).await);
    assert_eq!((unknown.status, unknown.message.as_str()), (404, "Provider not found"));
    assert_eq!(refused(app.client.provider_governance_delete(&nowhere).await).status, 404);
    let path = format!("{PROVIDER_GOVERNANCE}/demo");
    for (body, at) in [
        (json!({ "budget": { "max_limit": 0, "reset_duration": "1d" } }), "/budget/max_limit"),
        (json!({ "budgets": [{ "max_limit": 1 }] }), "/budgets/0/reset_duration"),
        (json!({ "model_name": "m" }), "/model_name"),
    ] {
        let reply = send(&app, "PUT", &path, &body).await;
        assert_eq!((reply.error().0, reply.error().2.as_str()), (400, at), "{body}");
    }
    app.provider("own.one", app.simulator.base_url()).await;
    let own: ProviderName = "own.one".into();
    let request = UpdateProviderGovernance { budget: budget("5", "1d").into(), ..UpdateProviderGovernance::default() };
    app.client.provider_governance_update(&own, &request).await.unwrap();
    // The limits outlive the provider, and can still be removed.
    app.client.provider_delete(&own).await.unwrap();
    assert_eq!(app.client.provider_governance_list().await.unwrap().count, 1);
    app.client.provider_governance_delete(&own).await.unwrap();
    assert_eq!(app.client.provider_governance_list().await.unwrap().count, 0);
    for _ in 0..2 {
        let gone = app.client.provider_governance_delete(&demo()).await.unwrap();
        assert_eq!(gone.message, "Provider governance deleted successfully");
    }
    let stale = app.raw("PUT", &path).header("if-match", "\"0\"").body("{}").send().await;
    assert_eq!(stale.status, 412);
    assert_eq!(told(&refused(app.client.provider_governance_update(&own, &request).await)).0, 404);
}
