//! A Rust file in three views of equal lines: as written, as code only, and as code that is not a test.
//!
//! The views come from a scan for comments and literals, not from a parser: enough to know that a word is code.

use super::Text;

pub(super) struct Source<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
    /// Comments and literals are blank.
    pub(super) code: String,
    /// Items under `#[cfg(test)]` are blank too; in a file of tests, everything is.
    pub(super) live: String,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a Text) -> Self {
        let code = code_only(&file.text);
        let live = if is_test(&file.path, &code) { blank(&code) } else { without_tests(&code) };
        Self { path: &file.path, text: &file.text, code, live }
    }

    /// The crate's directory under `crates/`, or `xtask`.
    pub(super) fn package(&self) -> &str {
        self.path.strip_prefix("crates/").unwrap_or(self.path).split('/').next().unwrap_or_default()
    }

    /// Whether it is part of what its crate builds, not of its tests, benches or build script.
    pub(super) fn in_src(&self) -> bool {
        self.path.contains("/src/")
    }

    pub(super) fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }
}

/// The line on which a part of a text starts.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

/// Whether `word` stands at `offset` and not inside a longer word.
pub(super) fn is_word(text: &str, offset: usize, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    let (before, from) = text.split_at(offset);
    let after = from.get(word.len()..).unwrap_or_default();
    let starts = !word.starts_with(part) || !before.ends_with(part);
    starts && (!word.ends_with(part) || !after.starts_with(part))
}

/// The length of the bracketed text that `text` starts with, both brackets included.
pub(super) fn bracketed_len(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, character) in text.char_indices() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(offset + character.len_utf8());
        }
    }
    None
}

fn is_test(path: &str, code: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs") || code.trim_start().starts_with("#![cfg(test)]")
}

fn without_tests(code: &str) -> String {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    let mut live = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(offset) = rest.find(ATTRIBUTE) {
        let (before, item) = rest.split_at(offset);
        let (item, after) = item.split_at(item_len(item));
        live.push_str(before);
        live.push_str(&blank(item));
        rest = after;
    }
    live + rest
}

/// An item ends with its first `;` or block outside all brackets.
fn item_len(item: &str) -> usize {
    let mut depth = 0_i32;
    for (offset, character) in item.char_indices() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth -= 1,
            '}' => {
                depth -= 1;
                if depth <= 0 {
                    return offset + 1;
                }
            }
            ';' if depth == 0 => return offset + 1,
            _ => {}
        }
    }
    item.len()
}

fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let opaque = opaque_len(rest);
        let (part, after) = rest.split_at(opaque.unwrap_or(character.len_utf8()));
        if opaque.is_some() {
            code.push_str(&blank(part));
        } else {
            code.push(character);
        }
        rest = after;
    }
    code
}

/// As many lines, with nothing in them. Columns keep their bytes, so that offsets fit all views.
fn blank(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

/// The length of the comment, string or character that `rest` starts with.
fn opaque_len(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment_len(rest));
    }
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let (fence, quoted) = raw.split_at(hashes);
        let body = quoted.strip_prefix('"')?;
        let end = format!("\"{fence}");
        return Some(body.find(&end).map_or(rest.len(), |at| 2 + hashes + at + end.len()));
    }
    if let Some(body) = rest.strip_prefix('"') {
        return Some(1 + quoted_len(body, '"'));
    }
    // A lifetime has no closing quote after its first character.
    let body = rest.strip_prefix('\'')?;
    let mut characters = body.chars();
    match (characters.next()?, characters.next()) {
        ('\\', _) | (_, Some('\'')) => Some(1 + quoted_len(body, '\'')),
        _ => None,
    }
}

/// The length up to and with the closing quote.
fn quoted_len(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (offset, character) in body.char_indices() {
        if character == quote && !escaped {
            return offset + 1;
        }
        escaped = character == '\\' && !escaped;
    }
    body.len()
}

fn block_comment_len(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut rest = text;
    loop {
        if let Some(inner) = rest.strip_prefix("/*") {
            depth += 1;
            rest = inner;
        } else if let Some(outer) = rest.strip_prefix("*/") {
            depth -= 1;
            rest = outer;
        } else {
            let mut characters = rest.chars();
            characters.next();
            rest = characters.as_str();
        }
        if depth == 0 || rest.is_empty() {
            return text.len() - rest.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squeezed(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        let text = r##"a /* b /* c */ d */ "e \" f" r#"g " h"# 'i' '\'' b"j" k // l
            'm: n 'o' "ü" p"##;
        assert_eq!(squeezed(&code_only(text)), "a b k 'm: n p");
        assert_eq!(code_only(text).len(), text.len());
    }

    #[test]
    fn an_item_under_cfg_test_is_not_live() {
        let code = "fn a() {}\n#[cfg(test)]\nfn b(x: [u8; 2]) { { } }\nfn c() {}\n#[cfg(test)]\nuse d;\nfn e() {}";
        assert_eq!(squeezed(&without_tests(code)), "fn a() {} fn c() {} fn e() {}");
        assert_eq!(line_at(&without_tests(code), code.find("fn e").unwrap()), 7);
    }

    #[test]
    fn a_file_of_tests_is_not_live() {
        for path in ["crates/core/tests/it/main.rs", "crates/core/src/window/tests.rs"] {
            assert_eq!(Source::new(&Text::sample(path, "fn a() {}")).live.trim(), "");
        }
        assert_eq!(Source::new(&Text::sample("crates/core/src/a.rs", "#![cfg(test)]\nfn a() {}")).live.trim(), "");
    }

    #[test]
    fn a_word_is_not_part_of_another() {
        assert!(is_word("a::b()", 0, "a::b"));
        assert!(!is_word("xa::b()", 1, "a::b"));
        assert!(!is_word("a::bc()", 0, "a::b"));
        assert!(is_word("x.route(y", 1, ".route("));
    }
}
