//! The routing rules of a file. What a target pins may be a key's name.

use super::{FindKey, definition};
use crate::ids::RoutingRuleId;
use crate::invalid::{Invalid, Pointer};
use crate::limits::Edit;
use crate::routing_rule::{CreateRoutingRule, RoutingRule};

/// A routing rule of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredRoutingRule {
    /// Its id.
    pub id: RoutingRuleId,
    /// Where it stands in the file.
    pub at: Pointer,
    /// Everything else.
    pub request: CreateRoutingRule,
}

impl DeclaredRoutingRule {
    /// The file's definition of it.
    #[must_use]
    pub fn definition(&self) -> String {
        definition(&("routing_rule", &self.id, &self.request))
    }

    /// The same with the ids of the keys that it names. What `find` does not know stays as it is.
    #[must_use]
    pub fn resolved(&self, find: FindKey<'_>) -> Self {
        let mut resolved = self.clone();
        for target in resolved.request.targets.iter_mut().flatten() {
            target.key_id = target.key_id.as_ref().map(|key| find(key).unwrap_or_else(|| key.clone()));
        }
        resolved
    }

    /// What the file makes of `before`. The expression is not looked at.
    ///
    /// # Errors
    /// What cannot be carried out, and where in the file it stands.
    pub fn edit(&self, before: Option<&RoutingRule>, edit: &mut Edit<'_>) -> Result<RoutingRule, Invalid> {
        let made = self.request.clone().build(edit).map_err(|invalid| self.locate(invalid))?;
        Ok(RoutingRule {
            id: self.id.clone(),
            config_hash: before.map(|before| before.config_hash.clone()).unwrap_or_default(),
            created_at: before.map_or(made.created_at, |before| before.created_at),
            ..made
        })
    }

    /// The same, said of the file instead of the request.
    #[must_use]
    pub fn locate(&self, invalid: Invalid) -> Invalid {
        invalid.under(&self.at)
    }
}
