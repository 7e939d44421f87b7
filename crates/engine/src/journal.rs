//! The journal: the node's append-only record of holds and settlements that the database has not confirmed yet.
//!
//! A hold is in the kernel before the first byte of its attempt leaves; [`Journal::sync`] brings it to the disk. Segments are dropped
//! oldest first, each when the database has every attempt that began in it. Whoever opens the journal first recovers what it has.
//!
//! A write that fails is taken back, and nothing is admitted until writing works again. There is no clock here and no thread: the
//! server says when to sync and when to tidy up.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use keyward_core::crash_point::{CrashPoint, Probe};
use keyward_core::ledger::LedgerEntry;
use serde::Serialize;
use smallvec::SmallVec;

use crate::open::Open;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard};

mod error;
mod frame;
mod record;
mod recovery;
mod segments;

pub use error::JournalError;
pub use recovery::{Inspection, OpenHold, Recovery, SegmentInspection, Tail, inspect};

use record::{HoldRecord, Record, SettledRecord};
use segments::Segments;

/// Where the journal is, and how large it may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalOptions {
    /// The directory, of which nothing else makes use.
    pub directory: PathBuf,
    /// Identifies the database whose books these are.
    pub database: [u8; 16],
    /// How long a segment becomes before the next one begins, in bytes.
    pub segment_bytes: u64,
    /// How much all segments may have together, in bytes, before nothing is admitted.
    pub max_bytes: u64,
}

/// A frame under construction. As much as a hold on eight meters needs has no memory of its own.
type Frame = SmallVec<[u8; 2048]>;

/// The journal of a running server.
pub struct Journal {
    /// None: records are made and forgotten.
    segments: Option<Mutex<Segments>>,
    /// Holds that were dropped when that could not be written down, with their segments: it is made up for.
    unreleased: Mutex<Vec<(u64, u64)>>,
    max_bytes: u64,
    progress: Progress,
    probe: Probe,
}

/// How writing goes.
struct Progress {
    /// False from a failed write on, until one works again.
    works: AtomicBool,
    /// Bytes of all segments.
    bytes: AtomicU64,
    /// How many records were written, and how many of them are on the disk.
    written: AtomicU64,
    synced: AtomicU64,
    next_hold: AtomicU64,
}

