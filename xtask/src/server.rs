//! Keyward itself: built, and run on a free port until it is dropped.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::process::{cargo, output, root};

/// The admin of servers that are run here.
pub(crate) const USERNAME: &str = "xtask";
/// The admin's password.
pub(crate) const PASSWORD: &str = "not-a-real-password";
/// What secrets of servers that are run here are sealed with.
pub(crate) const ROOT_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Builds the server as the tests have it, and returns where it is.
pub(crate) fn build() -> Result<PathBuf> {
    let [keyward] = build_together(["keyward"])?;
    Ok(keyward)
}

/// Builds binaries as the tests have them, and returns where they are.
///
/// `--workspace` and `--examples` let cargo choose the features that the tests have too, so that CI builds each dependency once.
pub(crate) fn build_together<const N: usize>(names: [&str; N]) -> Result<[PathBuf; N]> {
    let mut command = cargo();
    command.args(["build", "--locked", "--workspace", "--examples"]);
    binaries(command, names)
}

/// Builds the server and the measuring program as they are published, and returns where they are.
pub(crate) fn build_published() -> Result<[PathBuf; 2]> {
    let mut command = cargo();
    // Of both at once, so that what both depend on is built once.
    command.args([
        "build",
        "--locked",
        "--profile",
        "dist",
        "--package",
        "keyward-server",
        "--package",
        "keyward-bench",
    ]);
    binaries(command, ["keyward", "keyward-bench"])
}

fn binaries<const N: usize>(mut command: Command, names: [&str; N]) -> Result<[PathBuf; N]> {
    for name in names {
        command.args(["--bin", name]);
    }
    let artifacts = artifacts(&mut command)?;
    let paths = names.iter().map(|name| executable(&artifacts, name)).collect::<Result<Vec<_>>>()?;
    paths.try_into().map_err(|_| anyhow!("cargo built another number of binaries"))
}

/// Builds the fuzzer, for which the workspace's own crates are instrumented, and returns where it is.
pub(crate) fn build_fuzzer() -> Result<PathBuf> {
    let mut command = cargo();
    command
        .args(["build", "--locked", "--package", "keyward-server", "--package", "keyward-fuzz", "--examples"])
        .args(["--bin", "keyward-fuzz", "--features", "keyward-fuzz/libfuzzer"])
        .env("RUSTC_WORKSPACE_WRAPPER", root().join("crates").join("fuzz").join("instrumented"));
    executable(&artifacts(&mut command)?, "keyward-fuzz")
}

/// What a build says that it has made.
fn artifacts(command: &mut Command) -> Result<Vec<Value>> {
    let messages = output(command.args(["--quiet", "--message-format", "json-render-diagnostics"]))?;
    Ok(messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

fn executable(artifacts: &[Value], name: &str) -> Result<PathBuf> {
    let path = artifacts.iter().find_map(|artifact| {
        let is_binary = artifact.pointer("/target/name")? == name;
        artifact.get("executable")?.as_str().filter(|_| is_binary).map(PathBuf::from)
    });
    path.with_context(|| format!("cargo built no binary `{name}`"))
}

/// A server that runs as long as this value.
pub(crate) struct Running {
    child: Child,
    /// Where it listens, such as `http://127.0.0.1:1234`.
    pub(crate) url: String,
    /// How long it took from the start of the process until it listened.
    pub(crate) started_in: Duration,
}

impl Running {
    /// Starts the server on a database, and waits until it listens. Its log goes to `log`.
    pub(crate) fn start(binary: &Path, database_url: &str, directory: &Path, log: &Path) -> Result<Self> {
        let mut command = Command::new(binary);
        command
            .arg("serve")
            .env("DATABASE_URL", database_url)
            .env("KEYWARD_ROOT_KEY", ROOT_KEY)
            .env("KEYWARD_ADMIN_USERNAME", USERNAME)
            .env("KEYWARD_ADMIN_PASSWORD", PASSWORD);
        Self::spawn(command, binary, directory, log)
    }

    /// Starts a demo, and waits until it listens. Its log goes to `log`.
    pub(crate) fn demo(binary: &Path, directory: &Path, log: &Path) -> Result<Self> {
        let mut command = Command::new(binary);
        command.arg("demo");
        Self::spawn(command, binary, directory, log)
    }

    fn spawn(mut command: Command, binary: &Path, directory: &Path, log: &Path) -> Result<Self> {
        let begin = Instant::now();
        let mut child = command
            .current_dir(directory)
            .env("KEYWARD_LISTEN", "127.0.0.1:0")
            .env("KEYWARD_LOG", "warn,keyward_server::server=info")
            .env("KEYWARD_LOG_FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let Some(errors) = child.stderr.take() else { bail!("the server has no stderr") };
        let mut lines = BufReader::new(errors);
        let address = match listening(&mut lines) {
            Ok(address) => address,
            Err(error) => {
                child.kill()?;
                child.wait()?;
                return Err(error);
            }
        };
        let started_in = begin.elapsed();
        let mut log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        // It ends with the server, whose stderr it reads.
        thread::spawn(move || std::io::copy(&mut lines, &mut log));
        Ok(Self { child, url: format!("http://{address}"), started_in })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that is gone already is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in the line that says that the server listens.
fn listening(log: &mut BufReader<impl Read>) -> Result<String> {
    let (mut seen, mut line) = (String::new(), String::new());
    while log.read_line(&mut line)? > 0 {
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(address) = said.pointer("/fields/address").and_then(Value::as_str) {
            return Ok(address.to_owned());
        }
        seen.push_str(&line);
        line.clear();
    }
    bail!("the server did not start:\n{seen}")
}
