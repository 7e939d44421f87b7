//! Reading a journal: what a process left behind when it ended, and what can be seen in it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use keyward_core::crash_point::{CrashPoint, Probe};
use keyward_core::ledger::LedgerEntry;

use super::frame::{self, Found};
use super::record::{HoldRecord, Record};
use super::segments::{self, Segments};
use super::{Journal, JournalError, JournalOptions};

/// How a segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Another segment follows.
    Sealed,
    /// It is the last one, and whole.
    Open,
    /// A write was cut short at this byte. Nothing was ever relied on that begins there.
    Torn(usize),
    /// At this byte lies something that no write of ours leaves behind.
    Damaged(usize, &'static str),
}

/// What was found in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentInspection {
    /// Its file.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: usize,
    /// How many holds, settlements and releases it has.
    pub holds: usize,
    /// How many settlements.
    pub settlements: usize,
    /// How many holds that were dropped.
    pub releases: usize,
    /// How it ends.
    pub tail: Tail,
}

/// A hold that nothing has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHold(pub LedgerEntry);

/// What can be read of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inspection {
    /// Its segments, oldest first.
    pub segments: Vec<SegmentInspection>,
    /// Attempts that are settled and that the journal still has.
    pub settled: Vec<LedgerEntry>,
    /// Attempts that hold, each as the entry that it would become if nobody settled it.
    pub open: Vec<OpenHold>,
}

/// What a process left behind: entries that the database may not have.
#[derive(Debug)]
pub struct Recovery {
    options: JournalOptions,
    found: Inspection,
    numbers: Vec<u64>,
    lock: File,
}

/// Reads what can be read, and judges nothing.
///
/// # Errors
/// When the directory or a file cannot be read.
pub fn inspect(directory: &Path) -> Result<Inspection, JournalError> {
    let segments = read_all(directory)?;
    Ok(fold(&segments))
}

impl Recovery {
    /// Takes the journal for this process, and reads what is in it. A directory that is not there is made.
    ///
    /// # Errors
    /// Damage anywhere but at the end, a missing segment, another database's journal, another process, and a disk that fails.
    pub fn read(options: JournalOptions) -> Result<Self, JournalError> {
        let lock = take(&options.directory)?;
        let segments = read_all(&options.directory)?;
        let found = fold(&segments);
        check(&options, &segments, &found)?;
        let numbers = segments.iter().map(|segment| segment.number).collect();
        Ok(Self { options, found, numbers, lock })
    }

    /// The entries that the database must have before the journal may forget them: what was settled, and as `abandoned` what nobody
    /// has settled, charged at what it held.
    #[must_use]
    pub fn entries(&self) -> Vec<LedgerEntry> {
        let abandoned = self.found.open.iter().map(|OpenHold(entry)| entry.clone());
        self.found.settled.iter().cloned().chain(abandoned).collect()
    }

    /// How many attempts were running when the process ended.
    #[must_use]
    pub fn abandoned(&self) -> usize {
        self.found.open.len()
    }

    /// Where a write had been cut short, if one was.
    #[must_use]
    pub fn torn_tail(&self) -> Option<(&Path, usize)> {
        let last = self.found.segments.last()?;
        match last.tail {
            Tail::Torn(offset) => Some((&last.path, offset)),
            Tail::Sealed | Tail::Open | Tail::Damaged(..) => None,
        }
    }

    /// The database has every entry: drops what is old, and begins to write.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(self, probe: Probe) -> Result<Journal, JournalError> {
        let Self { options, found: _, numbers, lock } = self;
        for number in &numbers {
            segments::remove(&segments::path(&options.directory, *number))?;
            probe.reached(CrashPoint::RecoveryHalfDropped);
        }
        let first = numbers.last().map_or(1, |last| last.saturating_add(1));
        let segments = Segments::begin(options.directory, options.database, options.segment_bytes, first, lock)?;
        Ok(Journal::over(Some(segments), options.max_bytes, probe))
    }
}

/// A segment as it was read.
struct Segment {
    number: u64,
    path: PathBuf,
    bytes: Vec<u8>,
}

