//! Texts that a careless page would run, or be bent by. What people name things is text, and nothing else.

/// What a script among them would leave behind in the page: a page is safe when it has no such member of `window`.
pub const TRACE: &str = "hostileTextRan";

/// Would run as an element.
pub const SCRIPT: &str = "<script>window.hostileTextRan = 1</script>";
/// Would end an attribute, and run as an element.
pub const IMAGE: &str = r#""><img src=x onerror="window.hostileTextRan = 1">"#;
/// Would end an attribute in single quotes.
pub const QUOTES: &str = "'onmouseover='window.hostileTextRan=1' \"O'Brien & Søn\" \\";
/// Would end a script that has it as a text.
pub const END_OF_SCRIPT: &str = "</script><svg onload=window.hostileTextRan=1>";
/// Would be a formula in a table.
pub const FORMULA: &str = "=HYPERLINK(\"https://evil.example\",\"open\")";
/// Turns what follows it around.
pub const TURNED: &str = "invoice\u{202e}gpj.exe";
/// Is a link that runs.
pub const LINK: &str = "javascript:window.hostileTextRan=1";
/// Is a template, in several languages.
pub const TEMPLATE: &str = "{{constructor.constructor('window.hostileTextRan=1')()}} ${7*7} <%= 7 %>";

/// All of them.
pub const ALL: [&str; 8] = [SCRIPT, IMAGE, QUOTES, END_OF_SCRIPT, FORMULA, TURNED, LINK, TEMPLATE];

/// A name as long as names may be, without a place to break it.
#[must_use]
pub fn endless() -> String {
    "Donaudampfschifffahrtsgesellschaft".repeat(8).chars().take(256).collect()
}
