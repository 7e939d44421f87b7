//! Changes: who asks for one, when, from where, and on what condition.

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::authority::{Authority, Reach};
use crate::ids::{ManagementKeyId, RequestId, SessionId};
use crate::invalid::Invalid;

/// A change of what is configured, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The operation, such as `team_create`: the action in the audit log.
    pub operation: &'static str,
    /// Who asks.
    pub author: Author,
    /// When.
    pub at: Timestamp,
    /// Which version the author means to change.
    pub precondition: Precondition,
    /// What makes a repeated create the same one.
    pub idempotency: Option<Idempotency>,
}

/// Who asks for a change, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Who it is.
    pub actor: Actor,
    /// What it may do: the ceiling for the change.
    pub authority: Authority,
    /// What that rests on.
    pub grounds: Grounds,
    /// The network address that the request came from; empty when it came from no network.
    pub source: String,
    /// The request; empty when there was none.
    pub request_id: RequestId,
}

/// What an author's authority rests on. It can end before the change is carried out, and is looked at again then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grounds {
    /// On nothing that ends: the server's own changes.
    Server,
    /// On what the configuration says about who may manage, by its digest: a password, or that none is needed.
    Configured([u8; 32]),
    /// On a session.
    Session(SessionId),
    /// On a management key.
    ManagementKey(ManagementKeyId),
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Actor {
    /// What kind of actor it is.
    pub kind: ActorKind,
    /// Its name: the administrator's, or that of a management key. Empty for kinds of which there is only one.
    pub name: String,
    /// The id of a management key; empty for other kinds.
    pub id: String,
}

impl Actor {
    /// An actor of a kind whose names tell them apart.
    #[must_use]
    pub const fn named(kind: ActorKind, name: String) -> Self {
        Self { kind, name, id: String::new() }
    }
}

/// The kinds of actors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A program on the server's machine, while no admin credential is configured.
    Local,
    /// The administrator.
    Admin,
    /// A management key.
    ManagementKey,
    /// The configuration file.
    ConfigFile,
    /// The server itself, such as when it deletes what has expired.
    Server,
}

impl ActorKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Local, Self::Admin, Self::ManagementKey, Self::ConfigFile, Self::Server];

    /// The kind's name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Admin => "admin",
            Self::ManagementKey => "management_key",
            Self::ConfigFile => "config_file",
            Self::Server => "server",
        }
    }
}

/// What makes a repeated create the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The `Idempotency-Key` that the author chose.
    pub key: String,
    /// A digest of the request, so that a key used for two different requests is noticed.
    pub fingerprint: [u8; 32],
}

/// The version of a resource's configuration. Usage moves without changing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(Timestamp);

impl Version {
    /// The version of what was last edited at this instant.
    #[must_use]
    pub const fn of(updated_at: Timestamp) -> Self {
        Self(updated_at)
    }

    /// The version as an entity tag (RFC 9110), quotes included.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("\"{:x}\"", self.0.as_microsecond())
    }
}

/// A thing whose configuration has versions.
pub trait Versioned {
    /// When it was last edited.
    fn updated_at(&self) -> Timestamp;

    /// The version that it has.
    fn version(&self) -> Version {
        Version(self.updated_at())
    }
}

/// Which versions a change may replace: the `If-Match` of its request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Whatever is there.
    #[default]
    None,
    /// One of the versions with these entity tags.
    OneOf(Vec<String>),
}

impl Precondition {
    /// Reads the value of `If-Match`: `*`, or entity tags.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.trim() == "*" {
            return Ok(Self::None);
        }
        let tags: Vec<String> = text.split(',').map(|tag| tag.trim().to_owned()).collect();
        let is_tag = |tag: &String| {
            let opaque =
                tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            opaque.is_some_and(|opaque| !opaque.contains('"'))
        };
        if tags.iter().all(is_tag) {
            return Ok(Self::OneOf(tags));
        }
        Err(Invalid::at_header("if-match", "If-Match must be '*' or entity tags in double quotes"))
    }

    /// Whether the version may be replaced. Weak tags match nothing, as RFC 9110 asks.
    #[must_use]
    pub fn accepts(&self, version: Version) -> bool {
        match self {
            Self::None => true,
            Self::OneOf(tags) => tags.contains(&version.etag()),
        }
    }
}

impl Change {
    /// A change that the server makes on its own.
    #[must_use]
    pub fn by_server(operation: &'static str, at: Timestamp) -> Self {
        Self::by_itself(ActorKind::Server, operation, at)
    }

    /// A change that the server makes because the configuration file says so.
    #[must_use]
    pub fn by_config_file(operation: &'static str, at: Timestamp) -> Self {
        Self::by_itself(ActorKind::ConfigFile, operation, at)
    }

    fn by_itself(kind: ActorKind, operation: &'static str, at: Timestamp) -> Self {
        let actor = Actor::named(kind, String::new());
        Self {
            operation,
            author: Author {
                actor,
                authority: Authority::FULL,
                grounds: Grounds::Server,
                source: String::new(),
                request_id: "".into(),
            },
            at,
            precondition: Precondition::None,
            idempotency: None,
        }
    }

    /// On whose resources the author may act.
    #[must_use]
    pub const fn reach(&self) -> &Reach {
        &self.author.authority.reach
    }

    /// The instant of an edit of something that was last edited at `before`: later in any case, so that no two versions are
    /// alike, not even when the clock stepped back. Whole microseconds, as databases keep them.
    #[must_use]
    pub fn after(&self, before: Timestamp) -> Timestamp {
        let next = before.checked_add(1.microsecond()).unwrap_or(before);
        whole_microseconds(self.at).max(whole_microseconds(next))
    }
}

/// The instant without what a database would drop.
fn whole_microseconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(microseconds: i64) -> Version {
        Version(Timestamp::from_microsecond(microseconds).unwrap())
    }

    #[test]
    fn a_precondition_accepts_the_versions_that_it_names() {
        let parse = |text: &str| Precondition::parse(text).unwrap();
        assert!(parse("*").accepts(version(1)));
        assert!(parse("\"1\"").accepts(version(1)));
        assert!(parse("\"0\", \"1\"").accepts(version(1)));
        assert!(!parse("\"0\"").accepts(version(1)));
        assert!(!parse("W/\"1\"").accepts(version(1)), "a weak tag is no proof");
        for text in ["", "1", "\"1", "\"1\" \"2\"", "\"1\","] {
            assert!(Precondition::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_two_versions_are_alike() {
        let change = |at| Change::by_server("team_update", Timestamp::from_nanosecond(at).unwrap());
        let before = Timestamp::from_microsecond(5).unwrap();
        for (at, expected) in [(7_900, 7), (5_500, 6), (1_000, 6)] {
            assert_eq!(change(at).after(before).as_microsecond(), expected);
        }
    }
}
