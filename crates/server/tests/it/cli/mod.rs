//! The commands that talk to a running server: the real binary against the real process.

mod connecting;
mod documented;
mod explaining;
mod keys;
mod owners;
mod providers;
mod shell;
mod usage;

use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::operations::{Served, keyward};

pub const PASSWORD: &str = "correct horse battery staple";

/// A server with an administrator, and the binary to talk to it.
pub struct Node {
    pub served: Served,
    pub directory: TempDir,
}

/// What a command has said, and how it ended.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Node {
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = keyward(directory.path());
        command.args(["serve", "--listen", "127.0.0.1:0"]).env("OWN_KEY", "sk-fake-provider-secret");
        command.env("KEYWARD_ADMIN_USERNAME", "admin").env("KEYWARD_ADMIN_PASSWORD", PASSWORD);
        Self { served: Served::start(command).unwrap(), directory }
    }

    /// Runs a command as the administrator, whose password the environment has.
    pub fn run(&self, arguments: &[&str]) -> Said {
        self.with(&[("KEYWARD_ADMIN_USERNAME", "admin"), ("KEYWARD_ADMIN_PASSWORD", PASSWORD)], arguments)
    }

    /// Runs a command with this environment and no other.
    pub fn with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Said {
        let mut command = keyward(self.directory.path());
        command.args(arguments).env("KEYWARD_URL", &self.served.url).envs(environment.iter().copied());
        let output = command.stdin(Stdio::null()).output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What a command that succeeds says.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.out, said.err);
        said.out
    }

    /// The document that a command prints.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ok(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
    }

    /// Configures a provider that nobody calls.
    pub fn provider(&self, name: &str) {
        let file = self.directory.path().join("provider-key");
        std::fs::write(&file, "sk-fake-provider-secret\n").unwrap();
        self.ok(&["providers", "create", name, "--key-file", file.to_str().unwrap()]);
    }
}

/// The secrets of virtual keys in a text.
pub fn secrets(text: &str) -> Vec<String> {
    let secret = regex::Regex::new("sk-bf-[0-9a-f-]{36}").unwrap();
    secret.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}
