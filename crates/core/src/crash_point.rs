//! Crash points: the named places at which a test can stop the process for good, to see what is left of its books.
//!
//! They exist in builds with debug assertions only. In every other build a [`Probe`] is nothing, and reaching a point does nothing.

#[cfg(debug_assertions)]
use std::sync::Arc;

macro_rules! crash_points {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        /// A place at which a process may die.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum CrashPoint {
            $($(#[$doc])* $name,)+
        }

        impl CrashPoint {
            /// Every point, along the way of an attempt.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The point's name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The point of this name.
            #[must_use]
            pub fn find(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|point| point.as_str() == name)
            }
        }
    };
}

crash_points! {
    /// Nothing is held yet.
    Asked = "asked";
    /// Every meter holds, and the journal does not know.
    Held = "held";
    /// Half of the hold's record is in the journal.
    HoldHalfWritten = "hold_half_written";
    /// The hold is in the journal.
    HoldWritten = "hold_written";
    /// The request is about to leave for the provider.
    RequestLeaving = "request_leaving";
    /// The provider's answer has begun.
    AnswerBegan = "answer_began";
    /// A piece of the answer was passed on.
    PieceRelayed = "piece_relayed";
    /// The whole answer was read, and nothing is settled.
    AnswerEnded = "answer_ended";
    /// The hold is about to be dropped, and the journal does not know.
    Releasing = "releasing";
    /// The journal knows that the hold was dropped.
    ReleaseWritten = "release_written";
    /// The meters count what was used, and the journal does not know.
    MetersSettled = "meters_settled";
    /// Half of the settlement's record is in the journal.
    SettlementHalfWritten = "settlement_half_written";
    /// The settlement is in the journal.
    SettlementWritten = "settlement_written";
    /// The entry waits for the database.
    EntryQueued = "entry_queued";
    /// Entries were taken to be written in one transaction.
    BatchTaken = "batch_taken";
    /// The transaction has the entries, and not what the counters gain by them.
    EntriesInserted = "entries_inserted";
    /// The transaction has everything, and is not committed.
    CountersMoved = "counters_moved";
    /// The database has the entries, and the journal does not know.
    BatchCommitted = "batch_committed";
    /// The journal knows that the database has the entries.
    BatchConfirmed = "batch_confirmed";
    /// A segment of the journal is sealed, and the next one does not exist.
    SegmentSealed = "segment_sealed";
    /// The next segment exists, and is empty.
    SegmentCreated = "segment_created";
    /// A running attempt's hold was written again into the current segment.
    HoldCarried = "hold_carried";
    /// A segment that nobody needs was removed.
    SegmentDropped = "segment_dropped";
    /// At the start: the journal was read, and nothing done about it.
    RecoveryRead = "recovery_read";
    /// At the start: the database has what the journal had, and the segments are still there.
    RecoveryAppended = "recovery_appended";
    /// At the start: the first of the old segments is removed.
    RecoveryHalfDropped = "recovery_half_dropped";
}

#[cfg(debug_assertions)]
type Reached = Arc<dyn Fn(CrashPoint) + Send + Sync>;

/// Is told whenever a crash point is reached.
#[derive(Clone, Default)]
pub struct Probe(#[cfg(debug_assertions)] Option<Reached>);

impl Probe {
    /// A probe that calls `reached` at every point.
    #[cfg(debug_assertions)]
    pub fn new(reached: impl Fn(CrashPoint) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(reached)))
    }

    /// The process is at this point.
    #[inline]
    pub fn reached(&self, point: CrashPoint) {
        #[cfg(debug_assertions)]
        if let Some(reached) = &self.0 {
            reached(point);
        }
        #[cfg(not(debug_assertions))]
        let _ = point;
    }
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Probe")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_find_their_point() {
        assert!(CrashPoint::ALL.len() >= 20);
        for point in CrashPoint::ALL {
            assert_eq!(CrashPoint::find(point.as_str()), Some(*point));
        }
    }
}
