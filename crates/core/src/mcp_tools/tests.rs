//! The effective set, case by case.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn client(tools: &[&str], on_all: bool, disabled: bool) -> McpClient {
    let client = json!({
        "id": 1, "client_id": "c", "name": "files", "is_code_mode_client": false, "connection_type": "http",
        "auth_type": "none", "headers": {}, "allowed_extra_headers": [], "tools_to_execute": tools,
        "tools_to_auto_execute": [], "is_ping_available": true, "tool_sync_interval": 0, "tool_execution_timeout": 0,
        "tool_pricing": {}, "allow_on_all_virtual_keys": on_all, "disabled": disabled, "config_hash": "",
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"
    });
    serde_json::from_value(client).unwrap()
}

fn list(entries: &[&str]) -> AllowList {
    AllowList::try_from(entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>()).unwrap()
}

#[test]
fn a_tool_must_be_allowed_by_the_client_and_by_the_key() {
    let nothing_left_out = Narrowing::default();
    let allowed = |of_client: &[&str], of_key: Option<&[&str]>, on_all: bool| {
        let (client, of_key) = (client(of_client, on_all, false), of_key.map(list));
        let tools = EffectiveTools::new(&client, of_key.as_ref(), &nothing_left_out);
        (tools.allows("read"), tools.allows_everything())
    };
    for (of_client, of_key, on_all, expected) in [
        (&["*"][..], Some(&["*"][..]), false, (true, true)),
        (&["*"], Some(&["read"]), false, (true, false)),
        (&["read"], Some(&["*"]), false, (true, false)),
        (&["regex:re.*"], Some(&["read", "write"]), false, (true, false)),
        (&["write"], Some(&["*"]), false, (false, false)),
        (&["*"], Some(&["write"]), false, (false, false)),
        (&["*"], Some(&[]), false, (false, false)),
        (&[], Some(&["*"]), false, (false, false)),
        // Without an MCP config: nothing, unless the client is for all; a config narrows that too.
        (&["*"], None, false, (false, false)),
        (&["*"], None, true, (true, true)),
        (&["*"], Some(&[]), true, (false, false)),
    ] {
        assert_eq!(allowed(of_client, of_key, on_all), expected, "{of_client:?} {of_key:?} {on_all}");
    }
    let disabled = client(&["*"], true, true);
    assert!(!EffectiveTools::new(&disabled, None, &nothing_left_out).allows("read"));
}

#[test]
fn a_request_leaves_out_and_never_adds() {
    let allows = |clients: Option<&str>, tools: Option<&str>| {
        let (client, of_key) = (client(&["*"], false, false), list(&["read", "read-all"]));
        let narrowing = Narrowing::of(clients, tools);
        let tools = EffectiveTools::new(&client, Some(&of_key), &narrowing);
        [tools.allows("read"), tools.allows("read-all"), tools.allows("write")]
    };
    assert_eq!(allows(None, None), [true, true, false]);
    assert_eq!(allows(Some("*"), Some("*")), [true, true, false]);
    assert_eq!(allows(Some("search, files"), None), [true, true, false]);
    assert_eq!(allows(Some("search"), None), [false; 3]);
    assert_eq!(allows(Some(""), None), [false; 3]);
    assert_eq!(allows(None, Some("")), [false; 3]);
    assert_eq!(allows(None, Some("files-*")), [true, true, false]);
    assert_eq!(allows(None, Some("files-read-all,files-write")), [false, true, false]);
    assert_eq!(allows(Some("search"), Some("files-read")), [false; 3]);
}

#[test]
fn names_are_taken_apart_at_the_first_hyphen() {
    let parse = QualifiedTool::parse;
    assert_eq!(parse("files-read-all"), Some(QualifiedTool { client: "files", tool: "read-all" }));
    assert_eq!(["files", "files-", "-read", ""].map(parse), [None; 4]);
    assert_eq!(parse("files-read").unwrap().to_string(), "files-read");
}

proptest! {
    /// Whatever headers say, no tool is allowed that is not allowed without them.
    #[test]
    fn narrowing_only_takes_away(clients in proptest::option::of("[a-z*, -]{0,12}"), tools in proptest::option::of("[a-z*, -]{0,12}"), tool in "[a-z]{1,3}") {
        let (client, of_key) = (client(&["a", "ab"], false, false), list(&["a", "b"]));
        let narrowing = Narrowing::of(clients.as_deref(), tools.as_deref());
        let whole = EffectiveTools::new(&client, Some(&of_key), &Narrowing { clients: None, tools: None }).allows(&tool);
        prop_assert!(whole || !EffectiveTools::new(&client, Some(&of_key), &narrowing).allows(&tool));
    }
}
