//! `GET /api/routing/rules`

use serde_json::json;

use super::{EARLIER, RULES, made, simple, with};
use crate::api::{TEAMS, done};
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_listed_oldest_first_paged_searched_and_by_scope() {
    let app = App::start().await;
    let team = done(&app, "POST", TEAMS, json!({ "name": "red" })).await["team"]["id"].as_str().unwrap().to_owned();
    for name in ["one", "two", "three"] {
        made(&app, simple(name)).await;
    }
    made(&app, with(simple("four"), json!({ "scope": "team", "scope_id": team }))).await;
    for (query, names, total) in [
        ("", &["one", "two", "three", "four"][..], 4),
        ("?from_memory=true", &["one", "two", "three", "four"], 4),
        ("?limit=2&offset=1", &["two", "three"], 4),
        ("?search=O", &["one", "two", "four"], 3),
        ("?scope=team&limit=0", &["four"], 1),
        ("?scope=global&limit=1", &["one", "two", "three"], 3),
        (&format!("?scope=team&scope_id={team}"), &["four"], 1),
        ("?scope_id=nobody", &[], 0),
    ] {
        for path in [RULES, EARLIER] {
            let page = app.raw("GET", &format!("{path}{query}")).send().await.json();
            let found: Vec<_> = page["rules"].as_array().unwrap().iter().map(|rule| &rule["name"]).collect();
            assert_eq!(
                (found, &page["total_count"]),
                (names.iter().map(|n| json!(n)).collect::<Vec<_>>().iter().collect(), &json!(total)),
                "{query}"
            );
            assert_eq!(page["count"], names.len());
        }
    }
    for (query, param) in [("?scope=user", "/scope"), ("?limit=-1", "/limit"), ("?scop=team", "/scop")] {
        let (status, _, at) = app.raw("GET", &format!("{RULES}{query}")).send().await.error();
        assert_eq!((status, at.as_str()), (400, param), "{query}");
    }
}
