//! What a check of the books finds: where a counter is not the sum of its postings, or an entry does not explain itself.

use std::fmt;

use crate::ids::RequestId;
use crate::meter::MeterId;
use crate::money::NanoUsd;
use crate::window::Window;

/// What a check of the books has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconciliation {
    /// How many counters were compared.
    pub counters: usize,
    /// How many entries were looked at.
    pub entries: usize,
    /// Counters that are not the sum of the ledger. The ledger is right.
    pub differences: Vec<Difference>,
    /// Entries that are not what they should be.
    pub faults: Vec<EntryFault>,
}

/// A counter that is not the sum of its postings and adjustments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The meter.
    pub meter: MeterId,
    /// The window that is counted.
    pub window: Window,
    /// The counter's epoch.
    pub epoch: i64,
    /// What the counter reads; none: there is no counter.
    pub counter: Option<i64>,
    /// What the ledger says.
    pub ledger: i64,
}

/// An entry that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFault {
    /// The entry's request.
    pub request_id: RequestId,
    /// Which attempt of it.
    pub attempt: i32,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// It has fewer or more postings than were written with it.
    Postings {
        /// How many were written.
        written: i64,
        /// How many there are.
        found: i64,
    },
    /// Its breakdown does not add up to its cost.
    Cost {
        /// What it cost.
        cost: NanoUsd,
        /// The sum of the breakdown; none: it has none.
        breakdown: Option<NanoUsd>,
    },
    /// The cost of a class is not what there is of it at its rate.
    Breakdown,
    /// What it used of each class does not add up to its tokens.
    Usage,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { meter, window, epoch: _, counter, ledger } = self;
        let (limit, metric) = (&meter.limit, meter.metric.as_str());
        write!(f, "limit {limit}, {metric}, window {} to {}: ", window.start, window.end)?;
        match counter {
            Some(counter) => write!(f, "the counter reads {counter}, the ledger {ledger}"),
            None => write!(f, "there is no counter, the ledger reads {ledger}"),
        }
    }
}

impl fmt::Display for EntryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request_id, attempt, kind } = self;
        write!(f, "request {request_id}, attempt {attempt}: ")?;
        match kind {
            FaultKind::Postings { written, found } => write!(f, "{written} postings were written, {found} are there"),
            FaultKind::Cost { cost, breakdown: Some(sum) } => {
                write!(f, "it cost {cost}, its breakdown adds up to {sum}")
            }
            FaultKind::Cost { cost, breakdown: None } => write!(f, "it cost {cost}, and has no breakdown"),
            FaultKind::Breakdown => f.write_str("its breakdown is not what it used at its rates"),
            FaultKind::Usage => f.write_str("its classes do not add up to its tokens"),
        }
    }
}
