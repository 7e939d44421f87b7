//! `keyward config check` and `keyward config export`: the real process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::{Database, ROOT_KEY};
use crate::operations::{Running, keyward};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/config.json")
}

/// The variables that the example names.
fn with_variables(mut command: Command) -> Command {
    command
        .env("OPENAI_API_KEY", "sk-fake-openai-1234567890")
        .env("OPENAI_BATCH_KEY", "sk-fake-batch-1234567890")
        .env("AZURE_API_KEY", "fake-azure-key")
        .env("SEARCH_VIRTUAL_KEY", "sk-bf-00000000-0000-4000-8000-000000000001")
        .env("WEATHER_MCP_TOKEN", "fake-weather-token");
    command
}

fn on(database: &Database, directory: &Path, arguments: &[&str]) -> Command {
    let mut command = with_variables(keyward(directory));
    command.args(arguments).env("DATABASE_URL", &database.url).env("KEYWARD_ROOT_KEY", ROOT_KEY);
    command
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Starts the server with a file and stops it once it serves.
fn served(database: &Database, directory: &Path, file: &Path) {
    let mut command = on(database, directory, &["serve", "--listen", "127.0.0.1:0", "--config"]);
    let mut child = Running(command.arg(file).spawn().unwrap());
    let mut log = BufReader::new(child.0.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("serving") {
        assert_ne!(log.read_line(&mut text).unwrap(), 0, "it ended before it served: {text}");
    }
    child.terminate();
    assert!(child.0.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_starts_a_server_and_comes_out_again() {
    let (database, directory) = (Database::fresh().await, tempfile::tempdir().unwrap());
    served(&database, directory.path(), &example());
    let first = on(&database, directory.path(), &["config", "export", "--output", "first.json"]).output().unwrap();
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let path = directory.path().join("first.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(file["providers"]["openai"]["keys"].as_array().unwrap().len(), 2);
    assert_eq!(file["mcp"]["client_configs"][0]["headers"], json!({"authorization": "env.WEATHER_MCP_TOKEN"}));
    assert_eq!(file["governance"]["virtual_keys"][0]["mcp_configs"][0]["mcp_client_name"], "weather");
    assert!(text.contains("env.OPENAI_API_KEY") && !text.contains("sk-fake") && !text.contains("000000000001"));
    let check = with_variables(keyward(directory.path())).args(["config", "check"]).arg(&path).output().unwrap();
    assert!(check.status.success(), "{}", said(&check));
    served(&database, directory.path(), &path);
    let second = on(&database, directory.path(), &["config", "export"]).output().unwrap();
    assert_eq!(said(&second), text);
}

#[test]
fn the_example_passes_the_check_and_says_what_has_no_effect() {
    let directory = tempfile::tempdir().unwrap();
    let check = keyward(directory.path()).args(["config", "check"]).arg(example()).output().unwrap();
    let text = said(&check);
    assert!(check.status.success(), "{text}");
    for expected in [
        "warning: /config_store: without effect",
        "warning: /client/log_retention_days: without effect",
        "warning: /mcp/tool_manager_config: without effect",
        "warning: /providers/openai/keys/0/value: it names the environment variable OPENAI_API_KEY, which is not set",
        "has no errors.",
    ] {
        assert!(text.contains(expected), "{expected} is missing in:\n{text}");
    }
    assert!(!directory.path().join("keyward.db").exists(), "a check needs no database");
}

#[test]
fn a_check_fails_for_dangling_references_and_duplicates() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    let file = json!({
        "mcp": {"client_configs": [{"name": "w", "client_id": "w-1", "connection_type": "sse", "connection_string": "https://w.example"}]},
        "providers": {
            "openai": {"keys": [{"name": "a", "value": "sk-fake-1234567890"}]},
            "groq": {"keys": [{"name": "a", "value": "sk-fake-1234567890"}]},
        },
        "governance": {
            "virtual_keys": [
                {"id": "vk", "name": "k", "team_id": "gone", "budget_id": "gone",
                 "provider_configs": [{"provider": "mistral", "key_ids": ["gone"]}],
                 "mcp_configs": [{"mcp_client_name": "gone"}, {"mcp_client_id": 3}, {"mcp_client_id": "w-1"}]},
                {"id": "vk", "name": "k"},
            ],
            "routing_rules": [{"id": "r", "name": "r", "scope": "customer", "scope_id": "gone",
                "targets": [{"provider": "openai", "key_id": "gone", "weight": 1}]}],
        },
    });
    std::fs::write(&path, file.to_string()).unwrap();
    let check = keyward(directory.path()).args(["config", "check"]).arg(&path).output().unwrap();
    assert_eq!(check.status.code(), Some(1));
    let text = said(&check);
    for expected in [
        "error: /providers/openai/keys/0/name: the name 'a' is there twice",
        "error: /governance/virtual_keys/0/team_id: team 'gone' is not in this file",
        "error: /governance/virtual_keys/0/budget_id: budget 'gone' is not in this file",
        "error: /governance/virtual_keys/0/provider_configs/0/provider: provider 'mistral' is not in this file",
        "error: /governance/virtual_keys/0/provider_configs/0/key_ids/0: provider key 'gone' is not in this file",
        "error: /governance/virtual_keys/0/mcp_configs/0/mcp_client_name: MCP client 'gone' is not in this file",
        "error: /governance/virtual_keys/0/mcp_configs/1/mcp_client_id: MCP client '3' is not in this file",
        "warning: /governance/virtual_keys/0/mcp_configs/2/tools_to_execute: absent: every tool may be used",
        "warning: /mcp/client_configs/0/tools_to_execute: absent: every tool may be used",
        "error: /governance/virtual_keys/1/id: the id 'vk' is there twice",
        "error: /governance/routing_rules/0/scope_id: customer 'gone' is not in this file",
        "error: /governance/routing_rules/0/targets/0/key_id: provider key 'gone' is not in this file",
        "warning: /governance/virtual_keys/0/provider_configs/0/allowed_models: absent: every model may be used",
    ] {
        assert!(text.contains(expected), "{expected} is missing in:\n{text}");
    }
    assert!(String::from_utf8_lossy(&check.stderr).contains("has 10 errors"), "{text}");
}

#[test]
fn what_is_no_configuration_file_is_refused_where_it_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    for (text, expected) in [
        ("[]", "error: /: invalid type: expected an object"),
        ("{\"client\": }", "error: /: Invalid JSON"),
        (r#"{"client": 5, "providers": [], "governance": "x"}"#, "error: /providers: invalid type: expected an object"),
        (r#"{"governance": {"teams": [], "teams": []}}"#, "error: /governance/teams: it is there twice"),
        (r#"{"governance": {"teams": {}}}"#, "error: /governance/teams: invalid type: expected a list"),
        (
            r#"{"governance": {"teams": [{"id": "a\nb", "name": "t"}]}}"#,
            "error: /governance/teams/0/id: an id has at most",
        ),
        (r#"{"source_of_truth": "me", "version": 3}"#, "error: /version: version must be 1 or 2"),
        (
            r#"{"governance": {"auth_config": {"is_enabled": true}}}"#,
            "error: /governance/auth_config: the admin credential",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let check = keyward(directory.path()).args(["config", "check"]).arg(&path).output().unwrap();
        assert_eq!(check.status.code(), Some(1), "{text}");
        assert!(said(&check).contains(expected), "{text}: {}", said(&check));
    }
}

/// Who looks into a database does not mean to make one.
#[test]
fn nothing_is_made_where_there_is_no_database() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing.db");
    for arguments in [["config", "export"], ["audit", "verify"], ["ledger", "reconcile"]] {
        let mut command = keyward(directory.path());
        let output =
            command.args(arguments).env("DATABASE_URL", format!("sqlite://{}", path.display())).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && told.contains("there is no database at"), "{arguments:?}: {told}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "{arguments:?}");
    }
}
