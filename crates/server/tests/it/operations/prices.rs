//! `keyward prices`: the real process puts a list in force, tells what it changes, and the next server charges by it.

use std::path::Path;
use std::process::Output;

use serde_json::json;

use super::keyward;
use crate::gateway::{chat, demo_cost, with_budget};
use crate::harness::{App, Database, ROOT_KEY};

fn run(database: &Database, directory: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = keyward(directory);
    let command = command.args(arguments).env("DATABASE_URL", &database.url).env("KEYWARD_ROOT_KEY", ROOT_KEY);
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.success(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_list_is_told_kept_and_charged_by() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let used = async |app: &App| app.caller(&key).virtual_key_quota().await.unwrap().budgets[0].current_usage.nanos();
    let app = app.restarted_after(import).await;
    app.caller(&key).chat_completion_create(&chat("demo/echo", "one two three")).await.unwrap();
    let dearer = i64::try_from(app.simulator.bill().prompt_tokens * 7_000_000).unwrap();
    assert_eq!(used(&app).await, dearer);
    let app = app.restarted_after(go_back).await;
    let before = app.simulator.bill();
    app.caller(&key).chat_completion_create(&chat("demo/echo", "one two three")).await.unwrap();
    let after = app.simulator.bill();
    let (input, output) =
        (after.prompt_tokens - before.prompt_tokens, after.completion_tokens - before.completion_tokens);
    assert_eq!(used(&app).await - dearer, demo_cost(input, output).nanos());
}

/// Puts a list in force that has one model, and prices it otherwise.
fn import(database: &Database) {
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("list.json");
    let row = json!({"provider": "demo", "model": "echo", "input": 7000, "output": 0, "max_output_tokens": 64, "context_tokens": 32768});
    std::fs::write(&list, json!({"version": "mine", "about": "", "sources": {}, "models": [row]}).to_string()).unwrap();
    let path = list.to_str().unwrap();
    let prices = |arguments: &[&str]| run(database, directory.path(), &[&["prices"], arguments].concat());

    let (done, told) = prices(&["diff", path]);
    assert!(done && told.contains("changed: demo/echo: input: 10 -> 7000\n"), "{told}");
    assert!(told.contains("changed: demo/echo: output: 40 -> 0\n"), "{told}");
    assert!(told.contains("removed: openai/gpt-4o\n"), "{told}");
    assert!(told.contains("0 models added, 458 removed, 1 changed.\nNothing was written"), "{told}");
    assert_eq!(prices(&["list"]), (true, "'2026-08' is in force, which Keyward ships with.\n".to_owned()));

    let (done, told) = prices(&["import", path]);
    assert!(done && told.contains("is in force in place of '2026-08'"), "{told}");
    let (_, told) = prices(&["list"]);
    assert!(told.contains(", from keyward, sha256 "), "{told}");
    let (_, told) = prices(&["show", "demo/echo"]);
    assert!(told.starts_with("demo/echo: input 7000, output 0, "), "{told}");
    let (done, told) = prices(&["show", "openai/gpt-4o"]);
    assert!(!done && told.contains("no model 'openai/gpt-4o' has a price"), "{told}");
    let (_, told) = prices(&["import", path]);
    assert!(told.contains("Nothing differs"), "{told}");
}

fn go_back(database: &Database) {
    let directory = tempfile::tempdir().unwrap();
    let (done, told) = run(database, directory.path(), &["prices", "import", "--built-in"]);
    assert!(done && told.contains("458 models added, 0 removed, 1 changed."), "{told}");
}

#[test]
fn what_is_no_list_is_refused_by_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("no-list.json");
    std::fs::write(&file, r#"{"a": {"b": 1}}"#).unwrap();
    let output = keyward(directory.path()).args(["prices", "diff"]).arg(&file).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains("no-list.json is no list of prices"), "{told}");
}
