//! `keyward journal`: looking into what a server has written down and its database may not have yet.

#![allow(clippy::print_stdout, reason = "a command talks to whoever runs it")]

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keyward_core::ledger::LedgerEntry;
use keyward_engine::{OpenHold, SegmentInspection, Tail};

use super::{CliError, Place};

#[derive(Debug, Subcommand)]
pub(super) enum Journal {
    /// Prints every segment with what is in it, the attempts that hold, and those that are settled and still there; fails when a
    /// segment is damaged. It only reads, so a server may be running
    Inspect(Inspect),
}

#[derive(Debug, Args)]
pub(super) struct Inspect {
    #[command(flatten)]
    place: Place,
    /// The journal's directory [default: that of the configuration, beside the database]
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

impl Journal {
    pub(super) fn run(self) -> Result<(), CliError> {
        let Self::Inspect(Inspect { place, directory }) = self;
        let settings = place.load()?;
        let directory = directory.unwrap_or_else(|| settings.journal.directory(&settings.database_url));
        let found = keyward_engine::inspect(&directory)?;
        println!("{}: {} segments", directory.display(), found.segments.len());
        found.segments.iter().for_each(print_segment);
        for OpenHold(entry) in &found.open {
            print_attempt("holds", entry);
        }
        for entry in &found.settled {
            print_attempt("settled", entry);
        }
        let damaged = found.segments.into_iter().find(|segment| matches!(segment.tail, Tail::Damaged(..)));
        damaged.map_or(Ok(()), |segment| Err(CliError::JournalDamaged(segment.path)))
    }
}

fn print_segment(segment: &SegmentInspection) {
    let SegmentInspection { path, bytes, holds, settlements, releases, tail } = segment;
    let tail = match tail {
        Tail::Sealed => "sealed".to_owned(),
        Tail::Open => "open".to_owned(),
        Tail::Torn(offset) => format!("the write at byte {offset} was cut short"),
        Tail::Damaged(offset, what) => format!("DAMAGED at byte {offset}: {what}"),
    };
    let path = path.display();
    println!("{path}: {bytes} bytes, {holds} holds, {settlements} settlements, {releases} releases; {tail}");
}

fn print_attempt(what: &str, entry: &LedgerEntry) {
    let LedgerEntry { attribution, cost, held, outcome, admitted_at, .. } = entry;
    let (request, attempt, key) = (&attribution.request_id, attribution.attempt, &attribution.virtual_key_id);
    let (provider, model, outcome) = (&attribution.provider, &attribution.model, outcome.as_str());
    println!(
        "{what}: {request}/{attempt} of virtual key {key}, {provider}/{model}, admitted {admitted_at}, {held} USD held, {cost} USD as {outcome}"
    );
}
