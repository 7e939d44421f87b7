//! What can go wrong with the journal.

use std::io;
use std::path::PathBuf;

/// Why the journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk refuses: it is full, read-only, or broken.
    #[error("the journal cannot be written")]
    Write(#[source] io::Error),
    /// A record has no form in bytes.
    #[error("a record of the journal cannot be written")]
    Unwritable,
    /// The directory or a file in it cannot be used.
    #[error("the journal at {path} cannot be used")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process has the journal.
    #[error("the journal at {0} is in use by another process")]
    InUse(PathBuf),
    /// The journal belongs to another database.
    #[error("the journal segment {0} belongs to another database: its entries would go into the wrong books")]
    OtherDatabase(PathBuf),
    /// A segment is damaged in its middle.
    #[error(
        "the journal segment {segment} is damaged at byte {offset}: {what}. Entries may be lost, so the server does not start. `keyward journal inspect` shows what can be read; once the books are checked, move the directory away"
    )]
    Damaged {
        /// The segment's file.
        segment: PathBuf,
        /// Where the damage begins, in bytes.
        offset: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// A segment between others is missing.
    #[error("the journal segment {0} is missing")]
    Missing(PathBuf),
}
