//! Keys that are limited to a team or a customer.

use keyward_client::{
    Client, CreateCustomer, CreateTeam, CreateVirtualKey, Customer, CustomerId, ErrorCode, ExplainRequest, ListQuery,
    Patch, Team, TeamId, TeamQuery, UpdateVirtualKey, VirtualKey, VirtualKeyQuery,
};
use serde_json::json;

use super::{guarded, issue, refused, request, virtual_key};
use crate::harness::{App, Contract};

const ALL: [(&str, &str); 4] =
    [("virtual_keys", "write"), ("teams", "write"), ("customers", "write"), ("management_keys", "write")];

/// Two customers, each with a team; a virtual key at each of the four, and one of nobody.
struct World {
    app: App,
    admin: Client,
    customers: [Customer; 2],
    teams: [Team; 2],
    of_teams: [VirtualKey; 2],
    of_customers: [VirtualKey; 2],
    of_nobody: VirtualKey,
}

async fn made(admin: &Client, name: &str, team: Option<&TeamId>, customer: Option<&CustomerId>) -> VirtualKey {
    let (team_id, customer_id) = (team.cloned(), customer.cloned());
    admin.virtual_key_create(&CreateVirtualKey { team_id, customer_id, ..virtual_key(name) }).await.unwrap().virtual_key
}

async fn world() -> World {
    let (app, admin) = guarded().await;
    let (mut customers, mut teams, mut of_teams, mut of_customers) = (vec![], vec![], vec![], vec![]);
    for name in ["own", "foreign-marker"] {
        let customer = CreateCustomer { name: name.to_owned(), ..CreateCustomer::default() };
        let customer = admin.customer_create(&customer).await.unwrap().customer;
        let team =
            CreateTeam { name: name.to_owned(), customer_id: Some(customer.id.clone()), ..CreateTeam::default() };
        let team = admin.team_create(&team).await.unwrap().team;
        of_teams.push(made(&admin, &format!("{name} team"), Some(&team.id), None).await);
        of_customers.push(made(&admin, &format!("{name} customer"), None, Some(&customer.id)).await);
        customers.push(customer);
        teams.push(team);
    }
    let of_nobody = made(&admin, "foreign-marker nobody", None, None).await;
    World {
        app,
        admin,
        customers: customers.try_into().unwrap(),
        teams: teams.try_into().unwrap(),
        of_teams: of_teams.try_into().unwrap(),
        of_customers: of_customers.try_into().unwrap(),
        of_nobody,
    }
}

impl World {
    async fn of_team(&self) -> Client {
        let limit = json!({ "team_id": self.teams[0].id.as_str() });
        issue(&self.app, &self.admin, request("of team", &ALL, limit)).await.1
    }

    async fn of_customer(&self) -> Client {
        let limit = json!({ "customer_id": self.customers[0].id.as_str() });
        issue(&self.app, &self.admin, request("of customer", &ALL, limit)).await.1
    }
}

async fn names(client: &Client) -> Vec<String> {
    let list = client.virtual_key_list(&VirtualKeyQuery::default()).await.unwrap();
    assert_eq!(list.total_count, list.count);
    list.virtual_keys.into_iter().map(|key| key.name).collect()
}

