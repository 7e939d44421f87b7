//! `keyward keys`: from a key's first day to its last, and who gets to see its secret.

use keyward_client::{Client, CreateVirtualKey};
use serde_json::Value;

use super::{Node, PASSWORD, secrets};

#[test]
fn a_key_is_made_shown_rotated_and_revoked_and_its_secret_is_seen_when_it_is_made() {
    let node = Node::start();
    node.ok(&["teams", "create", "search"]);
    let made = node.run(&["keys", "create", "search-prod", "--team", "search", "--budget", "50usd/1M", "--calendar"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let [secret] = &secrets(&made.out)[..] else { panic!("{}", made.out) };
    assert!(made.err.contains("not shown again") && !made.err.contains(secret.as_str()), "{}", made.err);

    for arguments in [
        &["keys", "list"][..],
        &["keys", "list", "--json"],
        &["keys", "show", "search-prod"],
        &["keys", "show", "search-prod", "--json"],
        &["usage"],
        &["usage", "--json"],
        &["usage", "--key", "search-prod", "--json"],
        &["usage", "--team", "search", "--json"],
        &["teams", "show", "search", "--json"],
    ] {
        let said = node.ok(arguments);
        assert!(secrets(&said).is_empty(), "{arguments:?}: {said}");
        assert!(said.contains("search"), "{arguments:?}: {said}");
    }

    let rotated = node.ok(&["keys", "rotate", "search-prod", "--yes"]);
    let [new] = &secrets(&rotated)[..] else { panic!("{rotated}") };
    assert_ne!(new, secret);
    let own = [("KEYWARD_VIRTUAL_KEY", new.as_str())];
    let left = node.with(&own, &["usage", "--own"]);
    assert!(left.code == 0 && left.out.contains("$50.00"), "{}{}", left.out, left.err);

    assert_eq!(node.ok(&["keys", "revoke", "search-prod", "--yes"]), "Revoked the virtual key 'search-prod'.\n");
    let gone = node.run(&["keys", "show", "search-prod"]);
    assert_eq!(gone.code, 5);
    assert!(
        gone.err.contains("no virtual key 'search-prod'") && gone.err.contains("keyward keys list"),
        "{}",
        gone.err
    );
    assert_eq!(node.with(&own, &["usage", "--own"]).code, 4);
}

#[test]
fn scripts_get_what_the_api_answers() {
    let node = Node::start();
    node.provider("openai");
    let arguments = [
        "keys",
        "create",
        "k",
        "--description",
        "for tests",
        "--budget",
        "$1.50/1d",
        "--budget",
        "20/1M",
        "--tokens",
        "1000/1h",
        "--requests",
        "60/1m",
        "--allow",
        "openai/gpt-4o-mini",
        "--expires",
        "2099-01-01",
        "--max-parallel",
        "3",
        "--label",
        "env=prod",
    ];
    let made = node.json(&arguments);
    let key = &made["virtual_key"];
    assert_eq!(secrets(&made.to_string()).len(), 1);
    let budgets: Vec<_> = key["budgets"].as_array().unwrap().iter().map(|budget| &budget["max_limit"]).collect();
    assert_eq!(budgets, [&Value::from(1.5), &Value::from(20)]);
    assert_eq!(key["rate_limit"]["token_max_limit"], 1000);
    assert_eq!(key["rate_limit"]["request_reset_duration"], "1m");
    assert_eq!(key["provider_configs"][0]["allowed_models"][0], "gpt-4o-mini");
    assert_eq!((&key["allow_all_providers"], &key["max_parallel_requests"]), (&false.into(), &3.into()));
    assert_eq!((&key["expires_at"], &key["metadata"]["env"]), (&"2099-01-01T00:00:00Z".into(), &"prod".into()));

    let id = key["id"].as_str().unwrap();
    assert_eq!(node.json(&["keys", "show", id])["virtual_key"]["name"], "k");
    let list = node.json(&["keys", "list"]);
    assert_eq!((&list["count"], &list["virtual_keys"][0]["id"]), (&1.into(), &id.into()));
    let shown = node.ok(&["keys", "show", "k"]);
    for expected in ["openai: gpt-4o-mini", "at most 3 requests", "env=prod", "2099-01-01 00:00:00 UTC", "$20.00", "60"]
    {
        assert!(shown.contains(expected), "{expected} is missing in: {shown}");
    }
    let rotated = node.json(&["keys", "rotate", "k", "-y"]);
    assert_eq!(secrets(&rotated.to_string()).len(), 1);
    assert_eq!(node.json(&["keys", "revoke", id, "k", "-y"])["revoked"], Value::from(vec![id]));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_keys_are_rotated_in_steps_that_are_told() {
    let node = Node::start();
    let client = Client::builder().base_url(&node.served.url).admin("admin", PASSWORD).build().unwrap();
    for number in 0..51 {
        let request = CreateVirtualKey { name: format!("k{number}"), ..CreateVirtualKey::default() };
        client.virtual_key_create(&request).await.unwrap();
    }
    let rotated = node.run(&["keys", "rotate", "--all", "--yes"]);
    assert_eq!(rotated.code, 0, "{}", rotated.err);
    assert_eq!(secrets(&rotated.out).len(), 51);
    assert!(rotated.err.contains("50 of 51 virtual keys rotated"), "{}", rotated.err);
}

#[test]
fn nothing_is_done_that_nobody_has_agreed_to() {
    let node = Node::start();
    node.ok(&["keys", "create", "k", "--json"]);
    let before = node.json(&["keys", "list"]);
    for arguments in [["keys", "revoke", "k"], ["keys", "rotate", "k"]] {
        let said = node.run(&arguments);
        assert_eq!(said.code, 1, "{}", said.err);
        assert!(said.err.contains("Nothing was changed") && said.err.contains("--yes"), "{}", said.err);
    }
    assert_eq!(node.json(&["keys", "list"]), before);
}

#[test]
fn what_is_refused_is_told_in_the_servers_words() {
    let node = Node::start();
    node.ok(&["keys", "create", "k", "--json"]);
    for (arguments, code, expected) in [
        (&["keys", "create", "k"][..], 6, "already"),
        (&["keys", "create", "l", "--budget", "0usd/1M"], 6, "negative or zero"),
        (&["keys", "create", "l", "--budget", "ten/1M"], 2, "`ten` is not a decimal number"),
        (&["keys", "create", "l", "--allow", "nobody"], 6, "nobody"),
        (&["keys", "create", "l", "--team", "nobody"], 5, "keyward teams list"),
        (&["keys", "create", "l", "--expires", "2001-01-01"], 6, "future"),
        (&["keys", "show", "quota"], 5, "no virtual key 'quota'"),
        (&["keys", "show", "00000000-0000-4000-8000-000000000000"], 5, "keyward keys list"),
        (&["keys", "revoke", "k", "nobody", "--yes"], 5, "no virtual key 'nobody'"),
    ] {
        let said = node.run(arguments);
        assert_eq!(said.code, code, "{arguments:?}: {}", said.err);
        assert!(said.err.contains(expected), "{arguments:?}: {}", said.err);
    }
    assert_eq!(node.json(&["keys", "list"])["count"], 1, "a key was revoked although another one is not there");
}

#[test]
fn a_key_is_found_by_its_whole_name_among_many_like_it() {
    let node = Node::start();
    for name in ["prod-2", "Prod", "prod"] {
        node.ok(&["keys", "create", name, "--json"]);
    }
    assert_eq!(node.json(&["keys", "show", "prod"])["virtual_key"]["name"], "prod");
    assert_eq!(node.run(&["keys", "show", "pro"]).code, 5);
    let empty = node.run(&["keys", "list", "--search", "nothing like it"]);
    assert!(empty.code == 0 && empty.out.is_empty() && empty.err.contains("keyward keys create"), "{}", empty.err);
}
