//! Links within the dashboard: a path, and parameters that are encoded as they should.

use std::fmt::{self, Display};

use maud::{Escaper, Render};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded::Serializer;

/// What is encoded in a part of a path.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// The beginning of an id: enough to tell it from those around it.
pub(super) fn shortened(id: &str) -> String {
    match id.char_indices().nth(8) {
        Some((end, _)) => format!("{}…", id.get(..end).unwrap_or_default()),
        None => id.to_owned(),
    }
}

/// A path with parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    path: String,
    parameters: Vec<(&'static str, String)>,
    part: Option<&'static str>,
}

impl Link {
    /// A path that needs no encoding.
    pub(super) fn to(path: impl Into<String>) -> Self {
        Self { path: path.into(), parameters: Vec::new(), part: None }
    }

    /// The page about something of a section: its id may be any text.
    pub(super) fn of(section: &str, id: impl Display) -> Self {
        let id = id.to_string();
        let encoded = utf8_percent_encode(&id, PART);
        Self::to(format!("{section}/{encoded}"))
    }

    /// The same, one step further.
    pub(super) fn then(mut self, step: &str) -> Self {
        self.path = format!("{}/{step}", self.path);
        self
    }

    /// The same, at the part of the page with this id.
    pub(super) fn at(mut self, part: &'static str) -> Self {
        self.part = Some(part);
        self
    }

    /// The same, with a parameter; one that is empty is left out.
    pub(super) fn with(mut self, name: &'static str, value: impl Display) -> Self {
        let value = value.to_string();
        self.parameters.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            self.parameters.push((name, value));
        }
        self
    }
}

impl Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if !self.parameters.is_empty() {
            let query = Serializer::new(String::new()).extend_pairs(&self.parameters).finish();
            write!(f, "?{query}")?;
        }
        if let Some(part) = self.part {
            write!(f, "#{part}")?;
        }
        Ok(())
    }
}

impl Render for Link {
    fn render_to(&self, buffer: &mut String) {
        // Writing to a string cannot fail.
        let _ = fmt::Write::write_fmt(&mut Escaper::new(buffer), format_args!("{self}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_a_link_stays_one_part_of_it() {
        assert_eq!(Link::of("/teams", "a/b?c#d-e f").to_string(), "/teams/a%2Fb%3Fc%23d-e%20f");
        let link = Link::to("/teams").with("search", "a&b=\"c\"").with("limit", "").with("search", "x&y");
        assert_eq!(link.to_string(), "/teams?search=x%26y");
        assert_eq!(Link::to("/a").at("part").with("b", "c#d").to_string(), "/a?b=c%23d#part");
        assert_eq!(Link::to("/a").with("b", "c").with("d", "e").render().into_string(), "/a?b=c&amp;d=e");
    }
}
