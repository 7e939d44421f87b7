//! `/api/governance/customers`

use keyward_client::{CreateCustomer, CreateTeam, CreateVirtualKey, ListQuery, NanoUsd, PageQuery, UpdateCustomer};
use serde_json::json;

use super::{CUSTOMERS, budget, done, refused, requests, send, told};
use crate::gateway::chat;
use crate::harness::App;

fn named(name: &str) -> CreateCustomer {
    CreateCustomer { name: name.to_owned(), ..CreateCustomer::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_alone_makes_a_customer_without_limits() {
    let app = App::start().await;
    let answer = done(&app, "POST", CUSTOMERS, json!({ "name": "acme" })).await;
    assert_eq!(answer["message"], "Customer created successfully");
    let mut customer = answer["customer"].as_object().unwrap().clone();
    let id = customer.remove("id").unwrap();
    assert_eq!(customer.remove("created_at"), customer.remove("updated_at"));
    let expected = json!({ "name": "acme", "budgets": [], "calendar_aligned": false, "teams": [], "virtual_keys": [], "virtual_key_count": 0, "config_hash": "" });
    assert_eq!(json!(customer), expected);
    let read = app.raw("GET", &format!("{CUSTOMERS}/{}", id.as_str().unwrap())).send().await.json();
    assert_eq!(read, json!({ "customer": answer["customer"] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_listed_oldest_first_with_their_limits() {
    let app = App::start().await;
    let request =
        CreateCustomer { budget: budget("1", "1d").into(), rate_limit: requests(5, "1m").into(), ..named("zeta") };
    let zeta = app.client.customer_create(&request).await.unwrap().customer;
    let alpha = app.client.customer_create(&named("alpha")).await.unwrap().customer;
    assert_eq!((zeta.budgets.len(), zeta.rate_limit.is_some()), (1, true));
    let all = app.client.customer_list(&ListQuery::default()).await.unwrap();
    assert_eq!(all.customers, [zeta, alpha.clone()]);
    assert_eq!((all.count, all.total_count, all.limit, all.offset), (2, 2, 2, 0));
    let query = ListQuery { search: Some("LPH".to_owned()), ..ListQuery::default() };
    assert_eq!(app.client.customer_list(&query).await.unwrap().customers, [alpha]);
    let error = app.raw("GET", &format!("{CUSTOMERS}?offset=x")).send().await.error();
    assert_eq!((error.0, error.2.as_str()), (400, "/offset"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_refused() {
    let app = App::start().await;
    app.client.customer_create(&named("acme")).await.unwrap();
    let one = json!({ "max_limit": 1, "reset_duration": "1d" });
    for (body, status, param, message) in [
        (json!({ "name": "acme" }), 409, "/name", "A customer with this name already exists"),
        (json!({ "name": "" }), 400, "/name", "Customer name is required"),
        (
            json!({ "name": "x", "budget": one, "budgets": [one] }),
            400,
            "/budgets",
            "only one of 'budget' or 'budgets' may be set",
        ),
    ] {
        let reply = send(&app, "POST", CUSTOMERS, &body).await;
        assert_eq!((reply.status, reply.error().2.as_str()), (status, param), "{body}");
        assert_eq!(reply.json()["error"]["message"], message, "{body}");
    }
    assert_eq!(app.client.customer_list(&ListQuery::default()).await.unwrap().total_count, 1);
}

/// Its teams and keys stay, without it, and what it capped is not capped any more, neither below its teams.
#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_customer_frees_its_teams_and_keys() {
    let app = App::start().await;
    let request =
        CreateCustomer { rate_limit: requests(2, "1h").into(), budget: budget("1", "1d").into(), ..named("a") };
    let customer = app.client.customer_create(&request).await.unwrap().customer;
    let owned_by = Some(customer.id.clone());
    let team = CreateTeam { name: "red".to_owned(), customer_id: owned_by.clone(), ..CreateTeam::default() };
    let team = app.client.team_create(&team).await.unwrap().team;
    let keys = [
        app.key(CreateVirtualKey { customer_id: owned_by, ..CreateVirtualKey::default() }).await,
        app.key(CreateVirtualKey { team_id: Some(team.id.clone()), ..CreateVirtualKey::default() }).await,
    ];
    for key in &keys {
        app.caller(key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    }
    let used = app.client.customer_get(&customer.id).await.unwrap();
    assert_eq!(used.rate_limit.unwrap().request_current_usage, 2);
    assert!(used.budgets[0].current_usage > NanoUsd::ZERO);
    for key in &keys {
        let limited = refused(app.caller(key).chat_completion_create(&chat("demo/echo", "hi")).await);
        assert_eq!((limited.status, limited.refusal.unwrap().scope.id.to_string()), (429, customer.id.to_string()));
    }

    let answer = app.client.customer_delete(&customer.id).await.unwrap();
    assert_eq!(answer.message, "Customer deleted successfully");
    assert_eq!(app.client.team_get(&team.id).await.unwrap().customer_id, None);
    for key in &keys {
        let left = app.client.virtual_key_get(&key.id).await.unwrap();
        assert_eq!((left.customer_id, left.team_id), (None, key.team_id.clone()));
        app.caller(key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    }
    for error in
        [refused(app.client.customer_get(&customer.id).await), refused(app.client.customer_delete(&customer.id).await)]
    {
        assert_eq!(told(&error), (404, "", "Customer not found"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_shows_what_is_below_it_and_can_be_edited() {
    let app = App::start().await;
    let request = CreateCustomer { budget: budget("1", "1d").into(), ..named("acme") };
    let customer = app.client.customer_create(&request).await.unwrap().customer;
    let team = CreateTeam { name: "red".to_owned(), customer_id: Some(customer.id.clone()), ..CreateTeam::default() };
    let team = app.client.team_create(&team).await.unwrap().team;
    let key = app.key(CreateVirtualKey { customer_id: Some(customer.id.clone()), ..CreateVirtualKey::default() }).await;
    let shown = app.client.customer_get(&customer.id).await.unwrap();
    assert_eq!(shown.teams.iter().map(|team| &team.id).collect::<Vec<_>>(), [&team.id]);
    assert_eq!(shown.virtual_keys.iter().map(|key| &key.id).collect::<Vec<_>>(), [&key.id]);
    assert_ne!(shown.virtual_keys[0].value, key.value, "redacted");
    assert!(shown.teams[0].customer.is_none() && shown.virtual_keys[0].customer.is_none(), "the tree is finite");
    let request = UpdateCustomer { name: "acme inc".to_owned().into(), ..UpdateCustomer::default() };
    let edited = app.client.customer_update(&customer.id, &request).await.unwrap();
    assert_eq!((edited.message.as_str(), edited.customer.name.as_str()), ("Customer updated successfully", "acme inc"));
    assert_eq!(edited.customer.budgets[0].id, customer.budgets[0].id);
    let nobody = app.client.customer_update(&"nobody".into(), &UpdateCustomer::default()).await;
    assert_eq!(told(&refused(nobody)), (404, "", "Customer not found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_all_owners_are_listed_with_their_owner_and_usage() {
    let app = App::start().await;
    let request =
        CreateCustomer { budget: budget("1", "1d").into(), rate_limit: requests(5, "1m").into(), ..named("acme") };
    let customer = app.client.customer_create(&request).await.unwrap().customer;
    let request = CreateVirtualKey {
        customer_id: Some(customer.id.clone()),
        budget: budget("2", "1d").into(),
        ..CreateVirtualKey::default()
    };
    let key = app.key(request).await;
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let list = app.client.budget_list(&PageQuery::default()).await.unwrap();
    assert_eq!((list.count, list.total_count), (2, 2));
    assert_eq!(
        (list.budgets[0].customer_id.as_ref(), list.budgets[1].virtual_key_id.as_ref()),
        (Some(&customer.id), Some(&key.id))
    );
    assert!(list.budgets.iter().all(|budget| budget.current_usage > NanoUsd::ZERO));
    let page = PageQuery { limit: Some("1".to_owned()), offset: Some("1".to_owned()), ..PageQuery::default() };
    assert_eq!(app.client.budget_list(&page).await.unwrap().budgets[0].id, key.budgets[0].id);
    let limits = app.client.rate_limit_list(&PageQuery::default()).await.unwrap();
    assert_eq!((limits.count, limits.rate_limits[0].request_current_usage), (1, 1));
    // A budget has no name to search in.
    let refused = app.raw("GET", "/api/governance/budgets?search=x").send().await;
    assert_eq!((refused.error().0, refused.error().2), (400, "/search".to_owned()));
}
