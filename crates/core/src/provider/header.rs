//! Extra headers: what every request to a provider gets besides what Keyward itself sends.

use std::collections::BTreeMap;

use crate::invalid::{Invalid, Pointer};
use crate::patch::Patch;
use crate::secret::{SecretDraft, SecretSource};

/// Headers that Keyward sets itself, and those that belong to one connection. Compressed answers could not be metered.
const OWN: [&str; 16] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The most headers, the longest name, the longest value.
const MOST: usize = 32;
const LONGEST_NAME: usize = 128;
const LONGEST_VALUE: usize = 4096;

/// What requests make of the headers that are shown as `before`. Names are kept in small letters.
pub(super) fn edit(
    given: Patch<BTreeMap<String, SecretSource>>,
    before: &BTreeMap<String, String>,
    at: &Pointer,
) -> Result<BTreeMap<String, SecretDraft>, Invalid> {
    let given = match given {
        Patch::Absent => return Ok(before.keys().map(|name| (name.clone(), SecretDraft::Keep)).collect()),
        Patch::Null => return Ok(BTreeMap::new()),
        Patch::Value(given) => given,
    };
    if given.len() > MOST {
        return Err(Invalid::at(at.clone(), format!("extra_headers has more than {MOST} headers")));
    }
    let mut headers = BTreeMap::new();
    for (written, source) in given {
        let at = at.member(&written);
        let name = written.to_ascii_lowercase();
        check(&name, &source, &at)?;
        let draft = source.replacing(before.get(&name).map(String::as_str), &at)?;
        if headers.insert(name, draft).is_some() {
            return Err(Invalid::at(at, format!("the header {written} is there twice")));
        }
    }
    Ok(headers)
}

fn check(name: &str, source: &SecretSource, at: &Pointer) -> Result<(), Invalid> {
    let refuse = |message: String| Err(Invalid::at(at.clone(), message));
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_token) {
        return refuse("this is no name of a header".to_owned());
    }
    if OWN.contains(&name) {
        return refuse(format!("the header {name} cannot be set: it belongs to Keyward or to the connection"));
    }
    let is_sendable = |text: &String| {
        !text.is_empty() && text.len() <= LONGEST_VALUE && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
    };
    match source {
        SecretSource::Literal(text) if is_sendable(text) => Ok(()),
        SecretSource::Literal(_) => refuse(format!("a header has 1 to {LONGEST_VALUE} visible ASCII characters")),
        SecretSource::Environment(variable) if variable.is_empty() => {
            refuse("the header names no environment variable".to_owned())
        }
        SecretSource::Environment(_) => Ok(()),
    }
}

/// Parts of names whose headers carry secrets.
const SECRET_NAMES: [&str; 9] =
    ["auth", "key", "token", "secret", "password", "credential", "cookie", "signature", "session"];
/// How values begin that are secrets.
const SECRET_VALUES: [&str; 4] = ["bearer ", "basic ", "sk-", "eyj"];

/// True when the header looks like a secret, by its name or by its value.
#[must_use]
pub fn looks_secret(name: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part)) || SECRET_VALUES.iter().any(|start| value.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(json: &str, before: &[(&str, &str)]) -> Result<BTreeMap<String, SecretDraft>, Invalid> {
        let before = before.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        edit(serde_json::from_str(json).unwrap(), &before, &Pointer::from("extra_headers"))
    }

    #[test]
    fn headers_that_are_not_the_administrators_are_refused() {
        for name in OWN.iter().chain(&["Authorization", "HOST", "", "a b", "a:b", "é"]) {
            let error = edited(&format!(r#"{{"{name}":"x"}}"#), &[]).unwrap_err();
            assert_eq!(error.pointer.to_string(), format!("/extra_headers/{name}"));
        }
        for value in ["", "a\\nb", "\\u007f", "é"] {
            assert!(edited(&format!(r#"{{"x-team":"{value}"}}"#), &[]).is_err(), "{value}");
        }
        assert!(edited(r#"{"X-Team":"a","x-team":"b"}"#, &[]).is_err(), "twice");
    }

    #[test]
    fn a_header_sent_back_as_it_is_shown_stays() {
        let before = [("x-api-key", "fake************************7890"), ("x-team", "red")];
        let headers = edited(r#"{"X-Api-Key":"fake************************7890","x-team":"blue"}"#, &before).unwrap();
        let new = SecretDraft::Set(SecretSource::from_text("blue"));
        assert_eq!(headers["x-api-key"], SecretDraft::Keep);
        assert_eq!(headers["x-team"], new);
        assert!(edited(r#"{"x-team":"fake************************7890"}"#, &before).is_err(), "another's");
        assert_eq!(edited("null", &before).unwrap(), BTreeMap::new());
    }

    #[test]
    fn secrets_are_known_by_name_or_value() {
        assert!(looks_secret("x-api-key", "a") && looks_secret("x-trace", "Bearer a"));
        assert!(!looks_secret("x-team", "red") && !looks_secret("openai-organization", "org-1"));
    }
}