impl Journal {
    /// A journal that nothing survives in: for a process whose books need not outlive it, and for measurements.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::over(None, u64::MAX, Probe::default())
    }

    fn over(segments: Option<Segments>, max_bytes: u64, probe: Probe) -> Self {
        let progress = Progress {
            works: AtomicBool::new(true),
            bytes: AtomicU64::new(0),
            written: AtomicU64::new(0),
            synced: AtomicU64::new(0),
            next_hold: AtomicU64::new(1),
        };
        Self { segments: segments.map(Mutex::new), unreleased: Mutex::default(), max_bytes, progress, probe }
    }

    /// True while holds can be written down.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.progress.works.load(Ordering::Acquire) && self.bytes() < self.max_bytes
    }

    /// How much all segments have together, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.progress.bytes.load(Ordering::Acquire)
    }

    /// How many records were written. What was written when this was read is on the disk when [`Journal::synced`] has reached it.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.progress.written.load(Ordering::Acquire)
    }

    /// How many records are on the disk.
    #[must_use]
    pub fn synced(&self) -> u64 {
        self.progress.synced.load(Ordering::Acquire)
    }

    /// Brings everything that was written to the disk.
    ///
    /// # Errors
    /// When the disk refuses. Then nothing is admitted until [`crate::Engine::tend_journal`] has found that it works again.
    pub fn sync(&self) -> Result<(), JournalError> {
        let (written, files) = {
            let segments = self.lock();
            (self.written(), segments.map(|mut segments| segments.take_unsynced()).unwrap_or_default())
        };
        for file in &files {
            file.sync_data().map_err(|error| {
                self.progress.works.store(false, Ordering::Release);
                JournalError::Write(error)
            })?;
        }
        self.progress.synced.fetch_max(written, Ordering::AcqRel);
        Ok(())
    }

    /// True when there is something to sync, to mend or to drop.
    #[must_use]
    pub fn needs_tending(&self) -> bool {
        self.has_failed()
            || self.synced() < self.written()
            || self.lock().is_some_and(|segments| segments.has_predecessors())
    }

    /// Removes every segment when the database has all that began in them: the next start has nothing to recover.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn close(&self) -> Result<(), JournalError> {
        self.lock().map_or(Ok(()), |mut segments| segments.close())
    }

    pub(crate) fn next_hold(&self) -> u64 {
        self.progress.next_hold.fetch_add(1, Ordering::Relaxed)
    }

    /// Writes down what an attempt holds. Returns the segment that now is about it.
    pub(crate) fn hold(&self, hold: u64, open: &Open) -> Result<u64, JournalError> {
        let frame = encoded(&Record::Hold(HoldRecord::of(hold, open)))?;
        let segment = self.append(frame, CrashPoint::HoldHalfWritten, Segments::attempt_began)?;
        self.probe.reached(CrashPoint::HoldWritten);
        Ok(segment)
    }

    /// Writes down how an attempt ended. When that fails, a crash before the database has the entry charges what was held.
    pub(crate) fn settled(&self, hold: u64, has_version: bool, entry: &LedgerEntry) {
        let record = Record::Settled(SettledRecord::of(hold, has_version, entry));
        // The failure is known to the journal, which admits nothing until it is over.
        let _ = encoded(&record).and_then(|frame| self.append(frame, CrashPoint::SettlementHalfWritten, |_| ()));
        self.probe.reached(CrashPoint::SettlementWritten);
    }

    /// Writes down that a hold was dropped.
    pub(crate) fn released(&self, hold: u64, segment: u64) {
        self.probe.reached(CrashPoint::Releasing);
        let frame = encoded(&Record::Released { hold });
        // A hold whose end is not written down is charged after a crash. Its segment stays until that is made up for.
        match frame.and_then(|frame| self.append(frame, CrashPoint::Releasing, |_| ())) {
            Ok(_) => self.attempt_is_in_the_database(segment),
            Err(_) => self.unreleased().push((hold, segment)),
        }
        self.probe.reached(CrashPoint::ReleaseWritten);
    }

    /// Writes a running attempt's hold again, into the current segment, so that the one it was in can be dropped.
    pub(crate) fn carry(&self, hold: u64, open: &Open) -> Result<u64, JournalError> {
        let segment = self.hold(hold, open)?;
        self.attempt_is_in_the_database(open.segment);
        self.probe.reached(CrashPoint::HoldCarried);
        Ok(segment)
    }

    /// Nothing of an attempt is needed any more.
    pub(crate) fn attempt_is_in_the_database(&self, segment: u64) {
        if let Some(mut segments) = self.lock() {
            segments.attempt_ended(segment);
        }
    }

    /// The oldest segment that running attempts keep, if there are so many that it should be given up.
    pub(crate) fn overdue(&self) -> Option<u64> {
        self.lock()?.overdue()
    }

    /// Removes the segments that nobody needs.
    pub(crate) fn drop_confirmed(&self) -> Result<(), JournalError> {
        let Some(mut segments) = self.lock() else { return Ok(()) };
        let dropped = segments.drop_confirmed(&self.probe);
        self.progress.bytes.store(segments.bytes(), Ordering::Release);
        dropped
    }

    /// True when a write or a sync has failed since writing last worked.
    pub(crate) fn has_failed(&self) -> bool {
        !self.progress.works.load(Ordering::Acquire)
    }

    /// After a failure: begins a segment on which nothing depends yet. The caller carries all running attempts there, and syncs.
    pub(crate) fn begin_anew(&self) -> Result<(), JournalError> {
        if let Some(mut segments) = self.lock() {
            segments.mend()?;
            segments.rotate(&encoded(&Record::Sealed)?, &self.probe)?;
        }
        self.append(encoded(&Record::Pulse)?, CrashPoint::SegmentCreated, |_| ()).map(drop)
    }

    /// Writing works again. Holds that were dropped meanwhile are said to be.
    pub(crate) fn has_recovered(&self) {
        self.progress.works.store(true, Ordering::Release);
        let unreleased = std::mem::take(&mut *self.unreleased());
        unreleased.into_iter().for_each(|(hold, segment)| self.released(hold, segment));
    }

    fn append(
        &self,
        mut frame: Frame,
        half: CrashPoint,
        then: impl FnOnce(&mut Segments),
    ) -> Result<u64, JournalError> {
        let Some(mut segments) = self.lock() else {
            self.progress.written.fetch_add(1, Ordering::AcqRel);
            return Ok(0);
        };
        let written = self.write(&mut segments, &mut frame, half);
        self.progress.bytes.store(segments.bytes(), Ordering::Release);
        if written.is_err() {
            self.progress.works.store(false, Ordering::Release);
        }
        written?;
        then(&mut segments);
        self.progress.written.fetch_add(1, Ordering::AcqRel);
        Ok(segments.current())
    }

    fn write(&self, segments: &mut Segments, frame: &mut Frame, half: CrashPoint) -> Result<(), JournalError> {
        segments.mend()?;
        if segments.is_full() {
            segments.rotate(&encoded(&Record::Sealed)?, &self.probe)?;
        }
        segments.write(frame, || self.probe.reached(half))
    }

    fn lock(&self) -> Option<MutexGuard<'_, Segments>> {
        Some(self.segments.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn unreleased(&self) -> MutexGuard<'_, Vec<(u64, u64)>> {
        self.unreleased.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record in a frame whose front is still to be filled in.
fn encoded(record: &impl Serialize) -> Result<Frame, JournalError> {
    let mut frame = Frame::new();
    frame.resize(frame::FRAME, 0);
    postcard::to_extend(record, frame).map_err(|_| JournalError::Unwritable)
}

/// What becomes of an entry: once the database has it, the journal need not keep it. The default is of an entry that no journal has.
#[must_use = "an entry that is never confirmed keeps its segment of the journal"]
#[derive(Default)]
pub struct Receipt(Option<(Arc<Journal>, u64)>);

impl Receipt {
    pub(crate) fn new(journal: Arc<Journal>, segment: u64) -> Self {
        Self(Some((journal, segment)))
    }

    /// The database has the entry.
    pub fn confirm(self) {
        if let Some((journal, segment)) = self.0 {
            journal.attempt_is_in_the_database(segment);
        }
    }
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Receipt").field(&self.0.as_ref().map(|(_, segment)| segment)).finish()
    }
}
