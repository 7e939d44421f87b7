//! The tests that hold the invariants are named in `docs/invariants.md`, each under the invariants that it holds.

use std::collections::BTreeSet;

use super::{Failure, Text};

/// Where they are listed.
const PAGE: &str = "docs/invariants.md";

/// Every test is in the list, in each of its sections, and nothing else is.
pub(super) fn check(files: &[Text]) -> Vec<Failure> {
    let Some(page) = files.iter().find(|file| file.path == PAGE) else {
        return vec![Failure::new(PAGE, None, "the page that lists the tests of the invariants is missing")];
    };
    let code = files.iter().filter(|file| file.path.starts_with("crates/") && file.path.ends_with(".rs"));
    let written: BTreeSet<(u8, &str)> = code.flat_map(tests).collect();
    let listed: BTreeSet<(u8, &str)> = listed(&page.text).collect();
    let missing =
        written.difference(&listed).map(|(number, name)| format!("`{name}` holds I{number} and is not listed there"));
    let gone = listed
        .difference(&written)
        .map(|(number, name)| format!("`{name}` is listed under I{number} and does not hold it"));
    missing.chain(gone).map(|reason| Failure::new(PAGE, None, reason)).collect()
}

/// The tests of a file that name an invariant: the number, and the test.
fn tests(file: &Text) -> impl Iterator<Item = (u8, &str)> {
    let names = file.text.lines().filter_map(|line| {
        let (_, rest) = line.split_once("fn i")?;
        let name = &line[line.len() - rest.len() - 1..];
        name.split_once('(').map(|(name, _)| name)
    });
    names.flat_map(|name| numbers(name).map(move |number| (number, name)))
}

/// The numbers that a name begins with: `i1_i4_a_test` holds the first and the fourth.
fn numbers(name: &str) -> impl Iterator<Item = u8> {
    name.split('_').map_while(|word| match word.as_bytes() {
        [b'i', digit @ b'1'..=b'9'] => Some(digit - b'0'),
        _ => None,
    })
}

/// What the page lists: the number of the section, and the test.
fn listed(page: &str) -> impl Iterator<Item = (u8, &str)> {
    let mut section = None;
    page.lines().flat_map(move |line| {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.strip_prefix('I').and_then(|rest| rest.split_once(':')?.0.parse().ok());
        }
        let names =
            line.split('`').skip(1).step_by(2).filter(|name| numbers(name).next().is_some() && !name.contains('…'));
        names.filter_map(move |name| Some((section?, name))).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(page: &str) -> Vec<String> {
        let code = Text { path: "crates/a.rs".to_owned(), text: "fn i1_i4_a_test() {}\nfn if_not() {}".to_owned() };
        let page = Text { path: PAGE.to_owned(), text: page.to_owned() };
        check(&[code, page]).into_iter().map(|failure| failure.reason).collect()
    }

    #[test]
    fn each_test_is_listed_under_each_of_its_invariants() {
        assert_eq!(said("## I1: x\n`i1_i4_a_test`\n## I4: y\n`i1_i4_a_test`"), [""; 0]);
        assert_eq!(said("## I1: x\n`i1_i4_a_test`"), ["`i1_i4_a_test` holds I4 and is not listed there"]);
        let gone = said("## I1: x\n`i1_i4_a_test`, `i1_gone`\n## I4: y\n`i1_i4_a_test`");
        assert_eq!(gone, ["`i1_gone` is listed under I1 and does not hold it"]);
    }
}
