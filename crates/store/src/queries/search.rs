//! Search by name, and how many ids one statement may name.

/// How many ids a statement names at most: SQLite allows 32,766 variables.
pub(super) const CHUNK: usize = 5_000;

/// The LIKE pattern of names that have `text` in them, for a lower-case name; `\` escapes.
pub(super) fn pattern(text: &str) -> String {
    let escaped = text.to_ascii_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
