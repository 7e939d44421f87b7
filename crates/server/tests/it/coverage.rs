//! What every operation of the management API has: a method of the SDK, a command or a reason to have none, an answer to callers
//! without a credential, an entry in the audit log if it writes, an example. That each is reached, with each of its statuses, is
//! held by `contract/kept.rs`. What is missing, and why, is in `tests/coverage.json`; what is there must leave that list.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use keyward_contract::{Contract, Operation};
use keyward_server::cli::Cli;
use serde::Deserialize;
use serde_json::Value;

use crate::api::admin::OPEN;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// Operations that the SDK has no method for, and why.
    without_method: BTreeMap<String, String>,
    /// Operations, and the command that does the same.
    commands: BTreeMap<String, String>,
    without_command: Vec<Reason>,
    /// Operations that the document has no example for.
    without_example: BTreeSet<String>,
}

/// Why operations have no command.
#[derive(Deserialize)]
struct Reason {
    reason: String,
    operations: Vec<String>,
}

fn known() -> Known {
    serde_json::from_str(include_str!("../coverage.json")).unwrap()
}

/// The operations of the published document. Those at a path of an earlier generation are the others once more.
fn operations() -> Vec<Operation> {
    Contract::published().unwrap().documents()[0].operations().to_vec()
}

fn originals() -> BTreeSet<String> {
    operations().into_iter().map(|operation| operation.id).filter(|id| !id.ends_with("_alias")).collect()
}

/// All Rust code below a directory.
fn code(directory: &Path) -> String {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let text = |path: PathBuf| if path.is_dir() { code(&path) } else { fs::read_to_string(path).unwrap() };
    entries.map(text).collect()
}

/// The operations that have a method of the SDK: it bears the operation's id.
fn with_method() -> BTreeSet<String> {
    let client = code(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/src"));
    originals().into_iter().filter(|id| client.contains(&format!(" fn {id}("))).collect()
}

#[test]
fn every_operation_has_a_method_of_the_sdk_or_a_reason() {
    let without: BTreeSet<_> = known().without_method.into_keys().collect();
    assert_eq!(&originals() - &with_method(), without);
}

#[test]
fn every_operation_has_a_command_or_a_reason() {
    let known = known();
    let mut told = Vec::from_iter(known.commands.into_keys());
    for Reason { reason, operations } in known.without_command {
        assert!(!reason.is_empty() && !operations.is_empty());
        told.extend(operations);
    }
    told.sort_unstable();
    assert_eq!(told, Vec::from_iter(originals()), "each is told of once");
}

#[test]
fn every_command_is_there() {
    for (operation, words) in known().commands {
        let mut command = &Cli::command();
        for word in words.split(' ') {
            let found = command.find_subcommand(word);
            command = found.unwrap_or_else(|| panic!("{operation}: there is no command `keyward {words}`"));
        }
    }
}

/// `api/admin.rs` asks each without a credential.
#[test]
fn every_operation_that_is_not_open_documents_that_it_wants_a_credential() {
    for operation in operations() {
        let is_open = OPEN.contains(&operation.id.as_str());
        let wants = operation.documents(401) && operation.documents(403) && operation.value["security"].is_array();
        assert!(wants || is_open, "{}", operation.id);
    }
}

/// The contract's run looks for each of them in the log.
#[test]
fn every_write_is_told_to_the_audit_log_by_its_id() {
    // Sessions are opened and ended where the dashboard can do so, too.
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let api = [code(&source.join("api")), code(&source.join("auth"))].concat();
    for operation in operations().iter().filter(|operation| operation.method != "GET") {
        let id = operation.id.trim_end_matches("_alias");
        let told = [format!("change(\"{id}\""), format!("creation(\"{id}\"")];
        let is_told = told.iter().any(|call| api.contains(call));
        assert_eq!(is_told, !keyward_contract::is_unaudited(id), "{id}");
    }
}

#[test]
fn every_operation_has_an_example_or_is_known_to_have_none() {
    let without = operations().into_iter().filter(|operation| !is_shown(operation)).map(|operation| operation.id);
    assert_eq!(BTreeSet::from_iter(without), known().without_example);
}

/// Whether what goes in and what comes out is shown by an example each.
fn is_shown(operation: &Operation) -> bool {
    let answers = operation.responses().filter(|(status, _)| status.starts_with('2')).map(|(_, answer)| answer);
    let request = operation.value.get("requestBody");
    answers.chain(request).all(|body| {
        let mut media = body["content"].as_object().into_iter().flatten().map(|(_, media)| media);
        media.all(|media: &Value| ["example", "examples"].iter().any(|name| media.get(*name).is_some()))
    })
}
