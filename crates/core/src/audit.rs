//! The audit log: every change of what is configured, by whom, from where, with the state before and after.
//!
//! Entries are chained: each carries a keyed hash over itself and the hash of the one before. Whoever alters, removes or
//! inserts one without the server's root key breaks the chain.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::change::Actor;
use crate::ids::RequestId;
use crate::invalid::Invalid;
use crate::list::{instant, whole_number};

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// The entry's place in the log, from 1.
    pub sequence: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who made it.
    pub actor: Actor,
    /// The network address that it came from; empty when it came from no network.
    pub source: String,
    /// The request that asked for it; empty when there was none.
    #[schema(value_type = String)]
    pub request_id: RequestId,
    /// The operation, such as `team_create`.
    pub action: String,
    /// What kind of thing was changed, such as `team`.
    pub resource: String,
    /// The id of what was changed.
    pub resource_id: String,
    /// How it was configured before; null when it was made. Secrets are redacted, usage is left out.
    #[schema(value_type = Option<Object>, required = true)]
    pub before: Option<Value>,
    /// How it is configured since; null when it was deleted. Secrets are redacted, usage is left out.
    #[schema(value_type = Option<Object>, required = true)]
    pub after: Option<Value>,
    /// The keyed hash over this entry and the hash of the one before, in hexadecimal digits.
    pub hash: String,
}

/// Which entries are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// How many entries at most: 25 unless given, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub limit: Option<String>,
    /// Only entries before this place in the log: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub before: Option<String>,
    /// Only this operation, such as `team_create`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Only this kind of thing, such as `team`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Only the thing with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// Only changes by the actor of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Only changes since this instant (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<String>,
    /// Only changes before this instant (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<String>,
}

/// A checked [`AuditQuery`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFilter {
    /// How many entries at most.
    pub limit: i64,
    /// Only entries before this place in the log.
    pub before: Option<i64>,
    /// Only this operation.
    pub action: Option<String>,
    /// Only this kind of thing.
    pub resource: Option<String>,
    /// Only the thing with this id.
    pub resource_id: Option<String>,
    /// Only changes by the actor of this name.
    pub actor: Option<String>,
    /// Only changes since this instant.
    pub since: Option<Timestamp>,
    /// Only changes before this instant.
    pub until: Option<Timestamp>,
}

/// A page of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditList {
    /// The entries, newest first.
    pub entries: Vec<AuditEntry>,
    /// How many entries this page has.
    pub count: i64,
    /// The place in the log that `before` has to be for the next page; null when there is none.
    #[schema(required = true)]
    pub next: Option<i64>,
}

/// What the chain looks like from its first entry to its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditVerification {
    /// True when every entry is as it was written, and none is missing.
    pub intact: bool,
    /// How many entries were looked at.
    pub entries: i64,
    /// The hash of the last entry, in hexadecimal digits. Keep it elsewhere: a later verification must find it again at its
    /// place, or entries were cut off.
    pub head: String,
    /// The place in the log of the first entry that is not as it was written; null when all are.
    #[schema(required = true)]
    pub broken_at: Option<i64>,
}

/// Entries on a page unless the request says otherwise, and at most.
const LIMITS: (i64, i64) = (25, 100);

impl AuditQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// A number or instant that is none.
    pub fn check(self) -> Result<AuditFilter, Invalid> {
        let (usual, most) = LIMITS;
        let limit = whole_number("limit", self.limit.as_deref())?.filter(|limit| *limit > 0).unwrap_or(usual);
        Ok(AuditFilter {
            limit: limit.min(most),
            before: whole_number("before", self.before.as_deref())?,
            action: self.action,
            resource: self.resource,
            resource_id: self.resource_id,
            actor: self.actor,
            since: instant("since", self.since)?,
            until: instant("until", self.until)?,
        })
    }
}

/// Members that are no configuration: those that read a meter move without anyone changing anything, and a hash tells what the
/// configuration file said last.
const READINGS: [&str; 8] = [
    "config_hash",
    "current_usage",
    "last_reset",
    "resets_at",
    "token_current_usage",
    "token_last_reset",
    "request_current_usage",
    "request_last_reset",
];

/// What of a thing is its configuration: everything but readings and hashes.
#[must_use]
pub fn configuration(mut thing: Value) -> Value {
    strip(&mut thing);
    thing
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !READINGS.contains(&name.as_str()));
            members.values_mut().for_each(strip);
        }
        Value::Array(elements) => elements.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
