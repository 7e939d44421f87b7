//! The pages of the guide, and what of them others need to know.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::process::root;

/// One page.
pub(super) struct Page {
    /// Where it is, from the root of the workspace.
    pub(super) path: PathBuf,
    pub(super) title: String,
    /// Its first paragraph.
    pub(super) lead: String,
    /// Where its links go.
    pub(super) links: Vec<String>,
    /// The names of its headings, as links have them.
    pub(super) anchors: BTreeSet<String>,
}

/// Every page: those of `docs/`, and what is read beside them.
pub(super) fn all() -> Result<Vec<Page>> {
    let mut paths: Vec<PathBuf> =
        ["README.md", "CHANGELOG.md", "crates/client/README.md"].into_iter().map(PathBuf::from).collect();
    for directory in ["docs", "docs/decisions"] {
        let entries = fs::read_dir(root().join(directory)).with_context(|| format!("cannot read {directory}"))?;
        let names = entries.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>>>()?;
        let pages = names.iter().map(|name| Path::new(directory).join(name));
        paths.extend(pages.filter(|path| path.extension().is_some_and(|kind| kind == "md")));
    }
    paths.sort();
    paths.into_iter().map(Page::read).collect()
}

impl Page {
    fn read(path: PathBuf) -> Result<Self> {
        let text = fs::read_to_string(root().join(&path)).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self::of(path, &text))
    }

    fn of(path: PathBuf, text: &str) -> Self {
        let mut page =
            Self { path, title: String::new(), lead: String::new(), links: Vec::new(), anchors: BTreeSet::new() };
        // What is being read: the text of a heading, or of the first paragraph.
        let (mut heading, mut lead) = (None::<String>, false);
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(level)) => page.named(level, &heading.take().unwrap_or_default()),
                Event::Start(Tag::Paragraph) => lead = page.lead.is_empty() && !page.title.is_empty(),
                Event::End(TagEnd::Paragraph) => lead = false,
                Event::Start(Tag::Link { dest_url, .. }) => page.links.push(dest_url.into_string()),
                Event::Text(text) | Event::Code(text) => page.said(heading.as_mut(), lead, &text),
                Event::SoftBreak => page.said(heading.as_mut(), lead, " "),
                Event::Start(_)
                | Event::End(_)
                | Event::InlineMath(_)
                | Event::DisplayMath(_)
                | Event::Html(_)
                | Event::InlineHtml(_)
                | Event::FootnoteReference(_)
                | Event::HardBreak
                | Event::Rule
                | Event::TaskListMarker(_) => {}
            }
        }
        page
    }

    fn said(&mut self, heading: Option<&mut String>, is_lead: bool, text: &str) {
        match heading {
            Some(heading) => heading.push_str(text),
            None if is_lead => self.lead.push_str(text),
            None => {}
        }
    }

    fn named(&mut self, level: HeadingLevel, heading: &str) {
        if level == HeadingLevel::H1 && self.title.is_empty() {
            heading.clone_into(&mut self.title);
        }
        self.anchors.insert(anchor(heading));
    }
}

/// The name of a heading in links: that of GitHub and of mdBook.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'));
    kept.map(|character| if character == ' ' { '-' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_its_title_its_lead_its_links_and_its_anchors() {
        let page = Page::of(
            "docs/a.md".into(),
            "# The `A`\n\nFirst\n[words](b.md#c).\n\n## What is it?\n\nMore [words](https://example.com).\n",
        );
        assert_eq!((page.title.as_str(), page.lead.as_str()), ("The A", "First words."));
        assert_eq!(page.links, ["b.md#c", "https://example.com"]);
        assert_eq!(page.anchors.iter().map(String::as_str).collect::<Vec<_>>(), ["the-a", "what-is-it"]);
    }
}