fn moved(team: Option<&TeamId>, customer: Option<&CustomerId>) -> UpdateVirtualKey {
    let patch = |team: Option<&TeamId>| team.map_or(Patch::Null, |id| Patch::Value(id.clone()));
    let customer_id = customer.map_or(Patch::Null, |id| Patch::Value(id.clone()));
    UpdateVirtualKey { team_id: patch(team), customer_id, ..UpdateVirtualKey::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_in_reach_is_seen_or_changed() {
    let world = world().await;
    let (of_team, of_customer) = (world.of_team().await, world.of_customer().await);
    assert_eq!(names(&of_team).await, ["own team"]);
    assert_eq!(names(&of_customer).await, ["own team", "own customer"]);
    let rename = UpdateVirtualKey { name: "mine".to_owned().into(), ..UpdateVirtualKey::default() };
    for (client, foreign) in [
        (&of_team, vec![&world.of_teams[1], &world.of_customers[0], &world.of_customers[1], &world.of_nobody]),
        (&of_customer, vec![&world.of_teams[1], &world.of_customers[1], &world.of_nobody]),
    ] {
        for key in foreign {
            assert_eq!(refused(client.virtual_key_get(&key.id).await).status, 404);
            assert_eq!(refused(client.virtual_key_update(&key.id, &rename).await).status, 404);
            assert_eq!(refused(client.virtual_key_delete(&key.id).await).status, 404);
            assert_eq!(world.admin.virtual_key_get(&key.id).await.unwrap(), *key, "and nothing is changed");
        }
        client.virtual_key_update(&world.of_teams[0].id, &rename).await.unwrap();
    }
    of_team.virtual_key_delete(&world.of_teams[0].id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_key_is_made_within_reach_and_stays_there() {
    let world = world().await;
    let (of_team, of_customer) = (world.of_team().await, world.of_customer().await);
    let own = of_team.virtual_key_create(&virtual_key("a")).await.unwrap().virtual_key;
    assert_eq!((&own.team_id, &own.customer_id), (&Some(world.teams[0].id.clone()), &None));
    let own = of_customer.virtual_key_create(&virtual_key("b")).await.unwrap().virtual_key;
    assert_eq!((&own.team_id, &own.customer_id), (&None, &Some(world.customers[0].id.clone())));
    let foreign = CreateVirtualKey { team_id: Some(world.teams[1].id.clone()), ..virtual_key("c") };
    for client in [&of_team, &of_customer] {
        let refusal = refused(client.virtual_key_create(&foreign).await);
        assert_eq!((refusal.status, refusal.param.as_deref()), (400, Some("/team_id")));
        assert!(refusal.message.ends_with("not found"), "as if there were no such team: {}", refusal.message);
        for (team, customer) in [(None, None), (Some(&world.teams[1].id), None), (None, Some(&world.customers[1].id))] {
            let refusal = refused(client.virtual_key_update(&world.of_teams[0].id, &moved(team, customer)).await);
            assert_eq!(refusal.status, 400);
        }
    }
    let up = moved(None, Some(&world.customers[0].id));
    assert_eq!(refused(of_team.virtual_key_update(&world.of_teams[0].id, &up).await).status, 400);
    of_customer.virtual_key_update(&world.of_teams[0].id, &up).await.unwrap();
    assert!(names(&of_team).await.iter().all(|name| name != "own team"));
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_are_a_matter_of_their_customer() {
    let world = world().await;
    let (of_team, of_customer) = (world.of_team().await, world.of_customer().await);
    for client in [&of_team, &of_customer] {
        let teams = client.team_list(&TeamQuery::default()).await.unwrap().teams;
        assert_eq!(teams.iter().map(|team| &team.id).collect::<Vec<_>>(), [&world.teams[0].id]);
        assert_eq!(refused(client.team_delete(&world.teams[1].id).await).status, 404);
    }
    assert_eq!(refused(of_team.team_delete(&world.teams[0].id).await).code, Some(ErrorCode::PermissionDenied));
    let team = CreateTeam { name: "new".to_owned(), ..CreateTeam::default() };
    assert_eq!(refused(of_team.team_create(&team).await).code, Some(ErrorCode::PermissionDenied));
    let new = of_customer.team_create(&team).await.unwrap().team;
    assert_eq!(new.customer_id.as_ref(), Some(&world.customers[0].id));
    of_customer.team_delete(&new.id).await.unwrap();
    let kept = refused(of_customer.team_delete(&world.teams[0].id).await);
    assert_eq!(kept.code, Some(ErrorCode::PermissionDenied), "its virtual keys would belong to nobody");
    assert_eq!(of_customer.customer_list(&ListQuery::default()).await.unwrap().total_count, 1);
    let refusal = refused(of_customer.customer_delete(&world.customers[0].id).await);
    assert_eq!(refusal.code, Some(ErrorCode::PermissionDenied));
    let customer = CreateCustomer { name: "new".to_owned(), ..CreateCustomer::default() };
    assert_eq!(refused(of_customer.customer_create(&customer).await).code, Some(ErrorCode::PermissionDenied));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_key_reaches_no_further() {
    let world = world().await;
    let (of_team, of_customer) = (world.of_team().await, world.of_customer().await);
    let team = json!({ "team_id": world.teams[0].id.as_str() });
    let foreign = json!({ "team_id": world.teams[1].id.as_str() });
    let customer = json!({ "customer_id": world.customers[0].id.as_str() });
    for (client, limit) in [
        (&of_team, json!({})),
        (&of_team, customer),
        (&of_team, foreign.clone()),
        (&of_customer, foreign),
        (&of_customer, json!({})),
    ] {
        let asked = request("x", &[("virtual_keys", "read")], limit);
        assert_eq!(refused(client.management_key_create(&asked).await).code, Some(ErrorCode::PermissionDenied));
    }
    let (key, _) = issue(&world.app, &of_customer, request("x", &[("virtual_keys", "read")], team)).await;
    assert_eq!(of_team.management_key_get(&key.id).await.unwrap(), key);
    let seen = of_team.management_key_list(&ListQuery::default()).await.unwrap();
    assert!(seen.management_keys.iter().all(|key| key.team_id.as_ref() == Some(&world.teams[0].id)));
}

/// What would become of a request is told of the keys that are reached, and of no other.
#[tokio::test(flavor = "multi_thread")]
async fn requests_of_own_keys_are_explained() {
    let world = world().await;
    let body = json!({ "model": "demo/echo", "messages": [] });
    let question = |key: &VirtualKey| ExplainRequest::of_chat(key.id.clone(), &body).unwrap();
    for client in [world.of_team().await, world.of_customer().await] {
        assert!(client.request_explain(&question(&world.of_teams[0])).await.unwrap().admitted);
        for foreign in [&world.of_teams[1], &world.of_customers[1], &world.of_nobody] {
            assert_eq!(refused(client.request_explain(&question(foreign)).await).code, Some(ErrorCode::NotFound));
        }
    }
}

/// Walks the document, so that no operation can be forgotten: nothing of anybody else's is in any answer.
#[tokio::test(flavor = "multi_thread")]
async fn no_reading_tells_what_is_out_of_reach() {
    let world = world().await;
    let limit = json!({ "customer_id": world.customers[0].id.as_str() });
    let issued = world.admin.management_key_create(&request("of customer", &ALL, limit)).await.unwrap();
    let token = format!("Bearer {}", issued.value.unwrap().expose());
    let contract = Contract::new();
    let mut read = 0;
    for (template, item) in contract.documents()[0]["paths"].as_object().unwrap() {
        if item["get"].is_null() || template.ends_with("/quota") {
            continue;
        }
        for id in [world.of_teams[1].id.as_str(), world.teams[1].id.as_str(), world.customers[1].id.as_str()] {
            let path: Vec<&str> =
                template.split('/').map(|segment| if segment.starts_with('{') { id } else { segment }).collect();
            let reply = world.app.raw("GET", &path.join("/")).header("authorization", &token).send().await;
            assert!(!String::from_utf8_lossy(&reply.body).contains("foreign-marker"), "{template}");
            read += usize::from(reply.status == 200);
        }
    }
    assert!(read > 10);
}
