//! The published API documents: what the server's binary prints is what `openapi/` holds, and what they are held to.

mod compat;
mod document;
mod emitted;
mod generated;
mod lint;
mod public_lint;
mod tools;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};

use crate::process::root;
use crate::server;
use document::Document;

const DOCUMENTS: [&str; 2] = ["management", "gateway"];
const REMEDY: &str = "run `cargo xtask openapi` and commit the result";

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    /// Compare only, and fail on a difference
    #[arg(long)]
    check: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Hold the documents to our own rules
    Lint,
    /// Hold the documents to the rules of Redocly, Spectral and openapi-spec-validator (needs python3, node and npm)
    PublicLint,
    /// Fail on a change that breaks clients, unless openapi/BREAKING.md names it
    Compat(compat::Options),
    /// Generate clients in TypeScript and Python, compile them, and make a call with each (needs python3, node and npm)
    GenerateCheck,
}

/// Does what is asked for; without a subcommand, writes or checks.
pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.command {
        Some(Command::Lint) => lint(),
        Some(Command::PublicLint) => public_lint(),
        Some(Command::Compat(options)) => compat::run(options),
        Some(Command::GenerateCheck) => generate_check(),
        None if options.check => check(),
        None => write(),
    }
}

/// Holds the committed documents to our own rules.
pub(crate) fn lint() -> Result<()> {
    lint::run(&committed()?)
}

/// Holds the committed documents to the rules of public linters.
pub(crate) fn public_lint() -> Result<()> {
    public_lint::run()
}

/// Compares the committed documents with those of the merge base.
pub(crate) fn compatible() -> Result<()> {
    compat::run(&compat::Options::default())
}

/// Generates clients from the committed documents, and uses them.
pub(crate) fn generate_check() -> Result<()> {
    generated::run()
}

/// Installs the public tools.
pub(crate) fn install() -> Result<()> {
    tools::install()
}

fn committed() -> Result<Vec<Document>> {
    DOCUMENTS.iter().map(|name| Document::read(&path(name))).collect()
}

/// Writes every document.
pub(crate) fn write() -> Result<()> {
    let binary = server::build()?;
    for name in DOCUMENTS {
        let path = path(name);
        fs::create_dir_all(root().join("openapi"))?;
        fs::write(&path, emitted::emit(&binary, name)?).with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote openapi/{name}.json");
    }
    Ok(())
}

/// Fails when a committed document is not what the binary prints.
pub(crate) fn check() -> Result<()> {
    let binary = server::build()?;
    let mut stale = Vec::new();
    for name in DOCUMENTS {
        let emitted = emitted::emit(&binary, name)?;
        let committed = fs::read_to_string(path(name)).ok();
        if let Some(difference) = emitted::difference(committed.as_deref(), &emitted) {
            stale.push(format!("openapi/{name}.json {difference}"));
        }
    }
    if !stale.is_empty() {
        bail!("{}\n{REMEDY}", stale.join("\n"));
    }
    println!("openapi/ is what the binary declares");
    Ok(())
}

fn path(name: &str) -> PathBuf {
    root().join("openapi").join(name).with_extension("json")
}
