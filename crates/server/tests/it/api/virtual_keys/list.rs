//! `GET /api/governance/virtual-keys`

use keyward_client::{
    CreateCustomer, CreateVirtualKey, CustomerId, TeamId, UpdateVirtualKey, VirtualKeyList, VirtualKeyQuery,
};

use super::super::VIRTUAL_KEYS;
use super::team;
use crate::gateway::{chat, with_budget};
use crate::harness::App;

async fn with_keys(names: &[String]) -> App {
    let app = App::start().await;
    for name in names {
        let request = CreateVirtualKey { name: name.clone(), ..CreateVirtualKey::default() };
        app.client.virtual_key_create(&request).await.unwrap();
    }
    app
}

async fn list(app: &App, limit: Option<&str>, offset: Option<&str>, search: Option<&str>) -> VirtualKeyList {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let query = VirtualKeyQuery {
        limit: text(limit),
        offset: text(offset),
        search: text(search),
        ..VirtualKeyQuery::default()
    };
    app.client.virtual_key_list(&query).await.unwrap()
}

fn names(list: &VirtualKeyList) -> Vec<&str> {
    list.virtual_keys.iter().map(|key| key.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_parameters_it_is_everything_oldest_first() {
    let app = App::start().await;
    let empty = list(&app, None, None, None).await;
    assert_eq!((empty.virtual_keys.len(), empty.count, empty.total_count, empty.limit, empty.offset), (0, 0, 0, 0, 0));
    // Their names are in no order, and they are more than a page.
    let given: Vec<String> = (0..30).map(|index| format!("key {}", (index * 7) % 30)).collect();
    let app = with_keys(&given).await;
    let all = list(&app, None, None, None).await;
    assert_eq!(names(&all), given);
    assert_eq!((all.count, all.total_count, all.limit, all.offset), (30, 30, 30, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_tile_the_list() {
    let given: Vec<String> = (0..27).map(|index| format!("key {index}")).collect();
    let app = with_keys(&given).await;
    for (limit, offset, expected, shown) in [
        (Some("10"), None, 0..10, (10, 0)),
        (Some("10"), Some("10"), 10..20, (10, 10)),
        (Some("10"), Some("20"), 20..27, (10, 20)),
        (Some("10"), Some("27"), 27..27, (10, 27)),
        (Some("10"), Some("2147483647"), 27..27, (10, 2_147_483_647)),
        (None, Some("1"), 1..26, (25, 1)),
        (Some("0"), None, 0..25, (25, 0)),
        (Some("1000"), None, 0..27, (100, 0)),
    ] {
        let page = list(&app, limit, offset, None).await;
        assert_eq!(names(&page), &given[expected], "{limit:?} {offset:?}");
        assert_eq!((page.count, page.total_count), (page.virtual_keys.len() as i64, 27));
        assert_eq!((page.limit, page.offset), shown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn search_takes_every_character_literally_and_ignores_case() {
    let given = ["100%", "1000", "a_b", "aXb", r"c\d", "Load TEST", "load test", "It's"];
    let app = with_keys(&given.map(str::to_owned)).await;
    for (search, expected) in [
        ("100", &["100%", "1000"][..]),
        ("100%", &["100%"]),
        ("%", &["100%"]),
        ("_", &["a_b"]),
        ("A_B", &["a_b"]),
        ("axb", &["aXb"]),
        (r"\", &[r"c\d"]),
        ("d Te", &["Load TEST", "load test"]),
        ("'s", &["It's"]),
        ("nothing", &[]),
        ("", &given),
    ] {
        let found = list(&app, None, None, Some(search)).await;
        assert_eq!(names(&found), expected, "{search}");
        assert_eq!((found.total_count, found.limit), (expected.len() as i64, 25));
    }
    let page = list(&app, Some("1"), Some("1"), Some("load")).await;
    assert_eq!((names(&page), page.total_count), (vec!["load test"], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_are_not_understood_are_refused() {
    let app = App::start().await;
    for (query, param, message) in [
        ("limit=abc", "/limit", "Invalid limit parameter: must be a number"),
        ("limit=", "/limit", "Invalid limit parameter: must be a number"),
        ("limit=1.5", "/limit", "Invalid limit parameter: must be a number"),
        ("limit=9223372036854775808", "/limit", "Invalid limit parameter: must be a number"),
        ("limit=-1", "/limit", "Invalid limit parameter: must be non-negative"),
        ("offset=abc", "/offset", "Invalid offset parameter: must be a number"),
        ("limit=5&offset=-1", "/offset", "Invalid offset parameter: must be non-negative"),
    ] {
        let reply = app.raw("GET", &format!("{VIRTUAL_KEYS}?{query}")).send().await;
        assert_eq!(reply.error(), (400, "invalid_request".to_owned(), param.to_owned()), "{query}");
        assert_eq!(reply.json()["error"]["message"], message, "{query}");
    }
    for (query, code, param) in [
        ("limti=5", "unknown_field", "/limti"),
        ("limit=1&limit=2", "invalid_request", ""),
        ("search=%00", "invalid_request", "query"),
    ] {
        let reply = app.raw("GET", &format!("{VIRTUAL_KEYS}?{query}")).send().await;
        assert_eq!(reply.error(), (400, code.to_owned(), param.to_owned()), "{query}");
    }
}

fn labelled(name: &str, labels: &[(&str, &str)]) -> CreateVirtualKey {
    let metadata = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    CreateVirtualKey { name: name.to_owned(), metadata, ..CreateVirtualKey::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_looked_for() {
    let app = App::start().await;
    for request in [
        labelled("a", &[("env", "prod"), ("cost-centre", "Berlin")]),
        labelled("b", &[("env", "prod")]),
        labelled("c", &[("env", "test")]),
        labelled("berlin", &[]),
    ] {
        app.client.virtual_key_create(&request).await.unwrap();
    }
    let found = async |labels: &[(&str, &str)], search: Option<&str>| {
        let metadata = labels.iter().map(|(key, value)| (format!("metadata_{key}"), (*value).to_owned())).collect();
        let query = VirtualKeyQuery { metadata, search: search.map(str::to_owned), ..VirtualKeyQuery::default() };
        let list = app.client.virtual_key_list(&query).await.unwrap();
        names(&list).join(" ")
    };
    assert_eq!(found(&[("env", "prod")], None).await, "a b");
    assert_eq!(found(&[("env", "prod"), ("cost-centre", "Berlin")], None).await, "a");
    assert_eq!(found(&[("env", "PROD")], None).await, "");
    assert_eq!(found(&[], Some("BERLIN")).await, "a berlin", "by name and by label");
    for (query, param) in
        [("metadata_=x", "/metadata_"), ("metadata_a%20b=x", "/metadata_a b"), ("metadat=x", "/metadat")]
    {
        let (status, _, at) = app.raw("GET", &format!("{VIRTUAL_KEYS}?{query}")).send().await.error();
        assert_eq!((status, at.as_str()), (400, param));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_narrow_the_list_and_both_widen_it() {
    let app = App::start().await;
    let customer = CreateCustomer { name: "acme".to_owned(), ..CreateCustomer::default() };
    let customer = app.client.customer_create(&customer).await.unwrap().customer.id;
    let team = team(&app, "red").await;
    let base = |name: &str| CreateVirtualKey { name: name.to_owned(), ..CreateVirtualKey::default() };
    for request in [
        CreateVirtualKey { team_id: Some(team.clone()), ..base("of the team") },
        CreateVirtualKey { customer_id: Some(customer.clone()), ..base("of the customer") },
        base("of nobody"),
    ] {
        app.client.virtual_key_create(&request).await.unwrap();
    }
    let found = async |team: Option<&TeamId>, customer: Option<&CustomerId>| {
        let query =
            VirtualKeyQuery { team_id: team.cloned(), customer_id: customer.cloned(), ..VirtualKeyQuery::default() };
        app.client.virtual_key_list(&query).await.unwrap()
    };
    let of_team = found(Some(&team), None).await;
    assert_eq!(names(&of_team), ["of the team"]);
    assert_eq!(of_team.virtual_keys[0].team.as_ref().unwrap().name, "red");
    let of_customer = found(None, Some(&customer)).await;
    assert_eq!(names(&of_customer), ["of the customer"]);
    assert_eq!(of_customer.virtual_keys[0].customer.as_ref().unwrap().name, "acme");
    assert_eq!(names(&found(Some(&team), Some(&customer)).await), ["of the team", "of the customer"]);
    assert_eq!(names(&found(Some(&"nobody".into()), None).await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_is_total_and_has_a_way_back() {
    let app = App::start().await;
    let mut keys = Vec::new();
    for name in ["b", "a", "c"] {
        let request = CreateVirtualKey { name: name.to_owned(), ..with_budget("1") };
        keys.push(app.client.virtual_key_create(&request).await.unwrap().virtual_key);
    }
    app.caller(&keys[2]).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let off = UpdateVirtualKey { is_active: Some(false), ..UpdateVirtualKey::default() };
    // An edit waits until the ledger is written.
    app.client.virtual_key_update(&keys[0].id, &off).await.unwrap();
    let sorted = async |by: &str, order: &str| {
        let query =
            VirtualKeyQuery { sort_by: Some(by.into()), order: Some(order.into()), ..VirtualKeyQuery::default() };
        names(&app.client.virtual_key_list(&query).await.unwrap()).join("")
    };
    for (by, ascending) in [("name", "abc"), ("created_at", "bac"), ("anything", "bac")] {
        assert_eq!(sorted(by, "asc").await, ascending, "{by}");
        assert_eq!(sorted(by, "desc").await, ascending.chars().rev().collect::<String>(), "{by}");
    }
    assert!(
        sorted("budget_spent", "desc").await.starts_with('c') && sorted("budget_spent", "asc").await.ends_with('c')
    );
    assert!(sorted("status", "desc").await.starts_with('b') && sorted("status", "asc").await.ends_with('b'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_given_to_those_who_accept_one() {
    let app = App::start().await;
    let request = CreateVirtualKey { name: "=cmd(\"x\")".to_owned(), ..labelled("", &[("env", "prod")]) };
    let key = app.client.virtual_key_create(&request).await.unwrap().virtual_key;
    let ask = |accept: &str| app.raw("GET", &format!("{VIRTUAL_KEYS}?export=true")).header("accept", accept).send();
    let reply = ask("text/csv").await;
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    let text = String::from_utf8(reply.body).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert!(lines[0].starts_with("id,name,description,value,is_active,"));
    assert!(lines[1].starts_with(&format!("{},\"'=cmd(\"\"x\"\")\",,", key.id)), "no formula: {}", lines[1]);
    assert!(lines[1].ends_with(",env=prod") && !text.contains(key.value.expose()));
    for accept in ["application/json", "*/*", "application/json, text/csv"] {
        assert!(ask(accept).await.header("content-type").starts_with("application/json"), "{accept}");
    }
}
