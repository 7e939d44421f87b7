//! Rotation: a virtual key gets a new value, and for a while the one from before works too.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::VirtualKey;
use crate::ids::VirtualKeyId;
use crate::invalid::{Invalid, Pointer};
use crate::secret::{KeyHash, VirtualKeyValue};

/// A new value for a virtual key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The new value.
    pub value: VirtualKeyValue,
    /// How long the old value works too; zero: not at all.
    pub cooldown: Duration,
}

/// The hashes that a virtual key is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VirtualKeyHashes {
    /// That of its value.
    pub current: KeyHash,
    /// That of the value before, and the first instant at which that one works no more.
    pub previous: Option<(KeyHash, Timestamp)>,
}

/// Rotates several virtual keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RotateVirtualKeys {
    /// The virtual keys, at most 1,000.
    #[schema(required = true, min_items = 1, max_items = 1000)]
    pub ids: Vec<VirtualKeyId>,
}

/// The most virtual keys that one request rotates.
const MAX_IDS: usize = 1_000;

impl RotateVirtualKeys {
    /// The distinct ids, without blanks around them.
    ///
    /// # Errors
    /// No id, an empty one, or too many.
    pub fn check(self) -> Result<Vec<VirtualKeyId>, Invalid> {
        let at = Pointer::from("ids");
        if self.ids.is_empty() {
            return Err(Invalid::at(at, "At least one virtual key ID is required"));
        }
        if self.ids.len() > MAX_IDS {
            return Err(Invalid::at(at, format!("At most {MAX_IDS} virtual keys are rotated at once")));
        }
        let mut ids: Vec<VirtualKeyId> = Vec::with_capacity(self.ids.len());
        for (index, id) in self.ids.iter().enumerate() {
            let id: VirtualKeyId = id.as_str().trim().into();
            if id.as_str().is_empty() {
                return Err(Invalid::at(at.element(index), "Virtual key ID cannot be empty"));
            }
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }
}

/// Virtual keys that were rotated, and those that could not be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VirtualKeysRotated {
    /// What was done, in words.
    pub message: String,
    /// The rotated virtual keys with their new values.
    pub virtual_keys: Vec<VirtualKey>,
    /// Why others were not rotated, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, String>,
}
