//! The rules of structure that the compiler does not hold, each with the reason that makes it one.
//!
//! A rule is a function from a text (or from what cargo says about the packages) to failures; all failures of all
//! rules are printed at once.

mod arrows;
mod bans;
mod handlers;
mod invariants;
mod manifests;
mod metadata;
mod modules;
mod shape;
mod snapshots;
mod source;

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::process::root;
use source::Source;

/// One place that breaks a rule.
#[derive(Debug, PartialEq)]
struct Failure {
    path: String,
    line: Option<usize>,
    reason: String,
}

/// A file of the workspace; its path is relative to the root, with `/`.
struct Text {
    path: String,
    text: String,
}

/// Where the workspace keeps what people write, beside the files of the root itself.
const DIRECTORIES: [&str; 5] = [".ci", ".config", "crates", "docs", "xtask"];

/// Prints every failure of every rule.
pub(crate) fn run() -> Result<()> {
    let files = files(root())?;
    let packages = metadata::read()?;
    let sources: Vec<_> = files.iter().filter(|file| file.path.ends_with(".rs")).map(Source::new).collect();

    let mut failures = arrows::check(&packages);
    failures.extend(modules::check(&packages, &sources));
    failures.extend(invariants::check(&files));
    failures.extend(files.iter().flat_map(manifests::check));
    failures.extend(files.iter().flat_map(bans::check_marks));
    failures.extend(files.iter().flat_map(|file| snapshots::check(file, |source| root().join(source).is_file())));
    for source in &sources {
        failures.extend(shape::check(source));
        failures.extend(bans::check(source));
        failures.extend(handlers::check(source));
    }
    if failures.is_empty() {
        println!("tidy: {} files, nothing to say", files.len());
        return Ok(());
    }
    failures.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    for failure in &failures {
        println!("{failure}");
    }
    bail!("tidy: {} failures", failures.len());
}

impl Failure {
    fn new(path: &str, line: impl Into<Option<usize>>, reason: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: line.into(), reason: reason.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.reason),
            None => write!(f, "{}: {}", self.path, self.reason),
        }
    }
}

/// All text files that a rule may look at.
fn files(root: &Path) -> Result<Vec<Text>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && !DIRECTORIES.contains(&name.as_str()) {
            continue;
        }
        collect(&entry.path(), name, &mut files)?;
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn collect(path: &Path, name: String, files: &mut Vec<Text>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            collect(&entry.path(), name, files)?;
        }
        return Ok(());
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    // What is not UTF-8 is an image or the like.
    if let Ok(text) = String::from_utf8(bytes) {
        files.push(Text { path: name, text });
    }
    Ok(())
}

#[cfg(test)]
impl Text {
    fn sample(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }
}
