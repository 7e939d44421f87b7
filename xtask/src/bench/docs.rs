//! The tables and charts of docs/performance.md: what the committed results say, between marks in the page, and files beside it.

mod charts;
mod flame;
mod parts;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::growth;
use super::results::{self, Results, SUITES};
use crate::process::root;

const REMEDY: &str = "run `cargo xtask bench docs` and commit the result";

#[derive(clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Docs")]
pub(crate) struct Options {
    /// Compare only, and fail on a difference
    #[arg(long)]
    pub(super) check: bool,
    /// Take over the last results of this machine first
    #[arg(long)]
    pub(super) take: bool,
}

/// Writes the page and the charts, or compares them.
pub(super) fn run(options: &Options) -> Result<()> {
    if options.check {
        return check();
    }
    if options.take {
        take()?;
    }
    let made = made()?;
    for name in unwanted(&made)? {
        fs::remove_file(home().join(name))?;
    }
    for (path, text) in &made {
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("wrote docs/performance.md and {} charts", made.len() - 1);
    Ok(())
}

/// Fails when the committed page or a chart is not what the results say.
pub(crate) fn check() -> Result<()> {
    let made = made()?;
    let others = made.iter().filter(|(path, text)| fs::read_to_string(path).ok().as_ref() != Some(text));
    let mut wrong: Vec<_> =
        others.map(|(path, _)| path.strip_prefix(root()).unwrap_or(path).display().to_string()).collect();
    wrong.extend(unwanted(&made)?);
    if !wrong.is_empty() {
        bail!("not what docs/performance/*.json say: {}\n{REMEDY}", wrong.join(", "));
    }
    println!("docs/performance.md is what its results say");
    Ok(())
}

/// Copies the last results of this machine to those that are committed.
fn take() -> Result<()> {
    let from = results::directory()?;
    fs::create_dir_all(home())?;
    for suite in SUITES {
        let last = from.join(suite).with_extension("json");
        let known = home().join(suite).with_extension("json");
        match suite {
            _ if !last.exists() => continue,
            "growth" => growth::take(&last, &known)?,
            _ => drop(fs::copy(&last, &known)?),
        }
        println!("took {suite}.json");
    }
    Ok(())
}

/// The page and the charts, by path.
fn made() -> Result<BTreeMap<PathBuf, String>> {
    let results = Results::read(&home())?;
    let page = root().join("docs").join("performance.md");
    let text = fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let charts = charts::all(&results)?;
    let mut made: BTreeMap<_, _> = charts.into_iter().map(|(name, svg)| (home().join(name), svg)).collect();
    made.insert(page, parts::filled(&text, &results)?);
    Ok(made)
}

/// Charts that are there and that no result makes.
fn unwanted(made: &BTreeMap<PathBuf, String>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(home())? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "svg") && !made.contains_key(&path) {
            names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    Ok(names)
}

fn home() -> PathBuf {
    root().join("docs").join("performance")
}
