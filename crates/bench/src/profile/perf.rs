//! perf: it samples a process, and says which functions were on its stacks.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// How many samples are taken in a second of each thread that runs.
pub(super) const FREQUENCY: u32 = 1_999;
/// How much of a stack is kept with each sample, in bytes: its frames are looked for in that.
const STACK: u32 = 32 * 1024;

/// Samples that are being taken.
pub(super) struct Recording {
    perf: Child,
    file: PathBuf,
}

/// What perf says about its version.
///
/// # Errors
/// When there is none.
pub(super) fn version() -> Result<String> {
    crate::rig::version(Path::new("perf"), "--version").context("perf is missing: install Debian's linux-perf")
}

/// Begins to sample a process.
pub(super) fn record(process: u32, seconds: u64, directory: &Path) -> Result<Recording> {
    let file = directory.join("perf.data");
    let perf = Command::new("perf")
        .args(["record", "--quiet", "--freq", &FREQUENCY.to_string()])
        .args(["--call-graph", &format!("dwarf,{STACK}"), "--pid", &process.to_string(), "--output"])
        .arg(&file)
        .args(["--", "sleep", &seconds.to_string()])
        .stdin(Stdio::null())
        .spawn()
        .context("cannot start perf")?;
    Ok(Recording { perf, file })
}

impl Recording {
    /// Waits for its end, and hands over each stack: the thread, and then the functions, each called by the one before it.
    ///
    /// # Errors
    /// When perf fails; it needs root, or `kernel.perf_event_paranoid` at 1 or less.
    pub(super) fn each_stack(mut self, each: impl FnMut(&[String])) -> Result<()> {
        let status = self.perf.wait()?;
        ensure!(status.success(), "perf record ended with {status}");
        let mut script = Command::new("perf")
            .args(["script", "--no-inline", "--fields", "comm,ip,sym", "--input"])
            .arg(&self.file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        read(BufReader::new(script.stdout.take().context("perf has no output")?), each)?;
        let status = script.wait()?;
        ensure!(status.success(), "perf script ended with {status}");
        Ok(())
    }
}

/// A sample is a line with the thread's name, and an indented line for each function, the innermost first.
fn read(script: impl BufRead, mut each: impl FnMut(&[String])) -> Result<()> {
    let mut stack: Vec<String> = Vec::new();
    for line in script.lines().map(Some).chain([None]) {
        let line = line.transpose()?;
        match line.as_deref() {
            Some(line) if line.starts_with(char::is_whitespace) && !line.trim().is_empty() => {
                let (_, function) = line.trim().split_once(' ').unwrap_or_default();
                stack.push(named(function));
            }
            Some(line) if !line.trim().is_empty() => stack = vec![line.trim().to_owned()],
            Some(_) | None => {
                if let Some(functions) = stack.get_mut(1..) {
                    functions.reverse();
                    each(&stack);
                }
                stack.clear();
            }
        }
    }
    Ok(())
}

/// A function's name, without what says only how it was compiled.
fn named(function: &str) -> String {
    let name = function.replace("::{{closure}}", "").replace("::{closure#0}", "");
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => path.to_owned(),
        Some(_) | None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_read_from_the_outermost_function_to_the_innermost() {
        let script = "worker \n\t    55d0 memcpy\n\t    55d1 a::b::{{closure}}::h0123456789abcdef\n\nledger \n\t 1 <c as D>::e\n";
        let mut stacks = Vec::new();
        read(script.as_bytes(), |stack| stacks.push(stack.join(";"))).unwrap();
        assert_eq!(stacks, ["worker;a::b;memcpy", "ledger;<c as D>::e"]);
    }
}
