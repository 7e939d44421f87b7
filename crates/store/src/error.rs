//! What can go wrong in the store. Each variant carries what the edge needs to answer; causes are for the log.

use std::error::Error;
use std::path::PathBuf;

use diesel::result::{DatabaseErrorKind, Error as QueryError};
use keyward_core::invalid::{Invalid, Pointer};

use crate::constraint::duplicated;

/// What lies behind an error, for the log only.
type Cause = Box<dyn Error + Send + Sync>;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing.
    #[error("{} not found", .0.words())]
    NotFound(Noun),
    /// Something of this kind with this name exists already.
    #[error("{} already exists", .0.words())]
    Duplicate(Noun),
    /// Something that stands for the same exists already: which member says so, and in which words.
    #[error(transparent)]
    Taken(Invalid),
    /// The thing has another version than the one that the change was meant for.
    #[error("it was changed by somebody else")]
    Stale,
    /// The author may not make this change.
    #[error(transparent)]
    Denied(Invalid),
    /// The request refers to things that are not there.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// What a configuration file declares cannot be carried out.
    #[error("the configuration file cannot be applied")]
    Declared(Vec<Invalid>),
    /// The database cannot be reached or did not answer in time.
    #[error("the database is not available")]
    Unavailable(#[source] Cause),
    /// There is no database.
    #[error("there is no database at {}", path.display())]
    NoDatabase {
        /// The file that would be it.
        path: PathBuf,
    },
    /// A newer Keyward has migrated the database.
    #[error("the database has migration {version}, which this version of Keyward does not know")]
    SchemaNewer {
        /// The first migration that is not known.
        version: String,
    },
    /// The database is not what its applied migrations make.
    #[error("the database schema is damaged: {what}")]
    SchemaDamaged {
        /// What is wrong, naming the table or migration.
        what: String,
    },
    /// The database was sealed with another root key.
    #[error("the root key is not the one that the database was sealed with")]
    WrongRootKey,
    /// No root key is given, and PostgreSQL has no place beside it where one could be kept.
    #[error(
        "the root key is missing: PostgreSQL needs KEYWARD_ROOT_KEY, 32 random bytes in base64, always the same for one database"
    )]
    RootKeyMissing,
    /// The database was sealed with a root key whose file is gone.
    #[error(
        "the root key of {database} is missing: restore {database}.root-key, or set KEYWARD_ROOT_KEY to what was in it"
    )]
    RootKeyLost {
        /// The database file.
        database: String,
    },
    /// A text is no root key.
    #[error("a root key is 32 bytes in base64")]
    RootKeyMalformed,
    /// Another process serves the same database.
    #[error("{database} is in use by another process; only one server may use a database")]
    Locked {
        /// The file's path, or the database's name.
        database: String,
    },
    /// The URL is no address of a database.
    #[error("the database URL is not usable: {0}")]
    Address(String),
    /// A file beside the database cannot be used.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A fault of the store.
    #[error("the store failed")]
    Internal(#[source] Cause),
}

/// What kind of thing an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    /// A virtual key.
    VirtualKey,
    /// A team.
    Team,
    /// A customer.
    Customer,
    /// A provider.
    Provider,
    /// A provider key.
    ProviderKey,
    /// A budget.
    Budget,
    /// A rate limit.
    RateLimit,
    /// A model config.
    ModelConfig,
    /// A pricing override.
    PricingOverride,
    /// A routing rule.
    RoutingRule,
    /// An MCP client.
    McpClient,
    /// A management key.
    ManagementKey,
    /// A session.
    Session,
}

impl Noun {
    /// The kind in plain words, as a sentence begins.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::VirtualKey => "Virtual key",
            Self::Team => "Team",
            Self::Customer => "Customer",
            Self::Provider => "Provider",
            Self::ProviderKey => "Provider key",
            Self::Budget => "Budget",
            Self::RateLimit => "Rate limit",
            Self::ModelConfig => "Model config",
            Self::PricingOverride => "Pricing override",
            Self::RoutingRule => "Routing rule",
            Self::McpClient => "MCP client",
            Self::ManagementKey => "Management key",
            Self::Session => "Session",
        }
    }

    /// The kind with its article, as a sentence begins.
    #[must_use]
    pub fn one(self) -> String {
        match self {
            Self::McpClient => format!("An {}", self.words()),
            Self::VirtualKey
            | Self::Team
            | Self::Customer
            | Self::Provider
            | Self::ProviderKey
            | Self::Budget
            | Self::RateLimit
            | Self::ModelConfig
            | Self::PricingOverride
            | Self::RoutingRule
            | Self::ManagementKey
            | Self::Session => format!("A {}", self.words().to_lowercase()),
        }
    }
}

impl StoreError {
    pub(crate) fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    pub(crate) fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// True when a row was there already, of a table whose rows people do not name.
    pub(crate) fn is_repetition(&self) -> bool {
        let Self::Internal(cause) = self else { return false };
        let cause = cause.downcast_ref::<QueryError>();
        matches!(cause, Some(QueryError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)))
    }

    /// A stored value that does not read as what it should be.
    pub(crate) fn unreadable(what: &str, cause: impl std::fmt::Display) -> Self {
        Self::internal(format!("{what} in the database is unreadable: {cause}"))
    }
}

impl From<QueryError> for StoreError {
    fn from(error: QueryError) -> Self {
        if let QueryError::DatabaseError(kind, information) = &error {
            if matches!(kind, DatabaseErrorKind::UniqueViolation)
                && let Some(noun) = duplicated(&**information)
            {
                return Self::Duplicate(noun);
            }
            if matches!(kind, DatabaseErrorKind::ForeignKeyViolation) {
                let message = "something that the request refers to was deleted at the same time";
                return Self::Invalid(Invalid::at(Pointer::ROOT, message));
            }
        }
        if is_passing(&error) { Self::unavailable(error) } else { Self::internal(error) }
    }
}

/// True when another connection, or the same work a little later, may succeed.
fn is_passing(error: &QueryError) -> bool {
    use DatabaseErrorKind::{ClosedConnection, SerializationFailure, UnableToSendCommand};
    matches!(
        error,
        QueryError::DatabaseError(UnableToSendCommand | ClosedConnection | SerializationFailure, _)
            | QueryError::BrokenTransactionManager
    )
}
