//! All checks, in an order that fails cheaply first; every one runs, and the failed ones are listed at the end.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::bench::gate;
use crate::process::{cargo, cargo_has, succeed};
use crate::{bench, client, contract, docs, fuzz, observability, openapi, sdks, test, tidy};

type Step = (&'static str, fn() -> Result<()>);

const STEPS: [Step; 18] = [
    ("fmt", || succeed(cargo().args(["fmt", "--all", "--check"]))),
    ("tidy", tidy::run),
    ("clippy", clippy),
    ("openapi", openapi::check),
    ("observability", observability::check),
    ("performance", bench::check),
    ("openapi lint", openapi::lint),
    ("openapi compat", openapi::compatible),
    ("client", client::check),
    ("deny", deny),
    ("contract", contract::check),
    ("sdks", installs),
    ("docs", docs::run),
    ("openapi public-lint", openapi::public_lint),
    ("openapi generate-check", openapi::generate_check),
    ("test", || test::run(&test::Options::default())),
    ("bench gate", || gate::run(&gate::Options::default())),
    ("fuzz", || fuzz::run(&fuzz::Options { seconds: 15, seed: 1, target: None, input: None })),
];

/// Runs every step, also after one has failed.
pub(crate) fn run() -> Result<()> {
    let mut failures = Vec::new();
    for (name, step) in STEPS {
        println!("==> {name}");
        let start = Instant::now();
        let result = step();
        let seconds = start.elapsed().as_secs();
        match result {
            Ok(()) => println!("==> {name}: ok ({seconds} s)\n"),
            Err(error) => {
                println!("==> {name}: FAILED ({seconds} s)\n{error:#}\n");
                failures.push(name);
            }
        }
    }
    if !failures.is_empty() {
        bail!("failed: {}", failures.join(", "));
    }
    println!("all steps passed");
    Ok(())
}

/// The packages of other languages: the one step that needs their registries.
fn installs() -> Result<()> {
    sdks::run()?;
    openapi::install()
}

fn clippy() -> Result<()> {
    succeed(cargo().args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}

/// Advisories are not among the checks: their database is not part of any package registry.
fn deny() -> Result<()> {
    if !cargo_has("deny") {
        println!("not run: cargo-deny is not installed (cargo install cargo-deny --locked)");
        return Ok(());
    }
    // It looks at every target's dependencies, also those that no build here has needed.
    succeed(cargo().args(["fetch", "--locked", "--quiet"]))?;
    succeed(cargo().args(["deny", "--offline", "check", "licenses", "bans", "sources"]))
}
