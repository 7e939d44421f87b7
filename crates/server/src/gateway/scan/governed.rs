//! Objects of which some members are governed: those are written once, and in one spelling.
//!
//! A provider that ignores case, or that takes the last of two, would otherwise read another request than the one that was
//! held for. A list in place of such an object is refused too.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

/// What is read of an object.
pub(super) trait Governed: Default {
    /// What the object is, in messages.
    const WHAT: &'static str;
    /// The members that are read or refused, in small letters.
    const NAMES: &'static [&'static str];

    /// Reads the value of one of them.
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error>;
}

/// Reads an object.
pub(super) fn read<'de, T: Governed, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Governed> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WHAT)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<T, A::Error> {
        let mut object = T::default();
        let mut seen: Vec<String> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            // The one letter outside ASCII that folds to one of a governed name.
            let folded = name.to_lowercase().replace('ſ', "s");
            if !T::NAMES.contains(&folded.as_str()) {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            if name != folded {
                return Err(A::Error::custom(format_args!("'{name}' must be written '{folded}'")));
            }
            if seen.contains(&name) {
                return Err(A::Error::custom(format_args!("'{name}' is there twice")));
            }
            object.take(&name, &mut members)?;
            seen.push(name);
        }
        Ok(object)
    }
}
