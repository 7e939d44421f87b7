//! Every file of tests is a module of some test binary: one that nobody declares would pass for ever, unread.

use std::collections::BTreeSet;

use super::Failure;
use super::metadata::Package;
use super::source::Source;

pub(super) fn check(packages: &[Package], sources: &[Source<'_>]) -> Vec<Failure> {
    let roots = packages.iter().flat_map(|package| package.tests.iter().cloned());
    let declared = reachable(roots.collect(), sources);
    let files = sources.iter().filter(|source| packages.iter().any(|package| is_in_tests(source.path, package)));
    let orphans = files.filter(|source| !declared.contains(source.path));
    let reason = "no test binary declares this module, so none of its tests run: add `mod …;` or delete the file";
    orphans.map(|source| Failure::new(source.path, None, reason)).collect()
}

fn is_in_tests(path: &str, package: &Package) -> bool {
    path.strip_prefix(package.directory.as_str()).is_some_and(|path| path.starts_with("/tests/"))
}

/// The roots, and every file that one of them declares, directly or not.
fn reachable(roots: Vec<String>, sources: &[Source<'_>]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<_> = roots.into_iter().map(|root| (root, true)).collect();
    while let Some((path, is_root)) = open.pop() {
        let Some(source) = sources.iter().find(|source| source.path == path) else { continue };
        if found.insert(path) {
            open.extend(declared(source, is_root).into_iter().map(|path| (path, false)));
        }
    }
    found
}

/// The paths that the `mod name;` of a file may mean.
fn declared(source: &Source<'_>, is_root: bool) -> Vec<String> {
    let (parent, _) = source.path.rsplit_once('/').unwrap_or_default();
    let own = if is_root || source.file_name() == "mod.rs" {
        parent.to_owned()
    } else {
        source.path.trim_end_matches(".rs").to_owned()
    };
    let mut paths = Vec::new();
    // The blocks around the current word; those of a module have its name.
    let mut blocks: Vec<Option<&str>> = Vec::new();
    let mut words = words(&source.code).peekable();
    while let Some(word) = words.next() {
        match word {
            "mod" => {
                let name = words.next().unwrap_or_default();
                match words.next() {
                    Some("{") => blocks.push(Some(name)),
                    Some(";") => {
                        let around = blocks.iter().flatten().map(|block| format!("/{block}")).collect::<String>();
                        paths.push(format!("{own}{around}/{name}.rs"));
                        paths.push(format!("{own}{around}/{name}/mod.rs"));
                    }
                    Some(_) | None => {}
                }
            }
            "{" => blocks.push(None),
            "}" => drop(blocks.pop()),
            _ => {}
        }
    }
    paths.extend(explicit(source.text).map(|path| format!("{parent}/{path}")));
    paths
}

/// The paths that `#[path = "…"]` names.
fn explicit(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.trim().strip_prefix("#[path = \"")?.strip_suffix("\"]"))
}

/// Names, braces and semicolons; the rest does not matter here.
fn words(code: &str) -> impl Iterator<Item = &str> {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    code.split_inclusive(move |character| !is_name(character)).flat_map(move |part| {
        let name = part.trim_end_matches(|character| !is_name(character));
        let mark = part.get(name.len()..).filter(|mark| matches!(*mark, "{" | "}" | ";"));
        Some(name).filter(|name| !name.is_empty()).into_iter().chain(mark)
    })
}

#[cfg(test)]
mod tests {
    use super::super::Text;
    use super::*;

    fn orphans(files: &[(&str, &str)]) -> Vec<String> {
        let package = Package {
            name: "keyward-core".to_owned(),
            directory: "crates/core".to_owned(),
            dependencies: Vec::new(),
            tests: vec!["crates/core/tests/it/main.rs".to_owned()],
        };
        let texts: Vec<_> =
            files.iter().map(|(path, text)| Text::sample(&format!("crates/core/{path}"), text)).collect();
        let sources: Vec<_> = texts.iter().map(Source::new).collect();
        check(&[package], &sources).into_iter().map(|failure| failure.path).collect()
    }

    #[test]
    fn declared_files_are_followed() {
        let files = [
            (
                "tests/it/main.rs",
                "//! a\nmod api;\nmod b { fn x() { if y {} }\n mod c; }\n#[path = \"odd.rs\"]\nmod even;",
            ),
            ("tests/it/api.rs", "pub(crate) mod keys;"),
            ("tests/it/api/keys.rs", "mod deep;"),
            ("tests/it/api/keys/deep/mod.rs", "mod deeper;"),
            ("tests/it/api/keys/deep/deeper.rs", ""),
            ("tests/it/b/c.rs", ""),
            ("tests/it/odd.rs", ""),
            ("src/alone.rs", ""),
        ];
        assert_eq!(orphans(&files), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_nobody_declares_is_an_orphan() {
        let files = [("tests/it/main.rs", "mod a; // mod b;"), ("tests/it/a.rs", ""), ("tests/it/b.rs", "")];
        assert_eq!(orphans(&files), ["crates/core/tests/it/b.rs"]);
    }
}
