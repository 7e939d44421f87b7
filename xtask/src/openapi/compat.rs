//! Whether clients of the documents before can live with those of now. Every change that they cannot live with breaks a rule, and
//! `openapi/BREAKING.md` has to name it.
//!
//! The rules are those of common sense about requests and answers: what was accepted must go on to be accepted, and nothing may be
//! answered that could not be answered before. New operations, members of answers and statuses of errors are no break.

mod admitted;
mod bounds;
mod operations;
mod schemas;

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::document::Document;
use super::{DOCUMENTS, committed};
use crate::process::{output, root};
use admitted::Admitted;

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// The document of before, in a file; the last release's, or the merge base's with main, unless given
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

/// A change that breaks somebody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Break {
    rule: &'static str,
    /// Where, such as `management: GET /livez answer 200 /message`.
    place: String,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` `{}`", self.rule, self.place)
    }
}

/// Fails when a change breaks clients and is not named.
pub(super) fn run(options: &Options) -> Result<()> {
    let now = committed()?;
    let before = match &options.against {
        Some(file) => vec![Document::read(file)?],
        None => released()?,
    };
    let admitted = Admitted::read(&root().join("openapi").join("BREAKING.md"))?;
    let mut unnamed = Vec::new();
    let mut compared = 0;
    for (old, new) in before.iter().flat_map(|old| now.iter().map(move |new| (old, new))) {
        if is_the_same(old, new) {
            compared += 1;
            unnamed.extend(breaks(old, new).into_iter().filter(|one| !admitted.names(one)));
        }
    }
    if compared != before.len() {
        bail!("a document of before has no counterpart: the titles must be the same");
    }
    if !unnamed.is_empty() {
        let lines: Vec<String> = unnamed.iter().map(|one| format!("- {one}: ")).collect();
        bail!(
            "{}\n{} changes break clients. Undo them, or add these lines with a reason to openapi/BREAKING.md; `*` stands for anything",
            lines.join("\n"),
            lines.len()
        );
    }
    println!("no change breaks clients but those that openapi/BREAKING.md names");
    Ok(())
}

/// Every rule that a change can break.
fn rules() -> impl Iterator<Item = &'static str> {
    operations::RULES.into_iter().chain(schemas::RULES)
}

fn is_the_same(old: &Document, new: &Document) -> bool {
    old.root.pointer("/info/title") == new.root.pointer("/info/title")
}

/// Everything in the new document that breaks clients of the old one, sorted.
fn breaks(old: &Document, new: &Document) -> Vec<Break> {
    let mut found = Vec::new();
    operations::compare(old, new, &mut found);
    found.sort();
    found.dedup();
    found
}

/// The documents of the last release; while there is none, of the merge base with main, and on main of the commit before.
fn released() -> Result<Vec<Document>> {
    let revision = revision().context("no revision to compare with: give one document with --against FILE")?;
    println!("compared with {revision}");
    let read = |name: &&str| {
        let text = git(&["show", &format!("{revision}:openapi/{name}.json")])?;
        Document::parse((*name).to_owned(), &text)
    };
    DOCUMENTS.iter().map(read).collect()
}

fn revision() -> Result<String> {
    if let Some(tag) = git(&["tag", "--list", "v*", "--merged", "HEAD", "--sort=-version:refname"])?.lines().next() {
        return Ok(tag.to_owned());
    }
    let head = git(&["rev-parse", "HEAD"])?;
    let known = |main: &&&str| git(&["rev-parse", "--verify", "--quiet", main]).is_ok();
    let main = ["origin/main", "main"].iter().find(known).map(|main| git(&["merge-base", "HEAD", main])).transpose()?;
    let is_changed = !git(&["status", "--porcelain", "--", "openapi"])?.is_empty();
    match main {
        Some(base) if base != head || is_changed => Ok(base),
        Some(_) | None => git(&["rev-parse", "HEAD^"]),
    }
}

fn git(arguments: &[&str]) -> Result<String> {
    Ok(output(Command::new("git").current_dir(root()).args(arguments))?.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use serde_json::{Value, json};

    use super::*;

    fn base() -> Value {
        let body = |schema: &str| json!({ "content": { "application/json": { "schema": schema } } });
        json!({
            "info": { "title": "things" },
            "paths": { "/things/{id}": { "put": {
                "operationId": "thing_update", "security": [{ "admin": [] }],
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
                "requestBody": body("request"),
                "responses": { "200": body("answer") },
            } } },
            "components": { "schemas": {
                "Loop": { "type": "object", "properties": { "again": { "$ref": "#/components/schemas/Loop" } } },
            } },
        })
    }

    fn document(at: &str, value: &Value) -> Document {
        let mut root = base();
        let pointer = match at {
            "request" => "/paths/~1things~1{id}/put/requestBody/content/application~1json/schema".to_owned(),
            "answer" => "/paths/~1things~1{id}/put/responses/200/content/application~1json/schema".to_owned(),
            other => other.to_owned(),
        };
        *root.pointer_mut(&pointer).unwrap_or_else(|| panic!("nothing is at {pointer}")) = value.clone();
        Document { name: "things".to_owned(), root }
    }

    fn lines(value: &Value) -> Vec<String> {
        value.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
    }

    /// A pair has two forms of one place of a document (`at`, `old`, `new`), and what breaks clients from the one to the other
    /// (`breaks`) and the other way round (`back`).
    #[test]
    fn each_pair_has_the_verdict_that_is_written_in_it() {
        let directory = root().join("xtask").join("openapi").join("compat");
        let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let mut seen = BTreeSet::new();
        for file in &files {
            let pair: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
            let at = pair["at"].as_str().unwrap();
            let (old, new) = (document(at, &pair["old"]), document(at, &pair["new"]));
            let told = |old, new| -> Vec<String> {
                breaks(old, new).iter().map(|one| format!("{} {}", one.rule, one.place)).collect()
            };
            assert_eq!(told(&old, &new), lines(&pair["breaks"]), "{}", file.display());
            assert_eq!(told(&new, &old), lines(&pair["back"]), "{}, back", file.display());
            seen.extend(breaks(&old, &new).into_iter().chain(breaks(&new, &old)).map(|one| one.rule));
        }
        assert_eq!(seen, rules().collect(), "a rule without a pair, or the other way round");
    }
}
