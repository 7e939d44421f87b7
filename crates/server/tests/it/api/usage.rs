//! `/api/governance/usage`, `/api/governance/usage/forecast`, `/api/governance/ledger`

use keyward_client::{
    BudgetInput, CreateTeam, CreateVirtualKey, ForecastQuery, LedgerQuery, NanoUsd, RateLimitInput, TryStreamExt,
    UsageReport, UsageReportQuery, VirtualKey,
};
use serde_json::{Value, json};

use super::{budget, done, duration};
use crate::gateway::called;
use crate::harness::App;

async fn limited(app: &App, requests: i64) -> VirtualKey {
    let limit = RateLimitInput {
        request_max_limit: requests.into(),
        request_reset_duration: duration("1d").into(),
        ..RateLimitInput::default()
    };
    app.key(CreateVirtualKey { rate_limit: limit.into(), ..CreateVirtualKey::default() }).await
}

fn grouped(by: &str) -> UsageReportQuery {
    UsageReportQuery { group_by: Some(by.to_owned()), ..UsageReportQuery::default() }
}

/// What a group has in common, its attempts and its refusals.
fn figures(report: &UsageReport) -> Vec<(String, u64, u64)> {
    let groups = report.groups.iter().map(|group| {
        let by: Vec<&str> = group.by.iter().map(|member| member.value.as_deref().unwrap_or("none")).collect();
        (by.join(" "), group.usage.requests, group.usage.refusals)
    });
    groups.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_and_refusals_are_told_apart() {
    let app = App::start().await;
    let key = limited(&app, 2).await;
    for status in [200, 200, 429, 429, 429] {
        assert_eq!(called(&app, &key, "demo/echo").await.status, status);
    }
    assert_eq!(
        app.raw("POST", "/v1/chat/completions").header("x-bf-vk", "sk-bf-nobody").body("{}").send().await.status,
        401
    );

    let report = app.client.usage_report(&grouped("outcome")).await.unwrap();
    let expected = [("completed", 2, 0), ("invalid_api_key", 0, 1), ("request_limited", 0, 3)];
    let mut found = figures(&report);
    found.sort();
    assert_eq!(found, expected.map(|(outcome, requests, refusals)| (outcome.to_owned(), requests, refusals)));
    assert_eq!((report.total.requests, report.total.refusals, report.other), (2, 4, None));
    assert_eq!((report.total.latency_ms.count, report.total.time_to_first_byte_ms.count), (2, 2));
    assert!(report.points.is_empty());

    let by_key = app.client.usage_report(&grouped("virtual_key,model")).await.unwrap();
    let id = key.id.to_string();
    assert_eq!(figures(&by_key)[0], (format!("{id} echo"), 2, 3), "refusals are of the model without its provider");
    assert_eq!(by_key.groups[0].by[0].name.as_deref(), Some(key.name.as_str()));
    let sums = &by_key.groups[0].usage;
    assert_eq!(sums.tokens.total, sums.tokens.input + sums.tokens.output);
    assert_eq!(sums.tokens.classes.total(), sums.tokens.total);
    assert_eq!(sums.cost, report.total.cost);

    let query = UsageReportQuery {
        interval: Some("hour".to_owned()),
        outcome: Some("completed".to_owned()),
        ..grouped("team")
    };
    let hours = app.client.usage_report(&query).await.unwrap();
    assert_eq!(hours.points.len(), 24);
    assert_eq!(hours.points.iter().map(|point| point.usage.requests).sum::<u64>(), 2);
    assert_eq!(figures(&hours), [("none".to_owned(), 2, 0)]);

    let refused = app.raw("GET", "/api/governance/usage?group_by=colour").send().await.error();
    assert_eq!(refused, (400, "invalid_request".to_owned(), "/group_by".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_read_in_pages_lines_and_tables() {
    let app = App::start().await;
    let key = limited(&app, 100).await;
    let other = limited(&app, 100).await;
    for number in 0..7 {
        assert_eq!(called(&app, if number % 3 == 0 { &other } else { &key }, "demo/echo").await.status, 200);
    }
    let query = LedgerQuery { limit: Some("2".to_owned()), ..LedgerQuery::default() };
    let all: Vec<_> = app.client.ledger_list_all(&query).try_collect().await.unwrap();
    assert_eq!(all.len(), 7);
    assert!(
        all.windows(2).all(|pair| pair[0].settled_at >= pair[1].settled_at && pair[0].request_id != pair[1].request_id)
    );
    let own = LedgerQuery { virtual_key_id: Some(key.id.to_string()), order: Some("asc".to_owned()), ..query };
    let own: Vec<_> = app.client.ledger_list_all(&own).try_collect().await.unwrap();
    assert_eq!(own.len(), 4);
    let entry = &own[0];
    assert_eq!((entry.outcome.as_str(), entry.provider.as_str(), entry.model.as_str()), ("completed", "demo", "echo"));
    assert_eq!(entry.usage.total(), u64::try_from(entry.input_tokens + entry.output_tokens).unwrap());
    assert!(entry.pricing.is_some() && entry.adjusted == NanoUsd::ZERO);
    let cost: i64 = all.iter().map(|entry| entry.cost.nanos()).sum();
    let report = app.client.usage_report(&UsageReportQuery::default()).await.unwrap();
    assert_eq!((report.total.cost.nanos(), report.total.requests), (cost, 7));

    let lines = app.raw("GET", "/api/governance/ledger?format=ndjson&order=asc").send().await;
    let text = String::from_utf8(lines.body).unwrap();
    let ids: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["request_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, all.iter().rev().map(|entry| entry.request_id.to_string()).collect::<Vec<_>>());
    let table = app.raw("GET", "/api/governance/ledger?format=csv&limit=3").send().await;
    let text = String::from_utf8(table.body).unwrap();
    let mut rows = text.split("\r\n");
    assert!(rows.next().unwrap().starts_with("settled_at,request_id,attempt,outcome,"));
    assert_eq!(rows.next().unwrap().split(',').nth(1), Some(all[0].request_id.as_str()));
    assert_eq!((rows.count(), text.ends_with("\r\n")), (3, true));
    let nothing = app.raw("GET", "/api/governance/ledger?format=csv&model=none").send().await;
    assert_eq!(String::from_utf8(nothing.body).unwrap().matches("\r\n").count(), 1, "the head alone");
    let refused = app.raw("GET", "/api/governance/ledger?after=there").send().await.error();
    assert_eq!(refused, (400, "invalid_request".to_owned(), "/after".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_out_first_comes_first() {
    let app = App::start().await;
    let with = async |dollars: &str| {
        let budget: BudgetInput = budget(dollars, "1M");
        app.key(CreateVirtualKey { budget: budget.into(), ..CreateVirtualKey::default() }).await
    };
    let (idle, tight, wide) = (with("5").await, with("0.01").await, with("1000000").await);
    for key in [&tight, &wide] {
        assert_eq!(called(&app, key, "demo/echo").await.status, 200);
    }
    let list = app.client.usage_forecast(&ForecastQuery::default()).await.unwrap();
    let order: Vec<_> = list.forecasts.iter().map(|one| one.scope.virtual_key_id.clone().unwrap()).collect();
    assert_eq!(order, [tight.id.clone(), wide.id.clone(), idle.id.clone()]);
    assert_eq!((list.count, list.total_count), (3, 3));
    let [tight, wide, idle] = &list.forecasts[..] else { panic!("three") };
    assert!(tight.exhausts_at.is_some_and(|at| at > list.at && Some(at) < tight.resets_at));
    assert!(tight.per_day > NanoUsd::ZERO && tight.usage_at_reset > Some(tight.current_usage));
    assert_eq!((wide.exhausts_at, idle.exhausts_at, idle.per_day), (None, None, NanoUsd::ZERO));
    let first = ForecastQuery { limit: Some("1".to_owned()), ..ForecastQuery::default() };
    assert_eq!(app.client.usage_forecast(&first).await.unwrap().count, 1);
    let refused = app.raw("GET", "/api/governance/usage/forecast?hours=0").send().await.error();
    assert_eq!(refused, (400, "invalid_request".to_owned(), "/hours".to_owned()));
}

/// A management key that is limited to a team sees what is the team's, and one without the permission nothing.
#[tokio::test(flavor = "multi_thread")]
async fn who_reaches_a_team_sees_what_is_the_teams() {
    let app = App::start().await;
    let request = CreateTeam { name: "own".to_owned(), budget: budget("5", "1d").into(), ..CreateTeam::default() };
    let team = app.client.team_create(&request).await.unwrap().team;
    let request = CreateVirtualKey { team_id: team.id.clone().into(), ..CreateVirtualKey::default() };
    let (inside, outside) = (app.key(request).await, limited(&app, 1).await);
    for key in [&inside, &outside, &outside] {
        called(&app, key, "demo/echo").await;
    }
    let issue = async |resource: &str| {
        let permissions = json!([{ "resource": resource, "access": "read" }]);
        let body = json!({ "name": resource, "permissions": permissions, "team_id": team.id });
        let value = done(&app, "POST", "/api/management-keys", body).await["value"].as_str().unwrap().to_owned();
        app.client_builder().management_token(value).build().unwrap()
    };
    let own = issue("usage").await;
    let report = own.usage_report(&grouped("virtual_key")).await.unwrap();
    assert_eq!(figures(&report), [(inside.id.to_string(), 1, 0)]);
    assert_eq!(own.ledger_list(&LedgerQuery::default()).await.unwrap().entries.len(), 1);
    let budgets = own.usage_forecast(&ForecastQuery::default()).await.unwrap();
    assert_eq!((budgets.total_count, budgets.forecasts[0].scope.team_id.as_ref()), (1, Some(&team.id)));
    let others = LedgerQuery { virtual_key_id: Some(outside.id.to_string()), ..LedgerQuery::default() };
    assert!(own.ledger_list(&others).await.unwrap().entries.is_empty());

    let other = issue("virtual_keys").await;
    let refusals = [
        super::refused(other.usage_report(&UsageReportQuery::default()).await),
        super::refused(other.usage_forecast(&ForecastQuery::default()).await),
        super::refused(other.ledger_list(&LedgerQuery::default()).await),
    ];
    assert!(refusals.iter().all(|refusal| refusal.status == 403));
}

/// What was refused in the last second before a stop is in the books, and what is folded reads the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_loses_no_refusal() {
    let app = App::start().await;
    let key = limited(&app, 1).await;
    for _ in 0..4 {
        called(&app, &key, "demo/echo").await;
    }
    let app = app.restarted().await;
    let report = app.client.usage_report(&grouped("provider")).await.unwrap();
    assert_eq!((report.total.requests, report.total.refusals), (1, 3));
}
