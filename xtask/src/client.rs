//! What the published client promises beyond its code: few dependencies, types that need no network, a package and a documentation
//! that can be made.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, output, root, succeed};

/// What the client may depend on, directly or not.
const LIST: &str = "crates/client/dependencies.txt";
/// The target of programs in a browser.
const BROWSER: &str = "wasm32-unknown-unknown";
const PACKAGES: [&str; 4] = ["--package", "keyward-core", "--package", "keyward-client"];

/// Checks all of it.
pub(crate) fn check() -> Result<()> {
    dependencies()?;
    types()?;
    let mut documentation = cargo();
    documentation.args(["doc", "--locked", "--quiet", "--no-deps", "--all-features"]).args(PACKAGES);
    succeed(documentation.env("RUSTDOCFLAGS", "-D warnings -D missing-docs"))?;
    // What `cargo publish` would upload. It is not built once more: that would need every dependency from the registry.
    let mut package = cargo();
    package.args(["package", "--locked", "--offline", "--quiet", "--no-verify", "--allow-dirty"]).args(PACKAGES);
    succeed(&mut package)
}

/// The types alone, as a program in a browser has them: nothing below them may want sockets or chance.
fn types() -> Result<()> {
    let mut check = cargo();
    check.args(["check", "--locked", "--quiet", "--package", "keyward-client", "--no-default-features"]);
    let mut library = Command::new("rustc");
    let library = output(library.current_dir(root()).args(["--print", "target-libdir", "--target", BROWSER]))?;
    match Path::new(library.trim()).exists() {
        true => check.args(["--target", BROWSER]),
        false => {
            println!("the target {BROWSER} is not installed: the types are checked for this machine");
            &mut check
        }
    };
    succeed(&mut check)
}

/// Writes the list of what the client depends on.
pub(crate) fn write() -> Result<()> {
    let mut text = "# What keyward-client depends on, directly or not, with all its features on Linux. A new line here is a decision.\n\
                    # Written by `cargo xtask client --write`.\n"
        .to_owned();
    for name in tree()? {
        text.push_str(&name);
        text.push('\n');
    }
    fs::write(root().join(LIST), text).with_context(|| format!("cannot write {LIST}"))
}

/// Fails when the client depends on something that is not listed, or no longer on something that is.
fn dependencies() -> Result<()> {
    let committed = fs::read_to_string(root().join(LIST)).with_context(|| format!("cannot read {LIST}"))?;
    let difference = difference(&committed, &tree()?);
    if !difference.is_empty() {
        bail!(
            "{LIST} and `cargo tree` differ: {}\nrun `cargo xtask client --write`, and say why",
            difference.join(", ")
        );
    }
    println!("the client depends on what {LIST} says");
    Ok(())
}

/// What cargo says. One platform, so that the answer is the same everywhere.
fn tree() -> Result<BTreeSet<String>> {
    let mut command = cargo();
    command.args([
        "tree",
        "--locked",
        "--offline",
        "--package",
        "keyward-client",
        "--all-features",
        "--edges",
        "normal",
    ]);
    command.args(["--target", "x86_64-unknown-linux-gnu", "--prefix", "none", "--format", "{p}"]);
    let names = output(&mut command)?;
    let names = names.lines().filter_map(|line| line.split_whitespace().next());
    Ok(names.filter(|name| *name != "keyward-client").map(str::to_owned).collect())
}

/// The names that are in one of both only: `+` those that came, `-` those that went.
fn difference(committed: &str, found: &BTreeSet<String>) -> Vec<String> {
    let committed: BTreeSet<String> =
        committed.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    let came = found.difference(&committed).map(|name| format!("+{name}"));
    came.chain(committed.difference(found).map(|name| format!("-{name}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_and_what_went_is_named() {
        let found = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(difference("# why\na\nb\n", &found(&["a", "b"])), [""; 0]);
        assert_eq!(difference("a\nb\n", &found(&["b", "openssl"])), ["+openssl", "-a"]);
    }
}
