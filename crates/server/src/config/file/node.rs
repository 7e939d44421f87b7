//! JSON as a tree that keeps every literal as it is written: amounts of money are read from their digits.
//!
//! It has no `Debug`: a configuration file may have secrets in it.

use std::collections::BTreeMap;

use keyward_core::invalid::Pointer;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json;

/// The deepest nesting.
const DEPTH: usize = 64;

/// A value of a configuration file.
#[derive(Clone)]
pub(crate) enum Node {
    /// An object, its members in the order of their names.
    Object(BTreeMap<String, Node>),
    /// A list.
    List(Vec<Node>),
    /// Anything else, as it is written.
    Leaf(Box<RawValue>),
}

/// What is wrong with a text, and where.
pub(super) struct NoTree {
    pub(super) at: Pointer,
    pub(super) message: String,
}

impl Node {
    /// Reads JSON text.
    pub(super) fn parse(text: &str) -> Result<Self, NoTree> {
        let whole: &RawValue = serde_json::from_str(text).map_err(|error| invalid(&Pointer::ROOT, &error))?;
        Self::read(whole, &Pointer::ROOT, 0)
    }

    /// What is written of a thing.
    pub(crate) fn of(thing: &impl Serialize) -> Result<Self, serde_json::Error> {
        let text = serde_json::to_string(thing)?;
        Self::parse(&text).map_err(|error| serde::ser::Error::custom(error.message))
    }

    fn read(raw: &RawValue, at: &Pointer, depth: usize) -> Result<Self, NoTree> {
        let text = raw.get();
        if depth > DEPTH {
            return Err(NoTree { at: at.clone(), message: format!("it nests deeper than {DEPTH} levels") });
        }
        match text.as_bytes().first() {
            Some(b'{') => {
                let members = json::members(text.as_bytes(), |_| true).map_err(|error| invalid(at, &error))?;
                let mut object = BTreeMap::new();
                for (name, value) in members {
                    let at = at.member(&name);
                    let node = Self::read(value, &at, depth + 1)?;
                    if object.insert(name, node).is_some() {
                        return Err(NoTree { at, message: "it is there twice".to_owned() });
                    }
                }
                Ok(Self::Object(object))
            }
            Some(b'[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| invalid(at, &error))?;
                let read = |(index, value): (usize, &RawValue)| Self::read(value, &at.element(index), depth + 1);
                Ok(Self::List(elements.into_iter().enumerate().map(read).collect::<Result<_, _>>()?))
            }
            _ => Ok(Self::Leaf(raw.to_owned())),
        }
    }

    /// Takes a member out of an object. Null counts as absent.
    pub(super) fn take(&mut self, name: &str) -> Option<Self> {
        let Self::Object(members) = self else { return None };
        members.remove(name).filter(|node| !node.is_null())
    }

    /// A member of an object.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.get(name)
    }

    /// Sets a member of an object.
    pub(crate) fn set(&mut self, name: &str, node: Self) {
        if let Self::Object(members) = self {
            members.insert(name.to_owned(), node);
        }
    }

    /// Takes out the members of an object that are not to be kept.
    pub(crate) fn keep(&mut self, keep: impl Fn(&str, &Self) -> bool) {
        if let Self::Object(members) = self {
            members.retain(|name, node| keep(name, node));
        }
    }

    /// The member `id`, to sort by.
    pub(crate) fn id(&self) -> Option<String> {
        self.member("id").and_then(Self::text)
    }

    /// The text of a string.
    pub(super) fn text(&self) -> Option<String> {
        let Self::Leaf(raw) = self else { return None };
        serde_json::from_str(raw.get()).ok()
    }

    /// The literal of what is neither an object nor a list.
    pub(super) fn literal(&self) -> Option<&str> {
        let Self::Leaf(raw) = self else { return None };
        Some(raw.get())
    }

    pub(crate) fn is_null(&self) -> bool {
        self.literal() == Some("null")
    }

    pub(super) fn is_empty_list(&self) -> bool {
        matches!(self, Self::List(elements) if elements.is_empty())
    }

    /// The members or elements, each with its name or index.
    pub(crate) fn children_mut(&mut self) -> Vec<(String, &mut Self)> {
        match self {
            Self::Object(members) => members.iter_mut().map(|(name, node)| (name.clone(), node)).collect(),
            Self::List(elements) => {
                elements.iter_mut().enumerate().map(|(index, node)| (index.to_string(), node)).collect()
            }
            Self::Leaf(_) => Vec::new(),
        }
    }

    /// Takes out the member that a pointer points to, if it is there. An element stays: others would lose their places.
    pub(super) fn remove(&mut self, at: &Pointer) -> Option<Self> {
        let steps: Vec<String> = at.steps().collect();
        let (last, way) = steps.split_last()?;
        let mut node = self;
        for step in way {
            node = node.child_mut(step)?;
        }
        match node {
            Self::Object(members) => members.remove(last),
            Self::List(_) | Self::Leaf(_) => None,
        }
    }

    fn child_mut(&mut self, step: &str) -> Option<&mut Self> {
        match self {
            Self::Object(members) => members.get_mut(step),
            Self::List(elements) => elements.get_mut(step.parse::<usize>().ok()?),
            Self::Leaf(_) => None,
        }
    }
}

fn invalid(at: &Pointer, error: &serde_json::Error) -> NoTree {
    NoTree { at: at.clone(), message: format!("Invalid JSON: {error}") }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(members) => serializer.collect_map(members),
            Self::List(elements) => serializer.collect_seq(elements),
            Self::Leaf(raw) => raw.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_stay_as_they_are_written() {
        let text = r#"{"a":[123456789.123456789,1e-12],"b":{"c":"x\u00e9","d":null}}"#;
        let tree = Node::parse(text).ok().unwrap();
        assert_eq!(serde_json::to_string(&tree).unwrap(), text);
        assert_eq!(tree.member("b").and_then(|b| b.member("c")).and_then(Node::text).as_deref(), Some("xé"));
    }

    #[test]
    fn what_nests_too_deep_or_is_there_twice_is_refused_by_its_place() {
        let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
        assert!(Node::parse(&deep).is_err_and(|error| error.message.contains("deeper")));
        let twice = Node::parse(r#"{"a/b":{"c":1,"c":2}}"#).err().unwrap();
        assert_eq!((twice.at.to_string().as_str(), twice.message.as_str()), ("/a~1b/c", "it is there twice"));
    }

    #[test]
    fn members_are_taken_out_by_their_pointer() {
        let mut tree = Node::parse(r#"{"a":[{"b":1,"c":2}],"d":null}"#).ok().unwrap();
        assert!(tree.remove(&Pointer::written("/a/0/b")).is_some());
        assert!(tree.remove(&Pointer::written("/a/0")).is_none(), "an element stays");
        assert!(tree.take("d").is_none(), "null is absent");
        assert_eq!(serde_json::to_string(&tree).unwrap(), r#"{"a":[{"c":2}]}"#);
    }
}
