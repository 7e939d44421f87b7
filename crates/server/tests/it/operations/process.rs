//! The real process: how it starts, what it refuses, and how it stops.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use super::Served;

/// The server's command, with nothing of this process's own configuration.
pub fn keyward(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
    command.env_clear().current_dir(directory).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Kills what a failed test would leave behind.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    pub fn terminate(&self) {
        let killed = Command::new("bash").args(["-c", &format!("kill -TERM {}", self.0.id())]).status().unwrap();
        assert!(killed.success());
    }
}

/// Runs a command that is expected to fail, and returns what it says.
fn failing(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn it_serves_until_it_is_terminated_and_exits_cleanly() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Running(keyward(directory.path()).args(["serve", "--listen", "127.0.0.1:0"]).spawn().unwrap());
    let mut log = BufReader::new(child.0.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("serving") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended before it served");
    }
    child.terminate();
    let status = child.0.wait().unwrap();
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert!(status.success(), "{status}: {rest}");
    assert!(directory.path().join("keyward.db").exists());
}

#[test]
fn it_has_as_many_descriptors_as_it_may() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new("bash");
    command.args(["-c", "ulimit -Sn 100 && exec \"$0\" \"$@\""]).arg(keyward(directory.path()).get_program());
    command.args(["serve", "--listen", "127.0.0.1:0"]).env_clear().current_dir(directory.path());
    let served = Served::start(command).unwrap();
    let process = Pid::from_raw(i32::try_from(served.id()).unwrap());
    let Rlimit { current, maximum } = prlimit(process, Resource::Nofile, getrlimit(Resource::Nofile)).unwrap();
    assert_eq!(current, maximum);
    assert_ne!(current, Some(100));
}

#[test]
fn it_refuses_to_be_reachable_by_others_without_an_admin_credential() {
    let directory = tempfile::tempdir().unwrap();
    let mut open = keyward(directory.path());
    open.args(["serve", "--listen", "0.0.0.0:0"]);
    assert!(failing(open).contains("no admin credential"));
    let mut half = keyward(directory.path());
    half.args(["serve", "--listen", "127.0.0.1:0"]).env("KEYWARD_ADMIN_USERNAME", "admin");
    assert!(failing(half).contains("needs a user name and a password"));
    assert!(!directory.path().join("keyward.db").exists(), "a refused start left something behind");
}

#[test]
fn a_bad_configuration_file_is_refused_by_the_member_at_fault() {
    let directory = tempfile::tempdir().unwrap();
    for (text, expected) in [
        (r#"{"server":{"lissten":"127.0.0.1:0"}}"#, "/server/lissten: unknown field 'lissten'; did you mean 'listen'?"),
        (r#"{"server":{"max_gateway_body_bytes":"big"}}"#, "/server/max_gateway_body_bytes: invalid type"),
        (r#"{"server":{"min_output_tokens":0}}"#, "/server/min_output_tokens: invalid value"),
        (r#"{"server":{"key_health":{"failures":0}}}"#, "/server/key_health/failures: invalid value"),
        (r#"{"server":{"thresholds":[50,101]}}"#, "/server/thresholds/1: invalid value"),
        (
            r#"{"server":{"webhooks":[{"url":"http://hooks.example","secret":"env.X"}]}}"#,
            "/server/webhooks/0/url: url must begin with https://",
        ),
        (
            r#"{"server":{"webhooks":[{"url":"http://169.254.169.254/","secret":"env.X"}]}}"#,
            "/server/webhooks/0/url: url must not be a link-local or metadata address",
        ),
        (
            r#"{"server":{"block_private_upstreams":true,"webhooks":[{"url":"http://127.0.0.1:9","secret":"env.X"}]}}"#,
            "/server/webhooks/0/url: url must not be a private address",
        ),
        (
            r#"{"server":{"webhooks":[{"url":"https://hooks.example","secret":"whsec_c2hvcnQ="}]}}"#,
            "/server/webhooks/0/secret: a webhook's secret is whsec_ and the base64 text of 24 to 64 bytes",
        ),
        (
            r#"{"server":{"webhooks":[{"url":"https://hooks.example","secret":"env.NOT_SET"}]}}"#,
            "/server/webhooks/0/secret: it names the environment variable NOT_SET, which is not set",
        ),
        (
            r#"{"server":{"webhooks":[{"url":"https://hooks.example","secret":"env.X","events":["budget.threshold"]}]}}"#,
            "/server/webhooks/0/events/0: ",
        ),
        (
            r#"{"governance":{"auth_config":{"admin_username":"a","admin_password":"env.NOT_SET"}}}"#,
            "NOT_SET, which is not set",
        ),
        ("{", "Invalid JSON"),
    ] {
        let path = directory.path().join("config.json");
        std::fs::write(&path, text).unwrap();
        let mut command = keyward(directory.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&path);
        let said = failing(command);
        assert!(said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn help_explains_itself() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, expected) in [(&["--help"][..], "KEYWARD_ROOT_KEY"), (&["serve", "--help"], "DATABASE_URL")] {
        let output = keyward(directory.path()).args(arguments).output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains(expected));
    }
}

#[test]
fn migrate_makes_a_database_that_a_second_process_cannot_take() {
    let directory = tempfile::tempdir().unwrap();
    let migrate = || keyward(directory.path()).arg("migrate").output().unwrap();
    assert!(migrate().status.success());
    let lock = std::fs::File::open(directory.path().join("keyward.db.lock")).unwrap();
    lock.lock().unwrap();
    let refused = migrate();
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("keyward.db") && said.contains("another process"), "{said}");
}
