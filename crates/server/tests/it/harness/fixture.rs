//! Fixtures: what a client sends, what a provider answers to it, and what comes of it, kept in files to the byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

/// One request and its answer.
#[derive(Debug)]
pub struct Fixture {
    /// Directory and name, such as `openai-chat/plain`.
    pub name: String,
    pub case: Case,
    /// The body as the client sends it; empty where there is none.
    pub request: Vec<u8>,
    /// The body as the provider sends it.
    pub answer: Vec<u8>,
    pub is_stream: bool,
}

/// What `case.json` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case is about, in words.
    pub why: String,
    pub provider: String,
    pub model: String,
    /// What pricing overrides call it; none where nothing is charged.
    pub request_type: Option<String>,
    #[serde(default = "post")]
    pub method: String,
    /// The path at Keyward.
    pub path: String,
    pub query: Option<String>,
    /// The path at the provider.
    pub upstream_path: String,
    #[serde(default = "json")]
    pub content_type: String,
    /// Headers of the client.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Those that the provider must see.
    #[serde(default)]
    pub upstream_headers: BTreeMap<String, String>,
    /// What stands otherwise in the request that the provider gets, at its first place each.
    #[serde(default)]
    pub request_splices: Vec<(String, String)>,
    pub status: u16,
    /// Unless it is JSON or events.
    pub answer_content_type: Option<String>,
    #[serde(default)]
    pub answer_headers: BTreeMap<String, String>,
    /// What stands otherwise in the answer that the client gets.
    #[serde(default)]
    pub answer_splices: Vec<(String, String)>,
    /// Cost fields, as pricing overrides have them.
    pub price: Box<RawValue>,
    /// What was used, by class.
    pub usage: BTreeMap<String, u64>,
    /// Where the usage comes from, if not from the provider: then the cost is not zero, and no more is known.
    pub usage_source: Option<String>,
    /// What it costs.
    pub cost_nanos: Option<i64>,
    /// What the provider answers at first, before it gives the answer.
    pub first: Option<First>,
    /// Where in the answer the provider waits until the test lets it go on.
    pub wait_before: Option<String>,
}

/// An answer that is given once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct First {
    pub status: u16,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

fn post() -> String {
    "POST".to_owned()
}

fn json() -> String {
    "application/json".to_owned()
}

impl Fixture {
    /// Where all of them are.
    pub fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("fixtures")
    }

    /// The directories.
    pub fn dialects() -> Vec<String> {
        names(&Self::root())
    }

    /// Those of one directory.
    pub fn of_dialect(dialect: &str) -> Vec<Self> {
        let directory = Self::root().join(dialect);
        names(&directory)
            .into_iter()
            .map(|name| Self::read(&directory.join(&name), format!("{dialect}/{name}")))
            .collect()
    }

    fn read(directory: &Path, name: String) -> Self {
        let case = fs::read(directory.join("case.json")).unwrap_or_else(|error| panic!("{name}: {error}"));
        let case = serde_json::from_slice(&case).unwrap_or_else(|error| panic!("{name}: {error}"));
        let first = |files: &[&str]| files.iter().find_map(|file| fs::read(directory.join(file)).ok());
        let events = first(&["answer.sse"]);
        Self {
            case,
            request: first(&["request.json", "request.form"]).unwrap_or_default(),
            is_stream: events.is_some(),
            answer: events
                .or_else(|| first(&["answer.json", "answer.bin"]))
                .unwrap_or_else(|| panic!("{name}: no answer")),
            name,
        }
    }

    /// What requests about it have in them, wherever they have room for a text.
    pub fn marker(&self) -> String {
        format!("[{}]", self.name)
    }

    pub fn is_error(&self) -> bool {
        self.case.status >= 400
    }

    /// Whether it is a story of several requests, or one that needs somebody to act: then it is for the SDKs.
    pub fn is_story(&self) -> bool {
        self.case.first.is_some() || self.case.wait_before.is_some()
    }

    /// True when the answer tells no usage, and what was asked for does.
    pub fn is_counted(&self) -> bool {
        self.name == "openai-audio/speech"
    }

    /// True when it is about a response that must have been made before.
    pub fn is_about_kept(&self) -> bool {
        self.case.path.contains("/responses/resp_")
    }

    /// The request as it must reach the provider.
    pub fn spliced_request(&self) -> Vec<u8> {
        spliced(&self.request, &self.case.request_splices, &self.name)
    }

    /// The answer as it must reach the client.
    pub fn spliced_answer(&self) -> Vec<u8> {
        spliced(&self.answer, &self.case.answer_splices, &self.name)
    }

    pub fn answer_content_type(&self) -> &str {
        let usual = if self.is_stream { "text/event-stream; charset=utf-8" } else { "application/json" };
        self.case.answer_content_type.as_deref().unwrap_or(usual)
    }
}

/// The names in a directory, in order.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Each text in place of the other, where that stands first.
fn spliced(bytes: &[u8], splices: &[(String, String)], name: &str) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (from, to) in splices {
        let at = find(&bytes, from.as_bytes()).unwrap_or_else(|| panic!("{name}: {from:?} is not there"));
        bytes.splice(at..at + from.len(), to.bytes());
    }
    bytes
}

/// Where a text stands first.
pub fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}
