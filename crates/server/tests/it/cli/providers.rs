//! `keyward providers`: their keys come from files and variables, and are never shown.

use super::Node;

#[test]
fn providers_are_made_listed_shown_and_deleted_without_their_secrets() {
    let node = Node::start();
    assert!(node.run(&["providers", "list"]).err.contains("keyward providers create"));
    node.provider("openai");
    let own = node.ok(&[
        "providers",
        "create",
        "own",
        "--base-url",
        "http://127.0.0.1:9",
        "--key-env",
        "OWN_KEY",
        "--key-name",
        "main",
    ]);
    let unset = node.run(&["providers", "create", "groq", "--key-env", "NOT_SET"]);
    assert!(unset.code == 6 && unset.err.contains("NOT_SET is not set on the server"), "{}", unset.err);
    assert!(own.contains("env.OWN_KEY") && own.contains("main") && own.contains("http://127.0.0.1:9"), "{own}");
    let shown = node.ok(&["providers", "show", "openai"]);
    assert!(shown.contains("openai-key") && shown.contains("stored"), "{shown}");
    for arguments in
        [&["providers", "list"][..], &["providers", "list", "--json"], &["providers", "show", "openai", "--json"]]
    {
        let said = node.ok(arguments);
        assert!(!said.contains("sk-fake-provider-secret") && said.contains("openai"), "{said}");
    }
    assert_eq!(node.json(&["providers", "list"])["total"], 2);
    assert_eq!(node.run(&["providers", "delete", "own"]).code, 1);
    assert_eq!(node.ok(&["providers", "delete", "own", "--yes"]), "Deleted the provider 'own'.\n");
    for arguments in [&["providers", "show", "own"][..], &["providers", "delete", "own", "--yes"]] {
        let gone = node.run(arguments);
        assert!(gone.code == 5 && gone.err.contains("keyward providers list"), "{}", gone.err);
    }
    assert_eq!(node.run(&["providers", "create", "openai"]).code, 6);
    let missing = node.run(&["providers", "create", "groq", "--key-file", "missing"]);
    assert!(missing.code == 1 && missing.err.contains("missing cannot be read"), "{}", missing.err);
}
