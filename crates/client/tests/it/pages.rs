//! Lists as streams: page after page, as far as somebody reads.

use keyward_client::{AuditQuery, LedgerQuery, TeamQuery, TryStreamExt};

use crate::loopback::{Loopback, answer};

fn teams(names: &[&str], total: usize) -> String {
    let team = |name: &&str| {
        format!(
            r#"{{"id":"{name}","name":"{name}","calendar_aligned":false,"virtual_key_count":0,"config_hash":"","budgets":[],
            "created_at":"2026-11-01T10:00:00Z","updated_at":"2026-11-01T10:00:00Z"}}"#
        )
    };
    let (count, teams) = (names.len(), names.iter().map(team).collect::<Vec<_>>().join(","));
    let body = format!(r#"{{"teams":[{teams}],"count":{count},"total_count":{total},"limit":{count},"offset":0}}"#);
    answer("200 OK", "", &body)
}

#[tokio::test]
async fn every_page_is_read_and_none_before_it_is_wanted() {
    let mut server = Loopback::answering_in_turn([teams(&["a", "b"], 3), teams(&["c"], 3)]).await;
    let query = TeamQuery { limit: Some("2".to_owned()), search: Some("x".to_owned()), ..TeamQuery::default() };
    let mut all = server.client().team_list_all(&query);
    assert!(server.has_no_more(), "nobody has asked for an entry");
    let mut names = Vec::new();
    while let Some(team) = all.try_next().await.unwrap() {
        names.push(team.name);
        if names.len() == 2 {
            assert_eq!(server.received().await.line(), "GET /api/governance/teams?limit=2&search=x");
            assert!(server.has_no_more(), "the second page is not wanted yet");
        }
    }
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(server.received().await.line(), "GET /api/governance/teams?limit=2&offset=2&search=x");
    assert!(all.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn pages_are_large_unless_the_query_says_otherwise_and_end_where_the_list_does() {
    let mut server = Loopback::answering_in_turn([teams(&["a"], 5), teams(&[], 5)]).await;
    let query = TeamQuery { offset: Some("3".to_owned()), ..TeamQuery::default() };
    let all: Vec<_> = server.client().team_list_all(&query).try_collect().await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(server.received().await.line(), "GET /api/governance/teams?limit=100&offset=3");
    assert_eq!(server.received().await.line(), "GET /api/governance/teams?limit=100&offset=4");
}

#[tokio::test]
async fn after_an_error_there_is_nothing_more() {
    let server = Loopback::answering_in_turn([teams(&["a"], 2), answer("404 Not Found", "", "")]).await;
    let mut all = server.client().team_list_all(&TeamQuery::default());
    assert!(all.try_next().await.unwrap().is_some());
    assert_eq!(all.try_next().await.unwrap_err().status(), Some(404));
    assert!(all.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn the_audit_log_is_read_by_place() {
    let page = |next: &str| answer("200 OK", "", &format!(r#"{{"entries":[],"count":0,"next":{next}}}"#));
    let mut server = Loopback::answering_in_turn([page("7"), page("null")]).await;
    let all: Vec<_> = server.client().audit_list_all(&AuditQuery::default()).try_collect().await.unwrap();
    assert!(all.is_empty());
    assert_eq!(server.received().await.line(), "GET /api/audit?limit=100");
    assert_eq!(server.received().await.line(), "GET /api/audit?before=7&limit=100");
}

#[tokio::test]
async fn the_ledger_is_read_by_place() {
    let page = |next: &str| answer("200 OK", "", &format!(r#"{{"entries":[],"count":0,"next":{next}}}"#));
    let mut server = Loopback::answering_in_turn([page(r#""5.0.r""#), page("null")]).await;
    let query = LedgerQuery { format: Some("csv".to_owned()), ..LedgerQuery::default() };
    let all: Vec<_> = server.client().ledger_list_all(&query).try_collect().await.unwrap();
    assert!(all.is_empty());
    assert_eq!(server.received().await.line(), "GET /api/governance/ledger?limit=100");
    assert_eq!(server.received().await.line(), "GET /api/governance/ledger?after=5.0.r&limit=100");
}
