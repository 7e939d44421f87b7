//! What is another one in every run (ids, secrets, instants), and what stands for it in the examples.

use std::collections::HashMap;

use serde_json::{Map, Value};
use uuid::Uuid;

/// Both ways between a run and the examples.
#[derive(Default)]
pub struct StandIns {
    of_real: HashMap<String, String>,
    real: HashMap<String, String>,
    /// The secret of a virtual key that was seen last.
    virtual_key: String,
}

/// What is another one in every run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An id or a secret, which is the same one wherever it stands.
    Name(usize),
    /// An instant, a hash, an address, a redacted secret: whichever it is.
    Any(usize),
}

fn kind(text: &str) -> Option<Kind> {
    let is_uuid = |text: &str| text.len() == 36 && text.parse::<Uuid>().is_ok();
    let is_digest = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_redacted = text.contains(&"*".repeat(24));
    let port = text.strip_prefix("http://127.0.0.1:");
    match () {
        () if is_uuid(text) => Some(Kind::Name(0)),
        () if text.strip_prefix("sk-bf-").is_some_and(is_uuid) => Some(Kind::Name(1)),
        () if text.starts_with("sk-kw-") => Some(Kind::Name(2)),
        () if text.parse::<jiff::Timestamp>().is_ok() => Some(Kind::Any(0)),
        () if is_digest(text) => Some(Kind::Any(1)),
        () if port.is_some_and(|port| port.parse::<u16>().is_ok()) => Some(Kind::Any(2)),
        () if is_redacted => Some(Kind::Any(3)),
        () => None,
    }
}

impl StandIns {
    /// A text of an example with what it stands for in this run.
    pub fn real(&self, text: &str) -> String {
        self.real.iter().fold(text.to_owned(), |text, (documented, real)| text.replace(documented, real))
    }

    /// Calls are made with this secret until an answer has another one.
    pub fn calls_with(&mut self, secret: &str) {
        secret.clone_into(&mut self.virtual_key);
    }

    /// The secret that calls are made with.
    pub fn virtual_key(&self) -> String {
        self.virtual_key.clone()
    }

    /// Finds out what the ids and secrets of an example stand for.
    pub fn learn(&mut self, documented: &Value, real: &Value) {
        match real {
            Value::String(real) => {
                let shown = documented.as_str().filter(|text| matches!(kind(text), Some(Kind::Name(_))));
                if let Some(shown) = shown.filter(|text| kind(text) == kind(real)) {
                    self.pair(shown, real);
                }
            }
            Value::Array(real) => {
                real.iter().enumerate().for_each(|(index, real)| self.learn(&documented[index], real))
            }
            Value::Object(real) => real.iter().for_each(|(name, real)| self.learn(&documented[name], real)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn pair(&mut self, shown: &str, real: &str) {
        if !self.of_real.contains_key(real) && !self.real.contains_key(shown) {
            self.of_real.insert(real.to_owned(), shown.to_owned());
            self.real.insert(shown.to_owned(), real.to_owned());
        }
    }

    /// What an example has to say for an answer: the answer, with stand-ins for what is another one in every run. Those that
    /// `documented` has are kept.
    pub fn stand_in(&mut self, documented: &Value, real: &Value) -> Value {
        match real {
            Value::String(real) => Value::String(self.text(documented.as_str(), real)),
            Value::Array(real) => {
                let each = real.iter().enumerate().map(|(index, real)| self.stand_in(&documented[index], real));
                Value::Array(each.collect())
            }
            Value::Object(real) => {
                let mut members = Map::new();
                for (name, real) in real {
                    let shown = self.text(None, name);
                    members.insert(shown.clone(), self.stand_in(&documented[&shown], real));
                }
                Value::Object(members)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => real.clone(),
        }
    }

    fn text(&mut self, documented: Option<&str>, real: &str) -> String {
        let Some(found) = kind(real) else { return real.to_owned() };
        let of_its_kind = documented.filter(|text| kind(text) == Some(found));
        if matches!(found, Kind::Any(_)) {
            return of_its_kind.unwrap_or(real).to_owned();
        }
        if found == Kind::Name(1) {
            real.clone_into(&mut self.virtual_key);
        }
        if !self.of_real.contains_key(real) {
            self.pair(real, real);
        }
        self.of_real.get(real).map_or(real, String::as_str).to_owned()
    }
}