fn take(directory: &Path) -> Result<File, JournalError> {
    let failed = |source| JournalError::File { path: directory.to_owned(), source };
    fs::create_dir_all(directory).map_err(failed)?;
    let lock =
        OpenOptions::new().create(true).truncate(false).write(true).open(directory.join("lock")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(JournalError::InUse(directory.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn read_all(directory: &Path) -> Result<Vec<Segment>, JournalError> {
    let failed = |path: &Path, source| JournalError::File { path: path.to_owned(), source };
    let mut segments = Vec::new();
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(segments),
        entries => entries.map_err(|source| failed(directory, source))?,
    };
    for entry in entries {
        let path = entry.map_err(|source| failed(directory, source))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(number) = name.and_then(|name| name.strip_suffix(".journal")?.parse().ok()) else { continue };
        let bytes = fs::read(&path).map_err(|source| failed(&path, source))?;
        segments.push(Segment { number, path, bytes });
    }
    segments.sort_by_key(|segment| segment.number);
    Ok(segments)
}

/// Follows every attempt through the records.
fn fold(segments: &[Segment]) -> Inspection {
    let mut inspection = Inspection::default();
    let mut open: BTreeMap<u64, HoldRecord<'_>> = BTreeMap::new();
    for segment in segments {
        let (mut holds, mut settlements, mut releases) = (0, 0, 0);
        let tail = walk(segment, |record| match record {
            Record::Hold(hold) => {
                holds += 1;
                open.insert(hold.hold, hold);
                true
            }
            // A hold that is not here was in a segment that was dropped, because the database has its entry.
            Record::Settled(settled) => {
                settlements += 1;
                let entry = open.remove(&settled.hold).map(|hold| hold.entry(&settled));
                let fits = entry.as_ref().is_none_or(Option::is_some);
                inspection.settled.extend(entry.flatten());
                fits
            }
            Record::Released { hold } => {
                releases += 1;
                open.remove(&hold);
                true
            }
            Record::Sealed | Record::Pulse => true,
        });
        let (path, bytes) = (segment.path.clone(), segment.bytes.len());
        inspection.segments.push(SegmentInspection { path, bytes, holds, settlements, releases, tail });
    }
    inspection.open = open.into_values().filter_map(|hold| hold.abandoned()).map(OpenHold).collect();
    inspection
}

/// Reads a segment's records in order, until one is refused or cannot be read.
fn walk<'a>(segment: &'a Segment, mut take: impl FnMut(Record<'a>) -> bool) -> Tail {
    let bytes = segment.bytes.as_slice();
    if bytes.len() < frame::HEADER {
        return Tail::Torn(0);
    }
    match frame::read_header(bytes) {
        Some((number, _)) if number == segment.number => {}
        Some(_) => return Tail::Damaged(0, "the header is that of another segment"),
        None => return Tail::Damaged(0, "the header is not one of this version"),
    }
    let (mut offset, mut is_sealed) = (frame::HEADER, false);
    loop {
        match frame::read(bytes, segment.number, offset) {
            Found::End if is_sealed => return Tail::Sealed,
            Found::End => return Tail::Open,
            Found::Torn => return Tail::Torn(offset),
            Found::Damaged => return Tail::Damaged(offset, "a record is broken, and whole ones follow"),
            Found::Frame(payload, next) => {
                let Ok(record) = postcard::from_bytes::<Record<'a>>(payload) else {
                    return Tail::Damaged(offset, "a record is whole, and not one of this version");
                };
                is_sealed = record == Record::Sealed;
                if !take(record) {
                    return Tail::Damaged(offset, "a settlement does not fit its hold");
                }
                offset = next;
            }
        }
    }
}

fn check(options: &JournalOptions, segments: &[Segment], found: &Inspection) -> Result<(), JournalError> {
    let mut expected = segments.first().map(|segment| segment.number);
    for (index, (segment, inspected)) in segments.iter().zip(&found.segments).enumerate() {
        if expected != Some(segment.number) {
            let missing = segments::path(&options.directory, expected.unwrap_or_default());
            return Err(JournalError::Missing(missing));
        }
        expected = segment.number.checked_add(1);
        if frame::read_header(&segment.bytes).is_some_and(|(_, database)| database != options.database) {
            return Err(JournalError::OtherDatabase(segment.path.clone()));
        }
        let damaged = |offset, what| JournalError::Damaged { segment: segment.path.clone(), offset, what };
        let is_last = index + 1 == segments.len();
        match inspected.tail {
            Tail::Sealed => {}
            Tail::Open | Tail::Torn(_) if is_last => {}
            Tail::Open => return Err(damaged(segment.bytes.len(), "it ends too early: another segment follows")),
            Tail::Torn(offset) => return Err(damaged(offset, "it breaks off, and another segment follows")),
            Tail::Damaged(offset, what) => return Err(damaged(offset, what)),
        }
    }
    Ok(())
}
