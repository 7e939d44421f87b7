//! Links: each leads to a file of the workspace, and to a heading that is there; the guide's, to what the site has.

use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use super::page::Page;
use super::told;
use crate::process::root;

/// What the site has and the workspace has not.
const MADE: &str = "docs/reference/index.html";
/// Where sources are read.
const SOURCES: &str = "https://github.com/keyward/keyward/blob/main/";
/// The table of contents.
const CONTENTS: &str = "docs/SUMMARY.md";

/// Checks every link of every page, and that the table of contents has every page of the guide.
pub(super) fn check(pages: &[Page]) -> Result<()> {
    let links = pages.iter().flat_map(|page| page.links.iter().filter_map(|link| fault(pages, page, link)));
    told(&links.chain(unlisted(pages)).collect::<Vec<_>>())
}

/// What is wrong with a link.
fn fault(pages: &[Page], page: &Page, link: &str) -> Option<String> {
    let says = |what: &str| Some(format!("{}: {link} {what}", page.path.display()));
    if let Some(source) = link.strip_prefix(SOURCES) {
        return if root().join(source).exists() { None } else { says("is not in the repository") };
    }
    if link.contains("://") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() { page.path.clone() } else { joined(&page.path, file) };
    if target == Path::new(MADE) {
        return None;
    }
    if page.path.starts_with("docs") && !target.starts_with("docs") {
        return says("is not on the site: name it by its address in the repository");
    }
    if !root().join(&target).exists() {
        return says("is not there");
    }
    let there = pages.iter().find(|other| other.path == target)?;
    if anchor.is_empty() || there.anchors.contains(anchor) { None } else { says("has no such heading") }
}

/// Pages of the guide that the table of contents lacks.
fn unlisted(pages: &[Page]) -> impl Iterator<Item = String> {
    let listed: Vec<PathBuf> = pages
        .iter()
        .filter(|page| page.path == Path::new(CONTENTS))
        .flat_map(|contents| contents.links.iter().map(|link| joined(&contents.path, link)))
        .collect();
    let guide = pages.iter().map(|page| &page.path).filter(|path| path.starts_with("docs"));
    let missing = guide.filter(move |path| *path != Path::new(CONTENTS) && !listed.contains(path));
    missing.map(|path| format!("{CONTENTS} lacks {}", path.display()))
}

/// The file that a page means.
fn joined(page: &Path, link: &str) -> PathBuf {
    let mut path = page.parent().map(Path::to_owned).unwrap_or_default();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_meant_from_its_page() {
        assert_eq!(joined(Path::new("docs/decisions/a.md"), "../b.md"), Path::new("docs/b.md"));
        assert_eq!(joined(Path::new("docs/a.md"), "decisions/"), Path::new("docs/decisions"));
        assert_eq!(joined(Path::new("README.md"), "docs/./a.md"), Path::new("docs/a.md"));
    }
}
