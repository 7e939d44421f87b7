//! A script that runs the cases of an SDK in a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::Deserialize;

/// The longest that all cases of a script may take, in seconds.
const PATIENCE: &str = "100";

/// What the script is written in.
#[derive(Debug, Clone, Copy)]
pub enum Language {
    Python,
    Node,
}

/// All cases of one SDK.
pub struct Script {
    pub sdk: &'static str,
    pub language: Language,
}

/// What came of a case: a line that the script prints.
#[derive(Deserialize)]
struct Told {
    case: String,
    ok: bool,
    error: Option<String>,
}

impl Script {
    /// Runs it with these variables and no others, and fails with all that it says unless every case is well.
    pub async fn run(&self, environment: &[(&str, String)]) {
        let mut command = self.command();
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let told = told(&output);
        let failed: Vec<_> = told.iter().filter(|one| !one.ok).collect();
        for one in &failed {
            println!("{}: {}\n", one.case, one.error.as_deref().unwrap_or_default());
        }
        let names: Vec<_> = failed.iter().map(|one| one.case.as_str()).collect();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && names.is_empty(), "{}: {names:?} failed\n{said}", output.status);
        assert!(!told.is_empty(), "no case was run\n{said}");
    }

    fn command(&self) -> Command {
        let (tests, installed) = (here("tests/sdks"), here("../../target/sdks"));
        let mut command = Command::new("timeout");
        command.env_clear().env("PATH", path()).args(["--kill-after=5", PATIENCE]);
        match self.language {
            Language::Python => {
                let python = there(installed.join("venv/bin/python"));
                command.arg(python).arg("-B").arg(there(tests.join(format!("python/with_{}.py", self.sdk))))
            }
            Language::Node => {
                let script = there(installed.join(format!("node/scripts/with_{}.mjs", self.sdk)));
                there(installed.join("node/node_modules"));
                command.args(["node", "--preserve-symlinks", "--preserve-symlinks-main"]).arg(script)
            }
        };
        command
    }
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[expect(clippy::disallowed_methods, reason = "where programs are is the environment's to say")]
fn path() -> String {
    std::env::var("PATH").unwrap()
}

/// A file that must be there.
fn there(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{} is not there: the SDKs are installed by `cargo xtask sdks`", path.display());
    path
}

fn told(output: &Output) -> Vec<Told> {
    let text = String::from_utf8_lossy(&output.stdout);
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(read).collect()
}
