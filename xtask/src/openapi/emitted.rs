//! What the binary prints, laid out for people, and where it differs from what is committed.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{output, root};

/// The document as the binary prints it, in its own order, ending in one newline.
pub(super) fn emit(binary: &Path, name: &str) -> Result<String> {
    let text = output(Command::new(binary).current_dir(root()).args(["openapi", name]))?;
    serde_json::from_str::<Value>(&text).with_context(|| format!("`keyward openapi {name}` printed no JSON"))?;
    Ok(pretty(&text))
}

/// Indents JSON by two spaces without touching its order or its literals.
fn pretty(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut characters = json.chars().peekable();
    while let Some(character) = characters.next() {
        if quoted {
            text.push(character);
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            '{' | '[' => {
                text.push(character);
                while characters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(close) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(close);
                } else {
                    depth += 1;
                    new_line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut text, depth);
                text.push(character);
            }
            ',' => {
                text.push(character);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ if character.is_ascii_whitespace() => {}
            _ => {
                quoted = character == '"';
                text.push(character);
            }
        }
    }
    text.push('\n');
    text
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

/// What is wrong with the committed text, if anything is.
pub(super) fn difference(committed: Option<&str>, emitted: &str) -> Option<String> {
    let Some(committed) = committed else { return Some("does not exist".to_owned()) };
    if committed == emitted {
        return None;
    }
    let (Ok(old), Ok(new)) = (serde_json::from_str::<Value>(committed), serde_json::from_str::<Value>(emitted)) else {
        return Some("is not JSON".to_owned());
    };
    Some(match first_difference("", &old, &new) {
        Some(pointer) => format!("differs from what the binary declares, first at {pointer:?}"),
        None => "differs from what the binary declares in order or layout only".to_owned(),
    })
}

/// The JSON pointer of the first place where two documents differ.
fn first_difference(at: &str, old: &Value, new: &Value) -> Option<String> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
            names.into_iter().find_map(|name| {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                first_difference_of(&at, old.get(name), new.get(name))
            })
        }
        (Value::Array(old), Value::Array(new)) => (0..old.len().max(new.len()))
            .find_map(|index| first_difference_of(&format!("{at}/{index}"), old.get(index), new.get(index))),
        (old, new) => (old != new).then(|| at.to_owned()),
    }
}

fn first_difference_of(at: &str, old: Option<&Value>, new: Option<&Value>) -> Option<String> {
    match (old, new) {
        (Some(old), Some(new)) => first_difference(at, old, new),
        _ => Some(at.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pretty_changes_nothing_but_white_space() {
        let compact = r#"{"b":[1,{"a":"x, \"y\": {\\"}],"a":{},"c":[],"d":-1.50e3}"#;
        let expected = "{\n  \"b\": [\n    1,\n    {\n      \"a\": \"x, \\\"y\\\": {\\\\\"\n    }\n  ],\n  \
                        \"a\": {},\n  \"c\": [],\n  \"d\": -1.50e3\n}\n";
        assert_eq!(pretty(compact), expected);
        assert_eq!(pretty(expected), expected);
    }

    #[test]
    fn a_difference_is_named_by_its_pointer() {
        let at = |old: &str, new: &str| difference(Some(old), new).unwrap();
        assert!(
            at(r#"{"paths":{"/a/{b}":{"get":1}}}"#, r#"{"paths":{"/a/{b}":{"get":2}}}"#)
                .contains("/paths/~1a~1{b}/get")
        );
        assert!(at("[1,2]", "[1,2,3]").contains("/2"));
        assert!(at(r#"{"a":1}"#, r#"{"b":1}"#).contains("/a"));
        assert!(at(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#).contains("order"));
        assert!(difference(None, "{}").unwrap().contains("not exist"));
        assert_eq!(difference(Some("{}"), "{}"), None);
    }
}
