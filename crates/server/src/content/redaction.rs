//! Redaction: what is left of a body in the log. Credentials are recognised by how they begin, by the member that has them, or
//! because they are configured here; runs of base64 are media, and only their length is of interest.

use std::borrow::Cow;
use std::str::CharIndices;

use zeroize::Zeroizing;

/// Stands for a credential.
const REDACTED: &str = "[redacted]";
/// How much of a body is looked at.
const WINDOW: usize = 1024 * 1024;
/// What is not shown of the end of a window: a credential that was cut is not recognised.
const TAIL: usize = 8 * 1024;
/// From this length on a run of base64 is media, wherever it stands.
const MEDIA: usize = 512;
/// From this length on it is, behind `;base64,`.
const DATA_URL: usize = 24;
/// The shortest credential that is recognised by how it begins.
const CREDENTIAL: usize = 16;
/// The shortest one that is configured here and looked for: a shorter one would be found everywhere.
const CONFIGURED: usize = 6;

/// How credentials begin: Keyward's, and those of providers and of what is around them.
const BEGINNINGS: [&str; 25] = [
    "sk-",
    "sk_",
    "pk-",
    "rk-",
    "gsk_",
    "csk-",
    "xai-",
    "pplx-",
    "hf_",
    "r8_",
    "fw_",
    "tgp_",
    "nvapi-",
    "AIza",
    "ya29.",
    "AKIA",
    "ASIA",
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "whsec_",
    "eyJ",
];
/// Members that have a credential, whatever it looks like.
const MEMBERS: [&str; 17] = [
    "authorization",
    "proxy-authorization",
    "api_key",
    "api-key",
    "apikey",
    "x-api-key",
    "x-goog-api-key",
    "x-bf-vk",
    "password",
    "client_secret",
    "secret",
    "secret_key",
    "access_token",
    "refresh_token",
    "id_token",
    "private_key",
    "cookie",
];

/// Credentials that are configured here.
#[derive(Default)]
pub(super) struct Concealed(Vec<Zeroizing<String>>);

impl Concealed {
    pub(super) fn add(&mut self, secret: &str) {
        if secret.len() >= CONFIGURED {
            self.0.push(Zeroizing::new(secret.to_owned()));
        }
    }

    fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), REDACTED) } else { text }
        })
    }
}

/// What is shown of a body of which `length` bytes came: at most `max` bytes, and how much is missing.
pub(super) fn excerpt(body: &[u8], length: usize, max: usize, concealed: &Concealed) -> String {
    let window = body.get(..WINDOW).unwrap_or(body);
    let hidden = concealed.hide(&String::from_utf8_lossy(window));
    let mut text = without_credentials(&without_media(&hidden));
    let mut is_whole = true;
    if window.len() < length {
        is_whole = false;
        let sure = text.len().saturating_sub(TAIL);
        cut(&mut text, sure);
    }
    if text.len() > max {
        is_whole = false;
        cut(&mut text, max);
    }
    if !is_whole {
        text.push_str(&format!("… [cut: the whole has {length} bytes]"));
    }
    text
}

/// Shortens a text to so many bytes, or a few less where a character would be cut.
fn cut(text: &mut String, to: usize) {
    let at = (0..=to.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.truncate(at.unwrap_or_default());
}

/// Puts the length of each run of base64 in its place.
fn without_media(text: &str) -> String {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '_' | '-' | '=');
    let mut kept = String::with_capacity(text.len().min(64 * 1024));
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.find(|c: char| !is_base64(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(run);
        let least = if kept.ends_with(";base64,") { DATA_URL } else { MEDIA };
        if word.len() >= least {
            kept.push_str(&format!("[{} characters of base64]", word.len()));
        } else {
            kept.push_str(word);
        }
        let next = behind.find(is_base64).unwrap_or(behind.len());
        let (between, behind) = behind.split_at(next);
        kept.push_str(between);
        rest = behind;
    }
    kept
}

/// The text with everything taken out that looks like a credential.
pub(crate) fn without_credentials(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    // The word before, in lower case, and what stands between it and the next.
    let mut before = String::new();
    while !rest.is_empty() {
        if let Some((lead, value)) = value_of(&before, rest) {
            kept.push_str(lead);
            kept.push_str(REDACTED);
            before.clear();
            rest = rest.get(lead.len() + value.len()..).unwrap_or_default();
        }
        let (gap, behind) = gap_of(rest);
        kept.push_str(gap);
        let end = behind.find(|c: char| !is_of_word(c)).unwrap_or(behind.len());
        let (word, behind) = behind.split_at(end);
        let is_token = before == "bearer" && word.len() >= 8 && gap.trim().is_empty();
        kept.push_str(&if is_token { Cow::Borrowed(REDACTED) } else { shown(word) });
        before = word.to_ascii_lowercase();
        rest = behind;
    }
    kept
}

const fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// What stands before the next word. An escape such as `\n` is no part of a word.
fn gap_of(text: &str) -> (&str, &str) {
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some((_, 'u')) => characters = behind_hex(characters),
                Some(_) => {}
                None => break,
            },
            c if is_of_word(c) => return text.split_at(at),
            _ => {}
        }
    }
    (text, "")
}

