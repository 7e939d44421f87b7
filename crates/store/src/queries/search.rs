//! Search by name, and how many ids one statement may name.

use keyward_core::list::Page;

/// How many ids a statement names at most: SQLite allows 32,766 variables.
pub(super) const CHUNK: usize = 5_000;

/// How much of a list is shown inside an answer about something else.
pub(super) fn first_page() -> Page {
    Page { limit: 100, ..Page::default() }
}

/// The LIKE pattern of names that have `text` in them, for a lower-case name; `\` escapes.
pub(super) fn pattern(text: &str) -> String {
    let escaped = text.to_ascii_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
