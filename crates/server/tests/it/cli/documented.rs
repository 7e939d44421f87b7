//! `docs/cli.md` as a reader runs it: every command of it against a demo, and what it says is what stands there.
//!
//! `KEYWARD_WRITE_DOCS=1` in the environment of the test writes what the commands say into the page.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use regex::Regex;

use crate::operations::{Served, keyward};

const BEGINNING: &str = "```console\n";
const END: &str = "```\n";

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md")
}

/// What a command says, to whomever, with the code of one that fails.
fn said(command: &str, url: &str, directory: &Path) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_keyward")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", binary.display());
    let mut bash = Command::new("bash");
    bash.env_clear().env("PATH", path).env("KEYWARD_URL", url).current_dir(directory);
    let output = bash.args(["-c", &format!("exec 2>&1; {command}")]).stdin(Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The page with what its commands say now.
fn with_outputs(text: &str, run: impl Fn(&str) -> String) -> String {
    let mut page = String::new();
    let mut rest = text;
    while let Some((before, block)) = rest.split_once(BEGINNING) {
        let (block, after) = block.split_once(END).unwrap();
        page.extend([before, BEGINNING]);
        for command in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
            page.push_str(&format!("$ {command}\n{}", run(command)));
        }
        page.push_str(END);
        rest = after;
    }
    page + rest
}

fn without_secrets(text: &str) -> String {
    let secret = Regex::new("sk-bf-[0-9a-f-]{36}").unwrap();
    secret.replace_all(text, "sk-bf-00000000-0000-4000-8000-000000000000").into_owned()
}

/// The same with ids and instants that are the same in every run.
fn constant(text: &str) -> String {
    let same = [
        ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<instant>"),
        (r"http://127\.0\.0\.1:\d{2,}", "<address>"),
    ];
    same.iter().fold(text.to_owned(), |text, (pattern, name)| {
        Regex::new(pattern).unwrap().replace_all(&text, *name).into_owned()
    })
}

#[test]
#[expect(clippy::disallowed_methods, reason = "whoever runs the test says whether the page is to be written")]
fn every_command_of_the_page_says_what_the_page_shows() {
    let directory = tempfile::tempdir().unwrap();
    let mut demo = keyward(directory.path());
    demo.args(["demo", "--listen", "127.0.0.1:0"]).env("OPENAI_API_KEY", "not-a-secret");
    let demo = Served::start(demo).unwrap();
    let written = std::fs::read_to_string(page()).unwrap();
    let now = with_outputs(&written, |command| said(command, &demo.url, directory.path()));
    demo.stop();
    if std::env::var("KEYWARD_WRITE_DOCS").is_ok() {
        std::fs::write(page(), without_secrets(&now)).unwrap();
    }
    assert!(constant(&written) == constant(&now), "docs/cli.md does not show what is said now:\n{now}");
}
