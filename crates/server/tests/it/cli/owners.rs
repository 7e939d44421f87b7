//! `keyward teams` and `keyward customers`.

use super::Node;

#[test]
fn customers_and_teams_are_made_listed_shown_and_deleted() {
    let node = Node::start();
    let made = node.ok(&[
        "customers",
        "create",
        "acme",
        "--budget",
        "1000usd/1Q",
        "--calendar",
        "--timezone",
        "Europe/Berlin",
    ]);
    assert!(made.contains("$1000.00") && made.contains("1Q by calendar"), "{made}");
    let team = node.json(&["teams", "create", "search", "--customer", "acme", "--requests", "600/1m"]);
    assert_eq!(team["team"]["rate_limit"]["request_max_limit"], 600);
    node.ok(&["keys", "create", "k", "--team", "search", "--json"]);

    let list = node.ok(&["teams", "list"]);
    assert!(list.starts_with("NAME") && list.contains("search") && list.contains("no budget"), "{list}");
    let shown = node.ok(&["teams", "show", "search"]);
    assert!(shown.contains("acme") && shown.contains("requests") && shown.contains("600"), "{shown}");
    let customer = node.ok(&["customers", "show", "acme"]);
    assert!(customer.contains("Teams") && customer.contains("search"), "{customer}");
    assert_eq!(node.json(&["customers", "list"])["customers"][0]["budgets"][0]["timezone"], "Europe/Berlin");

    assert_eq!(node.run(&["teams", "delete", "search"]).code, 1);
    assert_eq!(node.ok(&["teams", "delete", "search", "--yes"]), "Deleted the team 'search'.\n");
    assert_eq!(node.ok(&["customers", "delete", "acme", "--yes"]), "Deleted the customer 'acme'.\n");
    let gone = node.run(&["customers", "show", "acme"]);
    assert!(gone.code == 5 && gone.err.contains("keyward customers list"), "{}", gone.err);
    assert!(node.run(&["teams", "list"]).err.contains("keyward teams create NAME"));
    assert_eq!(node.run(&["teams", "create", " "]).code, 6);
}
