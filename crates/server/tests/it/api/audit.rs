//! `/api/audit`

use keyward_client::{ActorKind, AuditQuery, CreateTeam, CreateVirtualKey};
use keyward_server::AdminCredential;

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
