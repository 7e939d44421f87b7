//! The segments of a journal that is being written: the current file, and those before it that somebody still needs.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyward_core::crash_point::{CrashPoint, Probe};

use super::{JournalError, frame};

/// How many segments there may be before running attempts are carried out of the oldest one.
const OVERDUE: usize = 3;

/// Every segment, oldest first. The last one is current.
pub(super) struct Segments {
    disk: Disk,
    live: VecDeque<Segment>,
    /// True when the current file may have bytes behind its length: a write broke off there.
    is_torn: bool,
}

struct Segment {
    number: u64,
    length: u64,
    /// Attempts that began here and that the database does not have.
    attempts: usize,
}

struct Disk {
    directory: PathBuf,
    database: [u8; 16],
    segment_bytes: u64,
    file: Arc<File>,
    /// Files that have bytes which may not be on the disk yet; the directory is one.
    unsynced: Vec<Arc<File>>,
    /// Keeps others out.
    _lock: File,
}

/// The file of a segment.
pub(super) fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:020}.journal"))
}

impl Segments {
    /// Begins to write at a segment that does not exist yet.
    pub(super) fn begin(
        directory: PathBuf,
        database: [u8; 16],
        segment_bytes: u64,
        number: u64,
        lock: File,
    ) -> Result<Self, JournalError> {
        let file = create(&directory, database, number)?;
        let unsynced = vec![file.clone(), opened(&directory)?];
        let disk = Disk { directory, database, segment_bytes, file, unsynced, _lock: lock };
        Ok(Self { disk, live: VecDeque::from([Segment::new(number)]), is_torn: false })
    }

    /// The current segment's number.
    pub(super) fn current(&self) -> u64 {
        self.live.back().map_or(0, |segment| segment.number)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.live.iter().map(|segment| segment.length).sum()
    }

    pub(super) fn is_full(&self) -> bool {
        self.live.back().is_some_and(|segment| segment.length >= self.disk.segment_bytes)
    }

    /// An attempt began in the current segment.
    pub(super) fn attempt_began(&mut self) {
        if let Some(segment) = self.live.back_mut() {
            segment.attempts = segment.attempts.saturating_add(1);
        }
    }

    /// An attempt that began in a segment is nobody's concern any more.
    pub(super) fn attempt_ended(&mut self, number: u64) {
        if let Some(segment) = self.live.iter_mut().find(|segment| segment.number == number) {
            segment.attempts = segment.attempts.saturating_sub(1);
        }
    }

    /// The oldest segment, when others wait behind it for too long.
    pub(super) fn overdue(&self) -> Option<u64> {
        let oldest = self.live.front().filter(|oldest| oldest.attempts > 0)?;
        (self.live.len() >= OVERDUE).then_some(oldest.number)
    }

    /// Takes back what a write that broke off has left behind.
    pub(super) fn mend(&mut self) -> Result<(), JournalError> {
        let (Some(segment), true) = (self.live.back(), self.is_torn) else { return Ok(()) };
        self.disk.file.set_len(segment.length).map_err(JournalError::Write)?;
        self.is_torn = false;
        Ok(())
    }

    /// Appends a frame whose payload is there and whose front is not filled in. `halfway` is called between its halves.
    pub(super) fn write(&mut self, frame: &mut [u8], halfway: impl FnOnce()) -> Result<(), JournalError> {
        let Some(segment) = self.live.back_mut() else { return Err(JournalError::Unwritable) };
        frame::close(frame, segment.number, segment.length);
        self.is_torn = true;
        self.disk.write(frame, halfway).map_err(JournalError::Write)?;
        self.is_torn = false;
        segment.length = segment.length.saturating_add(u64::try_from(frame.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Seals the current segment with the given frame, and begins the next one.
    pub(super) fn rotate(&mut self, seal: &[u8], probe: &Probe) -> Result<(), JournalError> {
        self.write(&mut seal.to_vec(), || ())?;
        probe.reached(CrashPoint::SegmentSealed);
        let number = self.current().saturating_add(1);
        let disk = &mut self.disk;
        disk.file = create(&disk.directory, disk.database, number)?;
        disk.unsynced.extend([disk.file.clone(), opened(&disk.directory)?]);
        self.live.push_back(Segment::new(number));
        probe.reached(CrashPoint::SegmentCreated);
        Ok(())
    }

    /// The files that have to be synced for everything written so far.
    pub(super) fn take_unsynced(&mut self) -> Vec<Arc<File>> {
        std::mem::take(&mut self.disk.unsynced)
    }

    /// Removes segments that nobody needs, from the oldest on: what a later one says about an earlier one stays as long as that.
    pub(super) fn drop_confirmed(&mut self, probe: &Probe) -> Result<(), JournalError> {
        while self.live.len() > 1 && self.live.front().is_some_and(|oldest| oldest.attempts == 0) {
            if let Some(oldest) = self.live.front() {
                remove(&path(&self.disk.directory, oldest.number))?;
            }
            self.live.pop_front();
            probe.reached(CrashPoint::SegmentDropped);
        }
        Ok(())
    }
}

impl Segments {
    /// True when there are segments before the current one.
    pub(super) fn has_predecessors(&self) -> bool {
        self.live.len() > 1
    }

    /// Removes all segments, if nobody needs one.
    pub(super) fn close(&mut self) -> Result<(), JournalError> {
        if self.live.iter().any(|segment| segment.attempts > 0) {
            return Ok(());
        }
        self.live.iter().try_for_each(|segment| remove(&path(&self.disk.directory, segment.number)))
    }
}

impl Segment {
    fn new(number: u64) -> Self {
        Self { number, length: u64::try_from(frame::HEADER).unwrap_or(u64::MAX), attempts: 0 }
    }
}

impl Disk {
    fn write(&mut self, frame: &[u8], halfway: impl FnOnce()) -> io::Result<()> {
        if self.unsynced.is_empty() {
            self.unsynced.push(self.file.clone());
        }
        let mut file = self.file.as_ref();
        if cfg!(debug_assertions) {
            let (front, back) = frame.split_at(frame.len() / 2);
            file.write_all(front)?;
            halfway();
            file.write_all(back)
        } else {
            file.write_all(frame)
        }
    }
}

fn create(directory: &Path, database: [u8; 16], number: u64) -> Result<Arc<File>, JournalError> {
    let path = path(directory, number);
    // One that a failed rotation has left behind has nothing in it that was ever relied on.
    let created = OpenOptions::new().append(true).create(true).mode(0o600).open(&path).and_then(|mut file| {
        file.set_len(0)?;
        file.write_all(&frame::header(number, database))?;
        Ok(Arc::new(file))
    });
    created.map_err(|source| JournalError::File { path, source })
}

fn opened(path: &Path) -> Result<Arc<File>, JournalError> {
    File::open(path).map(Arc::new).map_err(|source| JournalError::File { path: path.to_owned(), source })
}

/// Removes a segment, unless it is gone already.
pub(super) fn remove(path: &Path) -> Result<(), JournalError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(JournalError::File { path: path.to_owned(), source: error })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
