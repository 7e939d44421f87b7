//! `keyward ledger reconcile` and `keyward ledger rerate`, and how long the ledger is kept: the real process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output};

use jiff::{Timestamp, ToSpan as _};
use keyward_client::{CreatePricingOverride, NanoUsd};
use keyward_core::ledger::{Attribution, LedgerEntry, Outcome, Postings, UsageSource};
use keyward_core::price::Usage;
use keyward_core::pricing_override::RequestType;
use serde_json::{Value, json};

use super::{Running, keyward};
use crate::gateway::{chat, with_budget};
use crate::harness::{App, Database, ROOT_KEY, open};

fn on(database: &Database, directory: &Path, arguments: &[&str]) -> Command {
    let mut command = keyward(directory);
    command.args(arguments).env("DATABASE_URL", &database.url).env("KEYWARD_ROOT_KEY", ROOT_KEY);
    command
}

fn said(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap()
}

/// An attempt that no limit covered, and whose cost nothing explains.
fn entry(request: &str, cost: i64, settled_at: Timestamp) -> LedgerEntry {
    LedgerEntry {
        attribution: Attribution {
            request_id: request.into(),
            attempt: 0,
            virtual_key_id: "vk".into(),
            team_id: None,
            customer_id: None,
            request_type: Some(RequestType::ChatCompletion),
            provider: "p".into(),
            provider_key_id: "k".into(),
            model: "m".into(),
            model_served: "m".into(),
        },
        usage: Usage::default(),
        usage_source: UsageSource::Provider,
        cost: NanoUsd::from_nanos(cost),
        pricing: None,
        held: NanoUsd::ZERO,
        outcome: Outcome::Completed,
        admitted_at: settled_at,
        first_byte_at: None,
        settled_at,
        postings: Postings::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_prices_are_charged_in_hindsight_once_and_the_books_add_up() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    app.caller(&key).chat_completion_create(&chat("demo/echo", "one two three")).await.unwrap();
    let patch = r#"{"input_cost_per_token":0.000000007,"output_cost_per_token":0}"#;
    let dearer = CreatePricingOverride {
        name: "in hindsight".to_owned(),
        scope_kind: "global".to_owned(),
        match_type: "exact".to_owned(),
        pattern: "echo".to_owned(),
        request_types: vec!["chat_completion".to_owned()],
        patch: Some(serde_json::from_str(patch).unwrap()),
        ..CreatePricingOverride::default()
    };
    app.client.pricing_override_create(&dearer).await.unwrap();
    let cost = i64::try_from(app.simulator.bill().prompt_tokens * 7).unwrap();
    let (store, database) = app.stopped().await;
    store.close().await.unwrap();

    let directory = tempfile::tempdir().unwrap();
    let rerate = |more: &[&str]| {
        let arguments = [&["ledger", "rerate", "--since", "2026-01-01T00:00:00Z"], more].concat();
        let output = on(&database, directory.path(), &arguments).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    assert!(rerate(&["--model", "another"]).contains("0 entries were looked at"));
    assert!(rerate(&["--dry-run"]).contains("1 entries would cost something else"));
    let told = rerate(&[]);
    assert!(told.contains("1 entries cost something else now") && told.contains("1 counters have changed"), "{told}");
    assert!(rerate(&[]).contains("0 entries cost something else now"));
    let reconcile = on(&database, directory.path(), &["ledger", "reconcile"]).output().unwrap();
    assert!(reconcile.status.success(), "{}", said(&reconcile));
    assert!(said(&reconcile).contains("1 counters and 1 entries were checked"));

    let store = open(&database.url).await;
    assert_eq!(store.ledger_totals(key.id).await.unwrap().cost.nanos(), cost);
    assert_eq!(store.policies_load().await.unwrap().counts[0].1.used, cost);
    assert!(store.audit_verify().await.unwrap().intact);
}

#[tokio::test(flavor = "multi_thread")]
async fn books_that_do_not_add_up_are_told_and_counters_repaired() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let (store, database) = app.stopped().await;
    store.close().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let reconcile = |more: &[&str]| {
        let output = on(&database, directory.path(), &[&["ledger", "reconcile"], more].concat()).output().unwrap();
        (output.status.code(), said(&output))
    };
    if database.is_postgres() {
        // Only a database server can be falsified from outside.
        database.execute("UPDATE meters SET used = used + 1").await;
        let (code, told) = reconcile(&[]);
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("the counter reads") && told.contains("the books do not add up in 1 place"), "{told}");
        let (code, told) = reconcile(&["--repair"]);
        assert_eq!(code, Some(0), "{told}");
        assert!(told.contains("1 counters were set to what the ledger says"), "{told}");
        assert_eq!(reconcile(&[]).0, Some(0));
    }
    let store = open(&database.url).await;
    store.ledger_append(vec![entry("r", 5, Timestamp::UNIX_EPOCH)]).await.unwrap();
    store.close().await.unwrap();
    let (code, told) = reconcile(&["--repair"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("request r, attempt 0: it cost 0.000000005, and has no breakdown"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_deleted_when_they_are_older_than_they_are_kept() {
    let (database, directory) = (Database::fresh().await, tempfile::tempdir().unwrap());
    let store = open(&database.url).await;
    #[expect(clippy::disallowed_methods, reason = "the process that is tested has a clock of its own")]
    let now = Timestamp::now();
    let ages = [0, 23, 25, 24 * 365].map(|hours| now.checked_sub(hours.hours()).unwrap());
    let entries = ages.iter().enumerate().map(|(number, at)| entry(&number.to_string(), 0, *at));
    store.ledger_append(entries.collect::<Vec<_>>()).await.unwrap();
    store.close().await.unwrap();
    let file = directory.path().join("keyward.json");
    std::fs::write(&file, json!({"server": {"ledger_retention_days": 1}}).to_string()).unwrap();

    let mut command = on(&database, directory.path(), &["serve", "--listen", "127.0.0.1:0", "--config"]);
    let mut child = Running(command.arg(&file).env("KEYWARD_LOG_FORMAT", "json").spawn().unwrap());
    let mut log = BufReader::new(child.0.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("deleted") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended before it deleted anything");
    }
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(told["fields"]["deleted"], 2);
    child.terminate();
    assert!(child.0.wait().unwrap().success());
    assert_eq!(open(&database.url).await.ledger_totals("vk".into()).await.unwrap().entries, 2);
}

#[test]
fn the_ledger_is_kept_for_a_day_at_least() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keyward.json");
    for (days, accepted) in [("0", false), ("-1", false), ("1.5", false), ("1", true), ("36500", true)] {
        std::fs::write(&file, format!(r#"{{"server": {{"ledger_retention_days": {days}}}}}"#)).unwrap();
        let check = keyward(directory.path()).args(["config", "check"]).arg(&file).output().unwrap();
        assert_eq!(check.status.success(), accepted, "{days}: {}", said(&check));
        assert!(accepted || said(&check).contains("/server/ledger_retention_days"), "{}", said(&check));
    }
}
