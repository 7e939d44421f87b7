//! `keyward usage`: every limit with what is used of it.

use super::Node;

#[test]
fn limits_of_everybody_and_of_one_are_told() {
    let node = Node::start();
    assert!(node.run(&["usage"]).err.contains("There are no limits"));
    node.ok(&["customers", "create", "acme", "--budget", "1000usd/1M"]);
    node.ok(&["teams", "create", "search", "--customer", "acme", "--tokens", "5000/1h"]);
    node.ok(&["keys", "create", "k", "--team", "search", "--budget", "10usd/never", "--json"]);
    node.ok(&["keys", "create", "other", "--budget", "7usd/1d", "--json"]);

    let limits_of = |arguments: &[&str]| {
        let text = node.ok(&[&["usage"], arguments].concat());
        text.lines().skip(1).map(|line| line.split("  ").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let whole = ["customer acme", "team search", "key k"];
    assert_eq!(limits_of(&[]), [&whole[..], &["key other"]].concat());
    for arguments in [["--key", "k"], ["--team", "search"]] {
        assert_eq!(limits_of(&arguments), whole, "{arguments:?}");
    }
    assert_eq!(limits_of(&["--customer", "acme"]), ["customer acme", "team search"]);
    let text = node.ok(&["usage", "--key", "k"]);
    for expected in ["RESETS (UTC)", "money", "$0.00", "$1000.00", "0%", "tokens", "5000", "never"] {
        assert!(text.contains(expected), "{expected} is missing in: {text}");
    }
    let all = node.json(&["usage"]);
    let count = |what: &str| all[what].as_array().unwrap().len();
    assert_eq!(["customers", "teams", "virtual_keys"].map(count), [1, 1, 2]);
    assert_eq!(node.json(&["usage", "--team", "search"])["team"]["name"], "search");
    let missing = node.with(&[], &["usage", "--own"]);
    assert!(missing.code == 4 && missing.err.contains("KEYWARD_VIRTUAL_KEY"), "{}", missing.err);
}
