//! What a batch adds to each meter, in the order of its entries.
//!
//! Meters are ordered, so that two batches that meet in the database never wait for each other in a circle.

use std::collections::BTreeMap;

use keyward_core::ledger::{LedgerEntry, Posting};
use keyward_core::meter::MeterId;

use super::super::Conn;
use super::super::meter::{self, Share};
use super::ROWS;
use crate::error::StoreError;

/// Shares of the meters of a batch.
#[derive(Default)]
pub(super) struct Due<'a> {
    shares: BTreeMap<&'a MeterId, Vec<Share>>,
    /// Which share of its meter each posting has gone into.
    places: Vec<(&'a MeterId, usize)>,
}

impl<'a> Due<'a> {
    /// What these entries add.
    pub(super) fn of(entries: &[&'a LedgerEntry]) -> Self {
        let mut due = Self::default();
        entries.iter().flat_map(|entry| &entry.postings).for_each(|posting| due.add(posting));
        due
    }

    /// Postings that follow each other in the same window are one share.
    fn add(&mut self, posting: &'a Posting) {
        let Posting { meter, window, amount, cap: _, held: _, would_refuse: _ } = posting;
        let shares = self.shares.entry(meter).or_default();
        match shares.last_mut() {
            Some(share) if share.window == *window => share.amount = share.amount.saturating_add(*amount),
            Some(_) | None => shares.push(Share { window: *window, amount: *amount, epoch: None }),
        }
        self.places.push((meter, shares.len().saturating_sub(1)));
    }

    /// Adds the shares to the counters: first the first of each meter, then the second. Returns the epoch that each posting was
    /// counted in.
    pub(super) fn post(mut self, c: &mut Conn) -> Result<Vec<Option<i64>>, StoreError> {
        for turn in 0.. {
            let shares = self.shares.iter_mut();
            let mut shares: Vec<_> =
                shares.filter_map(|(meter, shares)| Some((*meter, shares.get_mut(turn)?))).collect();
            if shares.is_empty() {
                break;
            }
            for chunk in shares.chunks_mut(ROWS) {
                meter::post(c, chunk)?;
            }
        }
        let epoch = |(meter, place): (&MeterId, usize)| self.shares.get(meter)?.get(place)?.epoch;
        Ok(self.places.into_iter().map(epoch).collect())
    }
}
