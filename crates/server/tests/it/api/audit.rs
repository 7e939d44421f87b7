//! `/api/audit`

use keyward_client::{ActorKind, AuditQuery, CreateCustomer, CreateTeam, CreateVirtualKey};
use keyward_server::AdminCredential;
use serde_json::{Value, json};

use super::refused;
use crate::harness::App;

fn team(name: &str) -> CreateTeam {
    CreateTeam { name: name.to_owned(), ..CreateTeam::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_told_with_its_author() {
    let app = App::builder()
        .settings(|settings| settings.admin = Some(AdminCredential::new("root", &"not-a-real-password".into())))
        .start()
        .await;
    let admin = app.client_builder().admin("root", "not-a-real-password").build().unwrap();
    let made = admin.team_create(&team("red")).await.unwrap().team;
    admin.team_delete(&made.id).await.unwrap();

    let query = AuditQuery { resource: Some("team".to_owned()), ..AuditQuery::default() };
    let list = admin.audit_list(&query).await.unwrap();
    let actions: Vec<_> = list.entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["team_delete", "team_create"]);
    for entry in &list.entries {
        assert_eq!((entry.actor.kind, entry.actor.name.as_str()), (ActorKind::Admin, "root"));
        assert_eq!((entry.source.as_str(), entry.resource_id.as_str()), ("127.0.0.1", made.id.as_str()));
        assert!(!entry.request_id.as_str().is_empty());
    }
    assert_eq!(list.entries[1].after.as_ref().unwrap()["name"], "red");
    let verdict = admin.audit_verify().await.unwrap();
    assert!(verdict.intact && verdict.head == list.entries[0].hash);
    assert_eq!(refused(app.client.audit_list(&query).await).status, 401);
}

/// What stays behind when its owner goes is changed by that, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn what_loses_its_owner_is_told_as_edited() {
    let app = App::start().await;
    let customer = CreateCustomer { name: "acme".to_owned(), ..CreateCustomer::default() };
    let customer = app.client.customer_create(&customer).await.unwrap().customer;
    let owned = CreateTeam { customer_id: Some(customer.id.clone()), ..team("red") };
    let team = app.client.team_create(&owned).await.unwrap().team;
    let of_team = CreateVirtualKey { team_id: Some(team.id.clone()), ..CreateVirtualKey::default() };
    let of_customer = CreateVirtualKey { customer_id: Some(customer.id.clone()), ..CreateVirtualKey::default() };
    let (of_team, of_customer) = (app.key(of_team).await, app.key(of_customer).await);

    app.client.customer_delete(&customer.id).await.unwrap();
    app.client.team_delete(&team.id).await.unwrap();
    let list =
        app.client.audit_list(&AuditQuery { limit: Some("5".to_owned()), ..AuditQuery::default() }).await.unwrap();
    let told: Vec<_> = list
        .entries
        .iter()
        .map(|entry| (entry.action.as_str(), entry.resource.as_str(), entry.resource_id.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("team_delete", "team", team.id.as_str()),
            ("team_delete", "virtual_key", of_team.id.as_str()),
            ("customer_delete", "customer", customer.id.as_str()),
            ("customer_delete", "team", team.id.as_str()),
            ("customer_delete", "virtual_key", of_customer.id.as_str()),
        ]
    );
    let (before, after) = (list.entries[1].before.as_ref().unwrap(), list.entries[1].after.as_ref().unwrap());
    assert_eq!((&before["team_id"], &after["team_id"]), (&json!(team.id), &Value::Null));
    assert!(!serde_json::to_string(&list).unwrap().contains(of_team.value.expose()));
    let read = app.client.virtual_key_get(&of_team.id).await.unwrap();
    assert_eq!(json!(read.updated_at), after["updated_at"], "the version moves");
    assert!(app.client.audit_verify().await.unwrap().intact);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_told() {
    let app = App::start().await;
    app.provider("openai", "https://api.example.com".parse().unwrap()).await;
    let key = app.key(CreateVirtualKey::default()).await;
    let list = app.client.audit_list(&AuditQuery::default()).await.unwrap();
    let text = serde_json::to_string(&list).unwrap();
    assert!(text.contains("provider_create") && text.contains(key.id.as_str()));
    assert!(!text.contains("fake-provider-secret") && !text.contains(key.value.expose()));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_parameters_are_named() {
    let app = App::start().await;
    for (query, param) in [
        ("limit=many", "/limit"),
        ("before=-1", "/before"),
        ("since=yesterday", "/since"),
        ("until=2026-13-01T00:00:00Z", "/until"),
        ("whom=me", "/whom"),
    ] {
        let (status, _, at) = app.raw("GET", &format!("/api/audit?{query}")).send().await.error();
        assert_eq!((status, at.as_str()), (400, param), "{query}");
    }
}
