//! Why a command failed.

use std::path::PathBuf;

use keyward_core::catalogue::{InvalidCatalogue, InvalidSource};
use keyward_store::StoreError;

use super::failure::{Exit, Failure};
use crate::config::{ConfigError, ExportError};
use crate::demo::DemoError;
use crate::server::ServerError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A running server did not do what it was asked for.
    #[error(transparent)]
    Remote(#[from] Failure),
    /// The server could not run.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The demo could not run.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The database cannot be used.
    #[error("the database cannot be used")]
    Store(#[from] StoreError),
    /// The audit log is not as it was written.
    #[error("the audit log is broken: entry {sequence} was altered, or entries from there on were removed")]
    AuditBroken {
        /// The first entry that is not as it was written.
        sequence: i64,
    },
    /// The books do not add up; what is wrong was told.
    #[error("the books do not add up in {findings} {}", if *.findings == 1 { "place" } else { "places" })]
    Unreconciled {
        /// In how many places.
        findings: usize,
    },
    /// The price catalogue cannot be used.
    #[error(transparent)]
    Catalogue(#[from] InvalidCatalogue),
    /// A file cannot be read.
    #[error("{0} cannot be read")]
    Input(String, #[source] std::io::Error),
    /// A file is no list of prices.
    #[error("{0} is no list of prices")]
    Prices(String, #[source] InvalidSource),
    /// The prices that are in force have no such model.
    #[error("no model '{0}' has a price")]
    NoSuchModel(String),
    /// The configuration file has errors, which were told.
    #[error("{file} has {errors} {}", if *.errors == 1 { "error" } else { "errors" })]
    BadConfig {
        /// The file.
        file: String,
        /// How many.
        errors: usize,
    },
    /// The state cannot be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The export cannot be written.
    #[error("{0} cannot be written")]
    Output(String, #[source] std::io::Error),
    /// The document cannot be written.
    #[error("the document cannot be written")]
    Document(#[from] serde_json::Error),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] keyward_engine::JournalError),
    /// A segment of the journal is damaged, which was told.
    #[error("the journal segment {} is damaged", .0.display())]
    JournalDamaged(PathBuf),
    /// The process could not wait for its end.
    #[error("signals cannot be awaited")]
    Signals(#[source] std::io::Error),
}

impl CliError {
    /// The code that the process ends with.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        if let Self::Remote(failure) = self { failure.exit() } else { Exit::Failed }
    }
}
