//! Reading with everything that is wrong told at once: what does not fit is noted, taken out, and the rest is read on.

use keyward_core::invalid::{Invalid, Pointer};
use keyward_core::secret::SecretSource;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::environment;
use super::Problem;
use super::node::Node;
use crate::api::is_servers_own;
use crate::body::refuse_lists;
use crate::json::parse;

/// The longest id, in bytes.
const LONGEST_ID: usize = 256;

/// What was found while reading.
#[derive(Default)]
pub(in super::super) struct Reader {
    /// What is wrong.
    pub(super) errors: Vec<Problem>,
    /// What the file refers to and does not have: the database may.
    pub(super) dangling: Vec<Problem>,
    /// Variables of the environment that are not set.
    pub(super) unset: Vec<Problem>,
    /// What is accepted and worth knowing.
    pub(super) warnings: Vec<Problem>,
}

impl Reader {
    pub(in super::super) fn error(&mut self, at: &Pointer, message: impl Into<String>) {
        self.errors.push(Problem::new(at, message));
    }

    pub(super) fn warn(&mut self, at: &Pointer, message: impl Into<String>) {
        self.warnings.push(Problem::new(at, message));
    }

    pub(super) fn note<T>(&mut self, result: Result<T, Invalid>) -> Option<T> {
        result.map_err(|invalid| self.errors.push(Problem::new(&invalid.pointer, invalid.message))).ok()
    }

    /// Reads a node that stands at `at`; none when something is wrong with it.
    pub(super) fn typed<T: DeserializeOwned + Serialize>(&mut self, mut node: Node, at: &Pointer) -> Option<T> {
        let mut is_whole = true;
        loop {
            let text = serde_json::to_vec(&node).unwrap_or_default();
            let read = parse::<T>(&text).and_then(|read| {
                refuse_lists(&parse(&text)?, &read)?;
                Ok(read)
            });
            let error = match read {
                Ok(read) => return is_whole.then_some(read),
                Err(error) => error.body("").error,
            };
            is_whole = false;
            let inner = Pointer::written(&error.param);
            self.error(&at.join(&inner), error.message);
            node.remove(&inner)?;
        }
    }

    /// Takes a member that is a text.
    pub(super) fn text(&mut self, node: &mut Node, name: &str, at: &Pointer) -> Option<String> {
        let member = node.take(name)?;
        let text = member.text();
        if text.is_none() {
            self.error(&at.member(name), "invalid type: expected a string");
        }
        text.filter(|text| !text.is_empty())
    }

    /// Takes a member that is a text and has to be there.
    pub(super) fn required(&mut self, node: &mut Node, name: &str, at: &Pointer) -> Option<String> {
        let before = self.errors.len();
        let text = self.text(node, name, at);
        if text.is_none() && self.errors.len() == before {
            self.error(&at.member(name), format!("{name} is required"));
        }
        text
    }

    /// Takes the id of an entity: any text that a database can look for.
    pub(super) fn id(&mut self, node: &mut Node, at: &Pointer) -> Option<String> {
        let id = self.required(node, "id", at)?;
        if id.len() > LONGEST_ID || id.chars().any(char::is_control) {
            self.error(&at.member("id"), format!("an id has at most {LONGEST_ID} bytes and no control characters"));
            return None;
        }
        Some(id)
    }

    /// Takes a section that is a list.
    pub(super) fn list(&mut self, node: &mut Node, name: &str, at: &Pointer) -> Option<Vec<(Pointer, Node)>> {
        let at = at.member(name);
        match node.take(name)? {
            Node::List(elements) => {
                let placed = elements.into_iter().enumerate().map(|(index, node)| (at.element(index), node));
                Some(placed.collect())
            }
            Node::Object(_) | Node::Leaf(_) => {
                self.error(&at, "invalid type: expected a list");
                None
            }
        }
    }

    /// A variable that the file names for others than the server itself.
    pub(super) fn variable(&mut self, at: &Pointer, name: &str) {
        if name.is_empty() {
            self.error(at, "it names no environment variable");
        } else if is_servers_own(name) {
            self.error(at, format!("environment variable {name} is the server's own"));
        } else if environment(name).is_none() {
            self.unset.push(unset(at, name));
        }
    }

    /// The text of a value of the file, or of the variable that it names; none when there is none.
    pub(in super::super) fn resolved(&mut self, source: SecretSource, at: &Pointer) -> Option<secrecy::SecretString> {
        match source {
            SecretSource::Literal(text) => Some(text.into()),
            SecretSource::Environment(name) => {
                let found = environment(&name);
                if found.is_none() {
                    self.unset.push(unset(at, &name));
                }
                found
            }
        }
    }
}

fn unset(at: &Pointer, name: &str) -> Problem {
    Problem::new(at, format!("it names the environment variable {name}, which is not set"))
}
