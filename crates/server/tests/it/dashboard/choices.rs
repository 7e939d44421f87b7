//! What fields offer to choose from: names that the visitor may see, and no secrets.

use keyward_client::{CreateTeam, CreateVirtualKey};
use serde_json::json;

use super::{Browser, admin, guarded, text};

#[tokio::test(flavor = "multi_thread")]
async fn who_may_see_less_is_offered_less_and_secrets_are_never_offered() {
    let app = guarded().await;
    let client = admin(&app);
    let team = CreateTeam { name: "mine".to_owned(), ..Default::default() };
    let team = client.team_create(&team).await.unwrap().team;
    let mut made = Vec::new();
    for (name, team_id) in [("ours <b>", Some(team.id.clone())), ("theirs", None)] {
        let request = CreateVirtualKey { name: name.to_owned(), team_id, ..Default::default() };
        made.push(client.virtual_key_create(&request).await.unwrap().virtual_key);
    }
    let offered = async |browser: &Browser, path: &str| {
        let reply = browser.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        text(&reply)
    };
    let all = Browser::administrator(&app).await;
    let page = offered(&all, "/choices/virtual-keys?search=S").await;
    let option = |id: &str, name: &str| format!(r#"<option value="{id}" label="{name}"></option>"#);
    let [ours, theirs] = [option(made[0].id.as_str(), "ours &lt;b&gt;"), option(made[1].id.as_str(), "theirs")];
    assert_eq!(page, format!("{ours}{theirs}"));
    assert!(!made.iter().any(|key| page.contains(key.value.expose())));
    assert_eq!(offered(&all, "/choices/virtual-keys?search=nobody").await, "");
    for written in ["mine", "mine%20%C2%B7%20team"] {
        let page = offered(&all, &format!("/choices/owners?search={written}")).await;
        assert_eq!(page, option(team.id.as_str(), "mine · team"), "{written}");
    }
    assert_eq!(offered(&all, "/choices/owners?search=mine%20%C2%B7%20key").await, "");
    assert!(
        offered(&all, "/choices/models?search=GPT-4.1").await.contains(r#"<option value="gpt-4.1-mini"></option>"#)
    );
    assert!(offered(&all, "/choices/models").await.matches("<option").count() <= 50);
    assert!(offered(&all, "/choices/callable?search=echo").await.contains(r#"value="demo/echo""#));
    let keys = offered(&all, "/choices/provider-keys?search=demo").await;
    assert!(keys.contains("demo · demo-key") && !keys.contains("not-a-secret"), "{keys}");

    let request = json!({ "name": "a team's", "team_id": team.id, "permissions": [{ "resource": "virtual_keys", "access": "read" }] });
    let made = client.management_key_create(&serde_json::from_value(request).unwrap()).await.unwrap();
    let few = Browser::holder(&app, made.value.unwrap().expose()).await;
    assert_eq!(offered(&few, "/choices/virtual-keys").await, ours);
    for path in
        ["/choices/teams", "/choices/customers", "/choices/providers", "/choices/provider-keys", "/choices/callable"]
    {
        assert_eq!(offered(&few, path).await, "", "{path}");
    }
    assert_eq!(Browser::at(&app).get("/choices/virtual-keys").await.status, 401);
    assert_eq!(all.get("/choices/secrets").await.status, 400);
}
