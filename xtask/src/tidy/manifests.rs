//! What a member's Cargo.toml says itself, and what it must leave to the workspace.

use super::{Failure, Text};

pub(super) fn check(file: &Text) -> Vec<Failure> {
    if !file.path.ends_with("/Cargo.toml") {
        return Vec::new();
    }
    let mut failures = Vec::new();
    let mut table = "";
    let mut opted_in = false;
    let mut pending = None;
    for (number, line) in file.text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or(line).trim_end();
        if let Some(header) = line.strip_prefix('[') {
            pending.take().into_iter().for_each(|line| failures.push(versioned(file, line)));
            table = header.trim_end_matches(']');
            pending = is_dependency(table).then_some(number + 1);
        } else if is_workspace(line) {
            opted_in |= table == "lints";
            pending = None;
        } else if is_dependencies(table) && line.contains('=') && !line.starts_with(char::is_whitespace) {
            failures.extend((!inherits(line)).then(|| versioned(file, number + 1)));
        }
    }
    pending.into_iter().for_each(|line| failures.push(versioned(file, line)));
    if !opted_in {
        let reason = "add `[lints]` with `workspace = true`: lints that hold in some crates hold in none";
        failures.push(Failure::new(&file.path, None, reason));
    }
    failures
}

fn versioned(file: &Text, line: usize) -> Failure {
    let reason = "say `name.workspace = true`: versions live in the root's [workspace.dependencies] only";
    Failure::new(&file.path, line, reason)
}

/// `dependencies`, `dev-dependencies`, `target.….dependencies`, and so on.
fn is_dependencies(table: &str) -> bool {
    table.rsplit('.').next().is_some_and(|last| last == "dependencies" || last.ends_with("-dependencies"))
}

/// `dependencies.name`, a dependency with a table of its own.
fn is_dependency(table: &str) -> bool {
    table.rsplit_once('.').is_some_and(|(parent, _)| is_dependencies(parent))
}

/// `workspace = true`, on a line of its own.
fn is_workspace(line: &str) -> bool {
    line.split_once('=').is_some_and(|(key, value)| key.trim() == "workspace" && value.trim() == "true")
}

/// `name.workspace = true` or `name = { workspace = true, … }`.
fn inherits(line: &str) -> bool {
    let words = line.replace(char::is_whitespace, "");
    words.ends_with(".workspace=true") || words.contains("={workspace=true") || words.contains(",workspace=true")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINTS: &str = "[lints]\nworkspace = true\n";

    fn lines(text: &str) -> Vec<Option<usize>> {
        check(&Text::sample("crates/core/Cargo.toml", text)).into_iter().map(|failure| failure.line).collect()
    }

    #[test]
    fn what_is_inherited_is_right() {
        let text = "[package]\nname = \"a\"\nversion = \"1\"\n[dependencies]\nb.workspace = true\n\
                    c = { workspace = true, features = [\n  \"d\",\n] }\n[dev-dependencies.e]\nworkspace = true\n";
        assert_eq!(lines(&format!("{text}{LINTS}")), []);
    }

    #[test]
    fn a_version_of_its_own_is_wrong() {
        let bad = [
            "[dependencies]\nb = \"1\"\n",
            "[build-dependencies]\nb = { version = \"1\" }\n",
            "[target.'cfg(unix)'.dependencies]\nb = \"1\"\n",
            "[dependencies]\nb.version = \"1\"\n",
        ];
        for text in bad {
            assert_eq!(lines(&format!("{text}{LINTS}")), [Some(2)], "{text}");
        }
        assert_eq!(lines(&format!("{LINTS}[dependencies.b]\nversion = \"1\"\n")), [Some(3)]);
    }

    #[test]
    fn lints_come_from_the_workspace() {
        assert_eq!(lines("[package]\nname = \"a\"\n"), [None]);
        assert_eq!(lines("[lints.clippy]\nall = \"allow\"\n"), [None]);
        assert_eq!(check(&Text::sample("Cargo.toml", "[workspace]\n")), []);
    }
}
