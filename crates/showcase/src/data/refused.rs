//! Requests that were refused: they are no entries, and are counted by the hour.

use std::collections::BTreeMap;

use keyward_core::error_code::ErrorCode;
use keyward_core::ledger::LedgerEntry;
use keyward_core::usage::{Attribute, Hour, RefusalCount, Series};

/// How many, by hour and by whose they were.
#[derive(Default)]
pub(super) struct Refused(BTreeMap<(Hour, Series<Attribute>), u64>);

impl Refused {
    /// Counts a request that would have become this entry.
    pub(super) fn count(&mut self, entry: &LedgerEntry, code: ErrorCode) {
        let who = &entry.attribution;
        let series = Series {
            customer: who.customer_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            team: who.team_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            virtual_key: who.virtual_key_id.to_string(),
            provider: who.provider.to_string(),
            model: who.model.to_string(),
            outcome: code.as_str().to_owned(),
        };
        *self.0.entry((Hour::of(entry.admitted_at), series)).or_default() += 1;
    }

    pub(super) fn counts(self) -> Vec<RefusalCount> {
        self.0.into_iter().map(|((hour, series), count)| RefusalCount { hour, series, count }).collect()
    }
}
