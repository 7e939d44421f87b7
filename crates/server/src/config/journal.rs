//! How the journal is kept.

use std::path::{Path, PathBuf};

use keyward_engine::JournalOptions;
use serde::{Deserialize, Serialize};

/// Where the journal is unless told otherwise, when the database is no file.
const DEFAULT_DIRECTORY: &str = "keyward.journal";
/// Segments in all that the bound has room for.
const SEGMENTS: u64 = 16;
/// The least that a journal may be bounded to.
const LEAST_BYTES: u64 = 1024 * 1024;

/// When what is written to the journal is brought to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalSync {
    /// Before the first byte of an attempt leaves.
    EveryWrite,
    /// Within 10 milliseconds.
    Interval,
    /// When the operating system likes: it survives a crash of the process, and not one of the machine.
    Off,
}

/// The journal's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournalSettings {
    /// A directory that nothing else makes use of; none: beside the database.
    pub directory: Option<PathBuf>,
    /// When it is brought to the disk.
    pub sync: JournalSync,
    /// How much it may have, in bytes, before nothing is admitted.
    pub max_bytes: u64,
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self { directory: None, sync: JournalSync::Interval, max_bytes: 256 * 1024 * 1024 }
    }
}

impl JournalSettings {
    /// Where the journal of a database is.
    #[must_use]
    pub fn directory(&self, database_url: &str) -> PathBuf {
        let beside =
            || database_url.strip_prefix("sqlite://").map(|path| Path::new(path).with_added_extension("journal"));
        self.directory.clone().or_else(beside).unwrap_or_else(|| DEFAULT_DIRECTORY.into())
    }

    /// The options of the journal of a database.
    pub(crate) fn options(&self, database_url: &str, database: [u8; 16]) -> JournalOptions {
        let (directory, max_bytes) = (self.directory(database_url), self.max_bytes.max(LEAST_BYTES));
        JournalOptions { directory, database, segment_bytes: max_bytes / SEGMENTS, max_bytes }
    }
}
