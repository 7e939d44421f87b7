//! The documentation's code: every block of shell in README and docs is run against a real server, page by page from top to bottom,
//! and every block of JSON and Python is read. A block that cannot be run is named here, with the reason.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keyward_client::{BudgetInput, Client, CreateVirtualKey};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use serde_json::Value;

use crate::harness::{Absent, Scripted};
use crate::operations::{Served, keyward};

/// Where the documentation's server is.
const ADDRESS: &str = "http://127.0.0.1:8080";
/// The virtual key that stands for one's own.
const KEY: &str = "sk-bf-00000000-0000-4000-8000-000000000000";
/// How lines begin whose blocks are not run, and why not.
const LEFT_OUT: [(&str, &str); 8] = [
    ("cargo run ", "the server that it builds and runs is the one that the others are sent to"),
    ("cargo bench ", "a benchmark is no test"),
    ("cargo xtask ", "a task of its own, which runs this test or takes minutes"),
    ("keyward serve", "it serves until it is stopped"),
    ("KEYWARD_FILE_PASSWORD=... keyward serve", "it serves until it is stopped"),
    ("keyward completions", "it writes where shells of the reader's look"),
    ("openssl ", "a program of others"),
    ("sqlite3 ", "a program of others"),
];
const ANSWER: &str = r#"{"id":"a","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[],
    "usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}"#;
/// A list of prices in LiteLLM's shape.
const PRICES: &str = r#"{"gpt-4o-mini":{"litellm_provider":"openai","mode":"chat","max_input_tokens":128000,
    "max_output_tokens":16384,"input_cost_per_token":1.5e-7,"output_cost_per_token":6e-7}}"#;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("..")
}

/// The pages, by their names.
fn pages() -> Vec<(String, String)> {
    let docs = workspace().join("docs");
    let entries = fs::read_dir(&docs).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect();
    paths.push(workspace().join("README.md"));
    let page =
        |path: PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap());
    paths.into_iter().map(page).collect()
}

/// The code blocks of a page: the first word of what each says that it is, and its text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open = None;
    for event in Parser::new(page) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) => {
                open = Some((kind.split(',').next().unwrap_or_default().to_owned(), String::new()));
            }
            Event::Text(text) => {
                if let Some((_, block)) = &mut open {
                    block.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
            Event::Start(_)
            | Event::End(_)
            | Event::Code(_)
            | Event::SoftBreak
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }
    blocks
}

fn is_left_out(block: &str) -> bool {
    block.lines().any(|line| LEFT_OUT.iter().any(|(beginning, _)| line.starts_with(beginning)))
}

/// The shell of a page as one script; none: it has none that is run.
fn script(page: &str) -> Option<String> {
    let shell: Vec<String> = blocks(page)
        .into_iter()
        .filter(|(kind, block)| kind == "sh" && !is_left_out(block))
        .map(|(_, block)| block)
        .collect();
    // An answer that is an error fails the page.
    let begin = "set -euo pipefail\nPATH=$PROGRAMS:$PATH\ncurl() { command curl --fail-with-body \"$@\"; }\n";
    (!shell.is_empty()).then(|| format!("{begin}{}", shell.join("\n")))
}

/// The script with the addresses and the key that are there.
fn here(script: &str, server: &Served, key: &str, upstream: &Scripted, absent: &Absent) -> String {
    let base_url = upstream.base_url();
    let provider = format!(r#"{{"name":"openai","network_config":{{"base_url":"{}"}},"#, base_url.as_str());
    let network = format!(r#""network_config":{{"base_url":"{}","#, base_url.as_str());
    script
        .replace(r#""network_config":{"#, &network)
        .replace(r#"{"name":"openai","#, &provider)
        .replace("https://mcp.example", absent.base_url().as_str())
        .replace(ADDRESS, &server.url)
        .replace(KEY, key)
}

async fn run(name: &str, script: &str) {
    let directory = tempfile::tempdir().unwrap();
    let mut demo = keyward(directory.path());
    demo.args(["demo", "--listen", "127.0.0.1:0"]).env("OPENAI_API_KEY", "fake-provider-key");
    let server = Served::start(demo).unwrap_or_else(|(status, log)| panic!("{name}: {status}: {log:#?}"));
    let client = Client::builder().base_url(&server.url).build().unwrap();
    let budget = BudgetInput::new("1".parse().unwrap(), "1d".parse().unwrap()).into();
    let request = CreateVirtualKey { name: "one's own".to_owned(), budget, ..CreateVirtualKey::default() };
    let key = client.virtual_key_create(&request).await.unwrap().virtual_key;
    let (upstream, absent) = (Scripted::answering("200 OK", "application/json", ANSWER).await, Absent::reserve());
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("model_prices_and_context_window.json"), PRICES).unwrap();
    fs::copy(workspace().join("docs").join("examples").join("config.json"), place.path().join("config.json")).unwrap();
    let mut migrate = keyward(place.path());
    assert!(migrate.args(["migrate", "--database-url", "sqlite://keyward.db"]).output().unwrap().status.success());
    let program = Path::new(env!("CARGO_BIN_EXE_keyward")).parent().unwrap().to_owned();
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(here(script, &server, key.value.expose(), &upstream, &absent));
    bash.current_dir(place.path()).env("PROGRAMS", program).env("KEYWARD", &server.url).stdin(Stdio::null());
    let ended = tokio::task::spawn_blocking(move || bash.output().unwrap()).await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{name}: {}\n{out}\n{err}\n{:#?}", ended.status, server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_documentation_works() {
    let mut ran = 0;
    for (name, page) in pages() {
        if let Some(script) = script(&page) {
            run(&name, &script).await;
            ran += 1;
        }
    }
    assert!(ran >= 6, "{ran} pages have commands");
}

#[test]
fn what_the_documentation_shows_as_json_is_json() {
    for (name, page) in pages() {
        for (_, block) in blocks(&page).into_iter().filter(|(kind, _)| kind == "json") {
            // Long lines are wrapped; some show only members.
            let line = block.replace('\n', " ");
            let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
            assert!(is_json(&line) || is_json(&format!("{{{line}}}")), "{name}:\n{block}");
        }
    }
}

#[test]
fn what_the_documentation_shows_in_python_compiles() {
    for (name, page) in pages() {
        for (_, block) in blocks(&page).into_iter().filter(|(kind, _)| kind == "python") {
            let mut python = Command::new("python3");
            python.args(["-c", "import sys; compile(sys.argv[1], 'block', 'exec')", &block]);
            assert!(python.status().unwrap().success(), "{name}:\n{block}");
        }
    }
}

#[test]
fn every_block_says_what_it_is() {
    let known = ["sh", "json", "text", "rust", "http", "python", "console", "yaml", "toml"];
    for (name, page) in pages() {
        for (kind, block) in blocks(&page) {
            assert!(known.contains(&kind.as_str()), "{name}: a block of '{kind}':\n{block}");
        }
    }
}
