//! Management keys: credentials for programs that manage. They cannot call models, and they can do no more than is written
//! into them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::authority::{Authority, Permissions, Reach};
use crate::change::Versioned;
use crate::expiry::expiry;
use crate::ids::{CustomerId, ManagementKeyId, TeamId};
use crate::invalid::{Invalid, Pointer};
use crate::limits::Edit;
use crate::name::check_name;
use crate::patch::Patch;
use crate::permission::Permission;

/// A management key. Its secret is shown once, when it is made or rotated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ManagementKey {
    /// Identifies the key in the management API.
    pub id: ManagementKeyId,
    /// A name for people, unique among management keys.
    pub name: String,
    /// What the key is for.
    pub description: String,
    /// What the key may do.
    pub permissions: Vec<Permission>,
    /// The team that the key is limited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub team_id: Option<TeamId>,
    /// The customer that the key is limited to, with its teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub customer_id: Option<CustomerId>,
    /// False: the key is refused.
    pub is_active: bool,
    /// From this instant on the key is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub expires_at: Option<Timestamp>,
    /// When the key was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited or rotated.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Makes a management key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateManagementKey {
    /// A name for people, unique among management keys.
    #[schema(required = true, min_length = 1, max_length = 256)]
    pub name: String,
    /// What the key is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What the key may do: at least one permission, at most one for a kind of resource.
    #[schema(required = true)]
    pub permissions: Vec<Permission>,
    /// The team that the key is limited to; excludes `customer_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
    /// The customer that the key is limited to, with its teams; excludes `team_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// False: the key is refused. True unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// From this instant on the key is refused: RFC 3339, in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

/// Edits a management key: what is absent stays, null clears.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateManagementKey {
    /// A name for people; it cannot be cleared.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 256)]
    pub name: Patch<String>,
    /// What the key is for.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
    /// The full set of what the key may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<Permission>>,
    /// The team that the key is limited to; null lifts the limit.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<TeamId>)]
    pub team_id: Patch<TeamId>,
    /// The customer that the key is limited to; null lifts the limit.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<CustomerId>)]
    pub customer_id: Patch<CustomerId>,
    /// False: the key is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// From this instant on the key is refused; null: never.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Patch<String>,
}

impl Versioned for ManagementKey {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}

impl CreateManagementKey {
    /// Checks the request and makes the key that it asks for.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn build(self, edit: &mut Edit<'_>) -> Result<ManagementKey, Invalid> {
        let key = ManagementKey {
            id: (edit.mint)().into(),
            name: self.name,
            description: self.description,
            permissions: self.permissions,
            team_id: self.team_id,
            customer_id: self.customer_id,
            is_active: self.is_active.unwrap_or(true),
            expires_at: self.expires_at.map(|text| expiry(&text, edit.now)).transpose()?,
            created_at: edit.now,
            updated_at: edit.now,
        };
        key.checked()
    }
}

impl ManagementKey {
    /// What a request makes of the key at the instant `at`.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn edited(&self, request: UpdateManagementKey, at: Timestamp) -> Result<Self, Invalid> {
        let key = Self {
            id: self.id.clone(),
            name: request.name.or_keep(Some(self.name.clone())).unwrap_or_default(),
            description: request.description.or_keep(Some(self.description.clone())).unwrap_or_default(),
            permissions: request.permissions.unwrap_or_else(|| self.permissions.clone()),
            team_id: request.team_id.or_keep(self.team_id.clone()),
            customer_id: request.customer_id.or_keep(self.customer_id.clone()),
            is_active: request.is_active.unwrap_or(self.is_active),
            expires_at: match request.expires_at {
                Patch::Absent => self.expires_at,
                Patch::Null => None,
                Patch::Value(text) => Some(expiry(&text, at)?),
            },
            created_at: self.created_at,
            updated_at: at,
        };
        key.checked()
    }

    fn checked(self) -> Result<Self, Invalid> {
        check_name(&self.name, "Management key name is required")?;
        if self.team_id.is_some() && self.customer_id.is_some() {
            return Err(Invalid::at(
                "customer_id".into(),
                "a management key is limited to a team or to a customer, not to both",
            ));
        }
        let at = Pointer::from("permissions");
        if self.permissions.is_empty() {
            return Err(Invalid::at(at, "at least one permission is required"));
        }
        let is_limited = self.reach() != Reach::Everything;
        for (index, permission) in self.permissions.iter().enumerate() {
            let at = at.element(index).member("resource");
            if self.permissions.iter().take(index).any(|other| other.resource == permission.resource) {
                return Err(Invalid::at(at, "the resource stands in the list twice"));
            }
            if is_limited && !permission.resource.has_owners() {
                let message =
                    "the resource belongs to no team or customer, so a key that is limited to one cannot get at it";
                return Err(Invalid::at(at, message));
            }
        }
        Ok(self)
    }

    /// On whose resources the key may act.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match (&self.team_id, &self.customer_id) {
            (Some(team), _) => Reach::Team(team.clone()),
            (None, Some(customer)) => Reach::Customer(customer.clone()),
            (None, None) => Reach::Everything,
        }
    }

    /// What the key may do.
    #[must_use]
    pub fn authority(&self) -> Authority {
        Authority {
            permissions: Permissions::Only(self.permissions.clone()),
            reach: self.reach(),
            expires_at: self.expires_at,
        }
    }

    /// Whether the key is accepted at this instant.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.is_active && self.expires_at.is_none_or(|end| now < end)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn built(request: Value) -> Result<ManagementKey, Invalid> {
        let request: CreateManagementKey = serde_json::from_value(request).unwrap();
        request.build(&mut Edit { now: NOW, mint: &mut Uuid::nil })
    }

    #[test]
    fn what_cannot_be_granted_is_named() {
        let read = json!([{"resource": "virtual_keys", "access": "read"}]);
        for (request, pointer) in [
            (json!({"permissions": read}), "/name"),
            (json!({"name": "x"}), "/permissions"),
            (
                json!({"name": "x", "permissions": [read[0], {"resource": "virtual_keys", "access": "write"}]}),
                "/permissions/1/resource",
            ),
            (json!({"name": "x", "permissions": read, "team_id": "t", "customer_id": "c"}), "/customer_id"),
            (
                json!({"name": "x", "permissions": [{"resource": "audit", "access": "read"}], "team_id": "t"}),
                "/permissions/0/resource",
            ),
            (json!({"name": "x", "permissions": read, "expires_at": "1960-01-01T00:00:00Z"}), "/expires_at"),
        ] {
            assert_eq!(built(request.clone()).unwrap_err().pointer.to_string(), pointer, "{request}");
        }
        assert!(built(json!({"name": "x", "permissions": read, "team_id": "t"})).is_ok());
    }

    #[test]
    fn an_edit_keeps_what_it_does_not_name() {
        let permissions = json!([{"resource": "teams", "access": "write"}]);
        let request =
            json!({"name": "x", "permissions": permissions, "team_id": "t", "expires_at": "2030-01-01T00:00:00Z"});
        let key = built(request).unwrap();
        let kept = key.edited(UpdateManagementKey::default(), NOW).unwrap();
        assert_eq!(kept, key);
        let cleared = UpdateManagementKey { team_id: Patch::Null, expires_at: Patch::Null, ..Default::default() };
        let cleared = key.edited(cleared, NOW).unwrap();
        assert_eq!((cleared.reach(), cleared.expires_at), (Reach::Everything, None));
        let end = key.expires_at.unwrap();
        assert!(key.is_usable(NOW) && !key.is_usable(end), "the instant of expiry is refused");
    }
}
