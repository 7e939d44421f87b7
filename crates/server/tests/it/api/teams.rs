//! `/api/governance/teams`

use keyward_client::{CreateCustomer, CreateTeam, CreateVirtualKey, NanoUsd, Team, TeamQuery, UpdateTeam};
use serde_json::{Value, json};

use super::{TEAMS, budget, done, refused, requests, send, told};
use crate::gateway::chat;
use crate::harness::App;

fn named(name: &str) -> CreateTeam {
    CreateTeam { name: name.to_owned(), ..CreateTeam::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_alone_makes_a_team_without_limits() {
    let app = App::start().await;
    let answer = done(&app, "POST", TEAMS, json!({ "name": "red" })).await;
    assert_eq!(answer["message"], "Team created successfully");
    let mut team = answer["team"].as_object().unwrap().clone();
    let id = team.remove("id").unwrap();
    assert_eq!(team.remove("created_at"), team.remove("updated_at"));
    let expected = json!({ "name": "red", "budgets": [], "calendar_aligned": false, "virtual_keys": [], "virtual_key_count": 0, "config_hash": "" });
    assert_eq!(json!(team), expected);
    let read = app.raw("GET", &format!("{TEAMS}/{}", id.as_str().unwrap())).send().await.json();
    assert_eq!(read, json!({ "team": answer["team"] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_has_a_customer_and_limits_of_its_own() {
    let app = App::start().await;
    let customer = CreateCustomer { name: "acme".to_owned(), ..CreateCustomer::default() };
    let customer = app.client.customer_create(&customer).await.unwrap().customer.id;
    let request = CreateTeam {
        customer_id: Some(customer.clone()),
        budgets: vec![budget("9", "1M"), budget("0.1", "1d")].into(),
        rate_limit: requests(5, "1m").into(),
        calendar_aligned: Some(true),
        ..named("red")
    };
    let team = app.client.team_create(&request).await.unwrap().team;
    assert_eq!((team.customer_id.as_ref(), team.calendar_aligned), (Some(&customer), true));
    assert_eq!(team.budget.as_ref().unwrap().max_limit, "0.1".parse::<NanoUsd>().unwrap());
    assert_eq!((team.budget_id.as_ref(), team.budgets.len()), (Some(&team.budgets[0].id), 2));
    assert_eq!(team.rate_limit_id, Some(team.rate_limit.as_ref().unwrap().id.clone()));
    assert_eq!(app.client.team_get(&team.id).await.unwrap(), team);
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_are_listed_oldest_first_searched_and_paged() {
    let app = App::start().await;
    for name in ["beta", "alpha 1", "gamma", "Alpha_2"] {
        app.client.team_create(&named(name)).await.unwrap();
    }
    for (query, expected, total) in [
        (TeamQuery::default(), &["beta", "alpha 1", "gamma", "Alpha_2"][..], 4),
        (TeamQuery { search: Some("ALPHA".to_owned()), ..TeamQuery::default() }, &["alpha 1", "Alpha_2"], 2),
        (TeamQuery { search: Some("_".to_owned()), ..TeamQuery::default() }, &["Alpha_2"], 1),
        (
            TeamQuery { limit: Some("2".to_owned()), offset: Some("1".to_owned()), ..TeamQuery::default() },
            &["alpha 1", "gamma"],
            4,
        ),
    ] {
        let page = app.client.team_list(&query).await.unwrap();
        let names: Vec<_> = page.teams.iter().map(|team| team.name.as_str()).collect();
        assert_eq!((names.as_slice(), page.total_count), (expected, total), "{query:?}");
    }
    let request = CreateCustomer { name: "c".to_owned(), ..CreateCustomer::default() };
    let customer_id = Some(app.client.customer_create(&request).await.unwrap().customer.id);
    app.client.team_create(&CreateTeam { customer_id: customer_id.clone(), ..named("delta") }).await.unwrap();
    let of_customer = app.client.team_list(&TeamQuery { customer_id, ..TeamQuery::default() }).await.unwrap();
    assert_eq!((of_customer.teams[0].name.as_str(), of_customer.total_count), ("delta", 1));
    let all = app.raw("GET", &format!("{TEAMS}?customer_id=")).send().await.json();
    assert_eq!(all["total_count"], 5, "empty is as absent");
    let error = app.raw("GET", &format!("{TEAMS}?limit=-1")).send().await.error();
    assert_eq!((error.0, error.2.as_str()), (400, "/limit"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_refused() {
    let app = App::start().await;
    app.client.team_create(&named("red")).await.unwrap();
    for (body, status, param, message) in [
        (json!({ "name": "red" }), 409, "/name", "A team with this name already exists"),
        (json!({}), 400, "/name", "Team name is required"),
        (json!({ "name": "x", "customer_id": "nobody" }), 400, "/customer_id", "customer 'nobody' not found"),
        (
            json!({ "name": "x", "budget": { "max_limit": 0, "reset_duration": "1d" } }),
            400,
            "/budget/max_limit",
            "budget max limit cannot be negative or zero: 0.00",
        ),
        (
            json!({ "name": "x", "rate_limit": { "token_max_limit": 1 } }),
            400,
            "/rate_limit/token_reset_duration",
            "rate limit token reset duration is required",
        ),
    ] {
        let reply = send(&app, "POST", TEAMS, &body).await;
        assert_eq!((reply.status, reply.error().2.as_str()), (status, param), "{body}");
        assert_eq!(reply.json()["error"]["message"], message, "{body}");
    }
    assert_eq!(app.client.team_list(&TeamQuery::default()).await.unwrap().total_count, 1);
}

/// Its keys stay, without it, and what it capped is not capped any more.
#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_team_frees_its_keys() {
    let app = App::start().await;
    let request = CreateTeam { rate_limit: requests(1, "1h").into(), budget: budget("1", "1d").into(), ..named("red") };
    let team = app.client.team_create(&request).await.unwrap().team;
    let key = app.key(CreateVirtualKey { team_id: Some(team.id.clone()), ..CreateVirtualKey::default() }).await;
    let caller = app.caller(&key);
    caller.chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let used = app.client.team_get(&team.id).await.unwrap();
    assert_eq!(used.rate_limit.unwrap().request_current_usage, 1);
    assert!(used.budgets[0].current_usage > NanoUsd::ZERO);
    let limited = refused(caller.chat_completion_create(&chat("demo/echo", "hi")).await);
    assert_eq!((limited.status, limited.refusal.unwrap().scope.id.to_string()), (429, team.id.to_string()));

    let answer = app.client.team_delete(&team.id).await.unwrap();
    assert_eq!(answer.message, "Team deleted successfully");
    assert_eq!(app.client.virtual_key_get(&key.id).await.unwrap().team_id, None);
    caller.chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    for error in [refused(app.client.team_get(&team.id).await), refused(app.client.team_delete(&team.id).await)] {
        assert_eq!(told(&error), (404, "", "Team not found"));
    }
    let late = CreateVirtualKey { name: "late".to_owned(), team_id: Some(team.id), ..CreateVirtualKey::default() };
    assert_eq!(refused(app.client.virtual_key_create(&late).await).param.as_deref(), Some("/team_id"));
}

/// Absent members stay, null and empty texts clear, and usage is left alone unless it is to be taken off.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_changes_what_it_names() {
    let app = App::start().await;
    let customer = CreateCustomer { name: "acme".to_owned(), ..CreateCustomer::default() };
    let customer = app.client.customer_create(&customer).await.unwrap().customer.id;
    let request = CreateTeam {
        customer_id: Some(customer.clone()),
        budget: budget("1", "1d").into(),
        rate_limit: requests(5, "1m").into(),
        ..named("red")
    };
    let team = app.client.team_create(&request).await.unwrap().team;
    let key = app.key(CreateVirtualKey { team_id: Some(team.id.clone()), ..CreateVirtualKey::default() }).await;
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let path = format!("{TEAMS}/{}", team.id);
    let edit = async |body: Value| {
        let answer = done(&app, "PUT", &path, body).await;
        assert_eq!(answer["message"], "Team updated successfully");
        serde_json::from_str::<Team>(&answer["team"].to_string()).unwrap()
    };
    let renamed = edit(json!({ "name": "crimson" })).await;
    assert_eq!((renamed.name.as_str(), renamed.customer.unwrap().id), ("crimson", customer));
    assert_eq!(renamed.virtual_keys.iter().map(|key| &key.id).collect::<Vec<_>>(), [&key.id]);
    let spent = renamed.budgets[0].current_usage;
    assert!(spent > NanoUsd::ZERO);
    let more = edit(
        json!({ "budgets": [{ "max_limit": 2, "reset_duration": "1d" }, { "max_limit": 9, "reset_duration": "1w" }] }),
    )
    .await;
    assert_eq!(
        (more.budgets.len(), &more.budgets[0].id, more.budgets[0].current_usage),
        (2, &team.budgets[0].id, spent)
    );
    let reset = edit(json!({ "reset_budget_usage": true, "rate_limit": {}, "customer_id": "" })).await;
    assert_eq!((reset.budgets[0].current_usage, reset.rate_limit, reset.customer_id), (NanoUsd::ZERO, None, None));
    let bare = edit(json!({ "budgets": [] })).await;
    assert_eq!((bare.budgets.len(), bare.budget, bare.name.as_str()), (0, None, "crimson"));
}

/// An edited limit holds at once.
#[tokio::test(flavor = "multi_thread")]
async fn an_edited_limit_is_in_force() {
    let app = App::start().await;
    let team = app.client.team_create(&named("red")).await.unwrap().team;
    let key = app.key(CreateVirtualKey { team_id: Some(team.id.clone()), ..CreateVirtualKey::default() }).await;
    let call = async || app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await;
    call().await.unwrap();
    let request = UpdateTeam { budget: budget("0.000001", "1d").into(), ..UpdateTeam::default() };
    app.client.team_update(&team.id, &request).await.unwrap();
    let error = call().await.unwrap_err();
    assert_eq!(error.code(), Some("budget_exceeded"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_cannot_be_carried_out_changes_nothing() {
    let app = App::start().await;
    let team = app.client.team_create(&named("red")).await.unwrap().team;
    app.client.team_create(&named("blue")).await.unwrap();
    let path = format!("{TEAMS}/{}", team.id);
    for (body, status, param) in [
        (json!({ "name": "" }), 400, "/name"),
        (json!({ "name": null }), 400, "/name"),
        (json!({ "name": "blue" }), 409, "/name"),
        (json!({ "name": "x", "customer_id": "nobody" }), 400, "/customer_id"),
        (json!({ "name": "x", "budget": { "max_limit": 0, "reset_duration": "1d" } }), 400, "/budget/max_limit"),
        (json!({ "name": "x", "budgets": [{ "id": "foreign", "max_limit": 1 }] }), 400, "/budgets/0/id"),
        (json!({ "name": "x", "budget": {}, "budgets": [] }), 400, "/budgets"),
        (json!({ "nam": "x" }), 400, "/nam"),
    ] {
        let (found, _, at) = send(&app, "PUT", &path, &body).await.error();
        assert_eq!((found, at.as_str()), (status, param), "{body}");
        assert_eq!(app.client.team_get(&team.id).await.unwrap(), team, "{body}");
    }
    let nobody = app.client.team_update(&"nobody".into(), &UpdateTeam::default()).await;
    assert_eq!(told(&refused(nobody)), (404, "", "Team not found"));
}
