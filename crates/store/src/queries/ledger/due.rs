//! What a batch adds to each meter, in the order of its entries.

use std::collections::HashMap;

use jiff::Timestamp;
use keyward_core::ledger::{LedgerEntry, Posting};
use keyward_core::meter::MeterId;

use super::super::Conn;
use super::super::event::Reading;
use super::super::meter::{self, Counted, Share};
use super::ROWS;
use crate::error::StoreError;

/// Shares of the meters of a batch.
#[derive(Default)]
pub(super) struct Due<'a> {
    shares: Vec<(&'a MeterId, Vec<Share>)>,
    /// Where the shares of a meter are.
    known: HashMap<&'a MeterId, usize>,
    /// Which share of which meter each posting has gone into.
    places: Vec<(usize, usize)>,
}

/// What became of a batch.
pub(super) struct Posted<'a> {
    /// The epoch that each posting was counted in.
    pub(super) epochs: Vec<Option<i64>>,
    /// What the counters read.
    pub(super) readings: Vec<Reading<'a>>,
}

impl<'a> Due<'a> {
    /// What these entries add.
    pub(super) fn of(entries: &[&'a LedgerEntry]) -> Self {
        let mut due = Self::default();
        for entry in entries {
            entry.postings.iter().for_each(|posting| due.add(posting, entry.settled_at));
        }
        due
    }

    /// Postings that follow each other in the same window are one share.
    fn add(&mut self, posting: &'a Posting, settled_at: Timestamp) {
        let Posting { meter, window, amount, cap, held: _, would_refuse: _ } = posting;
        let (window, amount, cap) = (*window, *amount, *cap);
        let of_meter = *self.known.entry(meter).or_insert_with(|| {
            self.shares.push((meter, Vec::with_capacity(1)));
            self.shares.len() - 1
        });
        let Some((_, shares)) = self.shares.get_mut(of_meter) else { return };
        match shares.last_mut() {
            Some(share) if share.window == window => {
                share.amount = share.amount.saturating_add(amount);
                (share.cap, share.settled_at) = (cap, settled_at);
            }
            Some(_) | None => shares.push(Share { window, amount, cap, settled_at, counted: None }),
        }
        self.places.push((of_meter, shares.len() - 1));
    }

    /// Adds the shares to the counters: first the first of each meter, then the second. Meters have an order, so that two batches that
    /// meet in the database never wait for each other in a circle.
    pub(super) fn post(mut self, c: &mut Conn) -> Result<Posted<'a>, StoreError> {
        for turn in 0.. {
            let shares = self.shares.iter_mut();
            let mut shares: Vec<_> =
                shares.filter_map(|(meter, shares)| Some((*meter, shares.get_mut(turn)?))).collect();
            if shares.is_empty() {
                break;
            }
            shares.sort_unstable_by_key(|(meter, _)| *meter);
            for chunk in shares.chunks_mut(ROWS) {
                meter::post(c, chunk)?;
            }
        }
        Ok(Posted { epochs: self.epochs(), readings: self.readings() })
    }

    fn epochs(&self) -> Vec<Option<i64>> {
        let epoch = |(of_meter, place): &(usize, usize)| {
            let (_, shares) = self.shares.get(*of_meter)?;
            Some(shares.get(*place)?.counted?.epoch)
        };
        self.places.iter().map(epoch).collect()
    }

    fn readings(&self) -> Vec<Reading<'a>> {
        let shares = self.shares.iter().flat_map(|(meter, shares)| shares.iter().map(|share| (*meter, share)));
        let readings = shares.filter_map(|(meter, share)| {
            let Counted { epoch, count } = share.counted?;
            Some(Reading { meter, epoch, count, cap: share.cap, at: share.settled_at })
        });
        readings.collect()
    }
}
