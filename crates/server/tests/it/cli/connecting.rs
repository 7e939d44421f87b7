//! Where the server is and with which credential: what goes wrong there, and what a person is told to do.

use keyward_client::{Access, Client, CreateManagementKey, Permission, Resource};

use super::{Node, PASSWORD};

const LIST: [&str; 2] = ["keys", "list"];

/// An environment, further arguments, and a part of what is said.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a str);

#[test]
fn a_server_that_does_not_answer_is_told_with_how_to_start_one() {
    let directory = tempfile::tempdir().unwrap();
    // A port that was free a moment ago.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = crate::operations::keyward(directory.path());
    let output = command.args(LIST).args(["--url", &format!("http://{address}")]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("keyward: no server answers at http://{address}: Connection refused")), "{said}");
    assert!(said.contains("keyward serve") && said.contains("KEYWARD_URL"), "{said}");
}

#[test]
fn a_credential_that_is_missing_or_wrong_is_told_by_the_variable_it_is_from() {
    let node = Node::start();
    let file = node.directory.path().join("token");
    std::fs::write(&file, "sk-kw-wrong-in-a-file\n").unwrap();
    let file = file.to_str().unwrap();
    let name = ("KEYWARD_ADMIN_USERNAME", "admin");
    let cases: [Case<'_>; 7] = [
        (&[], &[], "Set KEYWARD_TOKEN to a management key, or KEYWARD_ADMIN_USERNAME"),
        (&[("KEYWARD_TOKEN", "sk-kw-wrong")], &[], "Check KEYWARD_TOKEN"),
        (&[], &["--token-file", file], "Check --token-file"),
        (&[], &["--token", "sk-kw-wrong"], "Check --token"),
        (&[name, ("KEYWARD_ADMIN_PASSWORD", "sk-kw-wrong")], &[], "Check KEYWARD_ADMIN_USERNAME"),
        (&[name], &[], "KEYWARD_ADMIN_PASSWORD is not set"),
        (&[("KEYWARD_ADMIN_PASSWORD", "sk-kw-wrong")], &[], "KEYWARD_ADMIN_USERNAME is not set"),
    ];
    for (environment, arguments, expected) in cases {
        let said = node.with(environment, &[&LIST, arguments].concat());
        assert_eq!(said.code, 4, "{expected}: {}", said.err);
        assert!(said.err.contains(expected), "{expected} is missing in: {}", said.err);
        assert!(said.out.is_empty() && !said.err.contains("sk-kw-wrong"), "{}", said.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_management_key_comes_from_the_environment_a_file_or_an_argument_that_is_warned_of() {
    let node = Node::start();
    let client = Client::builder().base_url(&node.served.url).admin("admin", PASSWORD).build().unwrap();
    let request = CreateManagementKey {
        name: "reads keys".to_owned(),
        permissions: vec![Permission { resource: Resource::VirtualKeys, access: Access::Read }],
        ..CreateManagementKey::default()
    };
    let issued = client.management_key_create(&request).await.unwrap();
    let token = issued.value.unwrap();
    let token = token.expose();
    let file = node.directory.path().join("token");
    std::fs::write(&file, format!("{token}\n")).unwrap();

    let from_environment = node.with(&[("KEYWARD_TOKEN", token)], &LIST);
    assert_eq!((from_environment.code, from_environment.err.contains("warning")), (0, false));
    // A variable that would be refused is not looked at.
    let wrong = [("KEYWARD_TOKEN", "sk-kw-wrong")];
    let from_file = node.with(&wrong, &["keys", "list", "--token-file", file.to_str().unwrap()]);
    assert_eq!((from_file.code, from_file.err.contains("warning")), (0, false));
    let from_argument = node.with(&wrong, &["keys", "list", "--token", token]);
    assert_eq!(from_argument.code, 0);
    assert!(from_argument.err.contains("history") && !from_argument.err.contains(token), "{}", from_argument.err);

    let refused = node.with(&[("KEYWARD_TOKEN", token)], &["keys", "create", "k"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("permission_denied"), "{}", refused.err);
    let usage = node.with(&[("KEYWARD_TOKEN", token)], &["usage"]);
    assert_eq!(usage.code, 0, "{}", usage.err);
    assert!(usage.err.contains("limits of teams are left out"), "{}", usage.err);
}
