//! Partial updates: a member of a request is absent, null, or a value, and each means something else.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A member of a partial update: absent keeps, null clears, a value sets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// The member is not there: keep what is.
    #[default]
    Absent,
    /// The member is null: clear what is.
    Null,
    /// The member has a value: set it.
    Value(T),
}

impl<T> Patch<T> {
    /// True when the member is not there. For `skip_serializing_if`.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The new state of an optional member that was `current`.
    #[must_use]
    pub fn or_keep(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Absent => current,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }

    /// Takes a value that `is_null` says so of for null.
    #[must_use]
    pub fn null_if(self, is_null: impl FnOnce(&T) -> bool) -> Self {
        match self {
            Self::Value(value) if !is_null(&value) => Self::Value(value),
            Self::Value(_) | Self::Null => Self::Null,
            Self::Absent => Self::Absent,
        }
    }

    /// The value, if there is one.
    #[must_use]
    pub fn value(self) -> Option<T> {
        self.or_keep(None)
    }

    /// The same with what `change` makes of the value.
    #[must_use]
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Absent => Patch::Absent,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(change(value)),
        }
    }

    /// The same with the value by reference.
    #[must_use]
    pub const fn as_ref(&self) -> Patch<&T> {
        match self {
            Self::Absent => Patch::Absent,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(value),
        }
    }
}

/// Reads null as the default, as if the member were absent: some languages write it for what is not set. For `deserialize_with`.
///
/// # Errors
/// Those of the value.
pub(crate) fn null_as_absent<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl<T> From<T> for Patch<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Null => serializer.serialize_none(),
            Self::Value(value) => serializer.serialize_some(value),
        }
    }
}