/// What comes behind the digits of an escaped character.
fn behind_hex(mut characters: CharIndices<'_>) -> CharIndices<'_> {
    for _ in 0..4 {
        let mut ahead = characters.clone();
        if !ahead.next().is_some_and(|(_, c)| c.is_ascii_hexdigit()) {
            break;
        }
        characters = ahead;
    }
    characters
}

/// The value of a member that has a credential, and what stands between the two; none: the member before has none.
fn value_of<'a>(member: &str, rest: &'a str) -> Option<(&'a str, &'a str)> {
    if !MEMBERS.contains(&member) {
        return None;
    }
    let value = rest.trim_start_matches([' ', ':', '=', '"', '\'', '\\']);
    let (lead, _) = rest.split_at(rest.len() - value.len());
    if value.is_empty() || value.starts_with(['{', '[']) || !lead.contains([':', '=']) {
        return None;
    }
    let is_quoted = lead.ends_with(['"', '\'']);
    let ends =
        |c: char| matches!(c, '"' | '\'' | '\\' | '\n') || !is_quoted && matches!(c, ' ' | ',' | '}' | ']' | '&');
    let is_scheme = |scheme: &&str| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let scheme = ["bearer ", "basic "].into_iter().find(is_scheme).map_or(0, str::len);
    let secret = value.get(scheme..).unwrap_or_default();
    let end = secret.find(ends).unwrap_or(secret.len());
    Some((lead, value.get(..scheme + end)?))
}

/// A word, or what is left of it when a credential is in it.
fn shown(word: &str) -> Cow<'_, str> {
    let begins = |at: usize| {
        let is_inside =
            at.checked_sub(1).and_then(|before| word.as_bytes().get(before)).is_some_and(u8::is_ascii_alphanumeric);
        let rest = word.get(at..).unwrap_or_default();
        !is_inside && rest.len() >= CREDENTIAL && BEGINNINGS.iter().any(|beginning| rest.starts_with(beginning))
    };
    match (0..word.len()).find(|at| begins(*at)) {
        Some(at) => Cow::Owned(format!("{}{REDACTED}", word.get(..at).unwrap_or_default())),
        None => Cow::Borrowed(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAKE: &str = "sk-bf-00000000-fake-fake-fake-000000000000";

    fn shown_of(body: &str) -> String {
        excerpt(body.as_bytes(), body.len(), 16 * 1024, &Concealed::default())
    }

    #[test]
    fn credentials_are_taken_out_wherever_they_stand() {
        for (body, expected) in [
            (format!("my key is {FAKE}."), "my key is [redacted]".to_owned()),
            (format!(r#"{{"content":"use\n{FAKE}\nplease"}}"#), r#"{"content":"use\n[redacted]\nplease"}"#.to_owned()),
            (format!("https://example.test/?key={FAKE}&a=b"), "https://example.test/?key=[redacted]&a=b".to_owned()),
            ("Authorization: Bearer fake/abcdefgh".to_owned(), "Authorization: [redacted]".to_owned()),
            (r#"{"password":"/fake","b":{}}"#.to_owned(), r#"{"password":"[redacted]","b":{}}"#.to_owned()),
            (r#""a bearer fake-token-1234 b""#.to_owned(), r#""a bearer [redacted] b""#.to_owned()),
            (
                r#"{"authorization":"Bearer fake/abc","b":1}"#.to_owned(),
                r#"{"authorization":"[redacted]","b":1}"#.to_owned(),
            ),
            (r#"{"x":"{\"api_key\": \"fake\"}"}"#.to_owned(), r#"{"x":"{\"api_key\": \"[redacted]\"}"}"#.to_owned()),
            ("password=fake&user=a".to_owned(), "password=[redacted]&user=a".to_owned()),
            (r#"{"t":"\u00e9sk-fake0000000000000"}"#.to_owned(), r#"{"t":"\u00e9[redacted]"}"#.to_owned()),
        ] {
            assert_eq!(shown_of(&body), expected, "{body}");
        }
    }

    #[test]
    fn what_is_no_credential_stays() {
        for body in [
            r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"the bearer of risk-free news, e.g. sk-1"}]}"#,
            r#"{"logprobs":{"content":[{"token":"Hi","secretary":"none"}]},"max_tokens":5}"#,
            "ünïcödé \\ and \\u12",
            "",
        ] {
            assert_eq!(shown_of(body), body);
        }
    }

    #[test]
    fn what_is_configured_is_hidden_also_where_it_looks_like_nothing() {
        let mut concealed = Concealed::default();
        concealed.add("correct horse");
        concealed.add("short");
        let body = "a correct horse and a short one";
        let text = excerpt(body.as_bytes(), body.len(), 1024, &concealed);
        assert_eq!(text, "a [redacted] and a short one");
    }

    #[test]
    fn media_is_told_by_its_length() {
        let image = format!("data:image/png;base64,{}", "iVBORw0K".repeat(4));
        assert_eq!(shown_of(&image), "data:image/png;base64,[32 characters of base64]");
        let sound = format!(r#"{{"data":"{}=="}}"#, "A".repeat(600));
        assert_eq!(shown_of(&sound), r#"{"data":"[602 characters of base64]"}"#);
    }

    #[test]
    fn a_cut_is_visible_and_never_lets_a_half_of_a_credential_through() {
        let cap = |body: &str, max| excerpt(body.as_bytes(), body.len(), max, &Concealed::default());
        assert_eq!(cap("äöü", 3), "ä… [cut: the whole has 6 bytes]");
        let body = format!("{} {FAKE}", "a".repeat(100));
        for max in 100..body.len() {
            assert!(!cap(&body, max).contains("sk-"), "{max}");
        }
        let long = format!("{} {FAKE}", "b ".repeat(WINDOW / 2 - 10));
        let text = cap(&long, 2 * WINDOW);
        assert!(text.contains("[cut: ") && !text.contains("sk-b"));
    }
}
