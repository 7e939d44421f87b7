//! Words that must not stand in some places.

use super::source::{Source, is_word, line_at};
use super::{Failure, Text};

struct Ban {
    words: &'static [&'static str],
    applies: fn(&Source<'_>) -> bool,
    reason: &'static str,
}

const BANS: [Ban; 5] = [
    Ban {
        words: &["Timestamp::now", "Zoned::now", "SystemTime", "Instant::now"],
        applies: is_pure,
        reason: "core and engine have no clock: time is passed in, so that a test can choose it",
    },
    Ban {
        words: &["std::env", "env::var", "env::var_os"],
        applies: is_pure,
        reason: "core and engine read no environment: the server's configuration passes settings in",
    },
    Ban {
        words: &["Timestamp::now", "Zoned::now", "SystemTime::now"],
        applies: |source| source.package() != "xtask" && source.file_name() != "clock.rs" && !is_pure(source),
        reason: "the clock is read in clock.rs only: everything else is told the time",
    },
    Ban {
        words: &[".route(", "web::resource"],
        applies: |source| source.path.starts_with("crates/server/src/"),
        reason: "it bypasses the OpenAPI collection: register handlers with .service()",
    },
    Ban {
        words: &["anyhow"],
        applies: |source| {
            !["bench", "showcase", "xtask"].contains(&source.package())
                && source.in_src()
                && source.file_name() != "main.rs"
        },
        reason: "anyhow stays in main.rs, bench, showcase, xtask and tests: elsewhere an error is an enum that its caller can match",
    },
];

/// What someone left for later. Written in parts, since this file is checked too.
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// The words that are banned from code outside tests.
pub(super) fn check(source: &Source<'_>) -> Vec<Failure> {
    let mut failures = Vec::new();
    for ban in BANS.iter().filter(|ban| (ban.applies)(source)) {
        for word in ban.words {
            let found = lines_with(&source.live, word).into_iter();
            failures.extend(found.map(|line| Failure::new(source.path, line, format!("`{word}`: {}", ban.reason))));
        }
    }
    failures.dedup_by(|a, b| a.line == b.line);
    failures
}

/// Marks of unfinished work, in code and comments of every language but prose.
pub(super) fn check_marks(file: &Text) -> Vec<Failure> {
    if file.path.ends_with(".md") || file.path == "LICENSE" {
        return Vec::new();
    }
    let found = MARKS.iter().flat_map(|mark| lines_with(&file.text, mark).into_iter().map(move |line| (line, mark)));
    let reason = "do it now, or write down elsewhere what is next: a mark in the code is read by nobody";
    found.map(|(line, mark)| Failure::new(&file.path, line, format!("`{mark}`: {reason}"))).collect()
}

fn is_pure(source: &Source<'_>) -> bool {
    matches!(source.package(), "core" | "engine") && source.in_src()
}

fn lines_with(text: &str, word: &str) -> Vec<usize> {
    let found = text.match_indices(word).filter(|&(offset, _)| is_word(text, offset, word));
    found.map(|(offset, _)| line_at(text, offset)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<Option<usize>> {
        check(&Source::new(&Text::sample(path, text))).into_iter().map(|failure| failure.line).collect()
    }

    #[test]
    fn core_and_engine_have_no_clock_and_no_environment() {
        let text = "fn a() {\n Timestamp::now();\n jiff::Zoned::now();\n x(SystemTime);\n std::env::var(\"A\");\n Instant::now(); }";
        assert_eq!(lines("crates/core/src/a.rs", text).len(), 5);
        assert_eq!(lines("crates/engine/src/clock.rs", text).len(), 5);
        assert_eq!(lines("crates/engine/tests/it/main.rs", text), []);
    }

    #[test]
    fn only_clock_rs_reads_the_clock() {
        let text = "fn a() {}\nfn b() { SystemTime::now() }\n#[cfg(test)]\nmod tests { fn c() { Timestamp::now() } }";
        assert_eq!(lines("crates/server/src/a.rs", text), [Some(2)]);
        assert_eq!(lines("crates/server/src/clock.rs", text), []);
        assert_eq!(lines("xtask/src/a.rs", text), []);
        assert_eq!(lines("crates/server/src/a.rs", "fn a() { Instant::now() } // Timestamp::now"), []);
    }

    #[test]
    fn the_server_registers_services_only() {
        assert_eq!(lines("crates/server/src/a.rs", "fn a() {\n app\n  .route(\"/\", b)\n}"), [Some(3)]);
        assert_eq!(lines("crates/server/src/a.rs", "fn a() { web::resource(\"/\") }"), [Some(1)]);
        assert_eq!(lines("crates/server/tests/it/main.rs", "fn a() { app.route(b) }"), []);
    }

    #[test]
    fn anyhow_stays_at_the_edges() {
        assert_eq!(lines("crates/store/src/a.rs", "use anyhow::Result;"), [Some(1)]);
        assert_eq!(lines("crates/server/src/main.rs", "use anyhow::Result;"), []);
        assert_eq!(lines("crates/store/tests/it/main.rs", "use anyhow::Result;"), []);
    }

    #[test]
    fn a_mark_is_found_in_comments_too() {
        for mark in MARKS {
            let found = check_marks(&Text::sample("crates/store/migrations/a.sql", &format!("a\n-- {mark}: b")));
            assert_eq!(found.first().and_then(|failure| failure.line), Some(2));
            assert_eq!(check_marks(&Text::sample("a.rs", &format!("//! {mark}S"))), []);
        }
    }
}
