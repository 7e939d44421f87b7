//! Whether a request fits what is left, by the counters that its predecessors have moved.

use std::collections::HashMap;

use keyward_core::error_code::ErrorCode;
use keyward_core::ledger::{LedgerEntry, Posting};
use keyward_core::meter::{Count, Enforcement, Meter, MeterId, Metric};
use keyward_core::virtual_key::VirtualKey;

use super::{World, scopes};

/// The counters so far.
pub(super) struct Admission<'a> {
    world: &'a World,
    counts: HashMap<MeterId, Count>,
}

impl<'a> Admission<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        Self { world, counts: HashMap::new() }
    }

    /// Posts what an attempt has used to all meters that cover it; or says why the gateway refuses it.
    pub(super) fn admit(&mut self, entry: &mut LedgerEntry, key: &VirtualKey) -> Result<(), ErrorCode> {
        if !key.is_active {
            return Err(ErrorCode::VirtualKeyBlocked);
        }
        if key.expires_at.is_some_and(|until| until <= entry.admitted_at) {
            return Err(ErrorCode::VirtualKeyExpired);
        }
        let set = scopes::covering(self.world, key, &entry.attribution);
        if set.budget().is_some() && entry.pricing.is_none() {
            return Err(ErrorCode::ModelPriceUnknown);
        }
        let mut moved = Vec::with_capacity(set.meters().len());
        for meter in set.meters() {
            let (posting, count) = self.posted(meter, entry);
            if posting.would_refuse && meter.enforcement != Enforcement::Shadow {
                return Err(code(meter.id.metric));
            }
            entry.postings.push(posting);
            moved.push((meter.id.clone(), count));
        }
        self.counts.extend(moved);
        Ok(())
    }

    fn posted(&self, meter: &Meter, entry: &LedgerEntry) -> (Posting, Count) {
        let (at, cap) = (entry.admitted_at, meter.cap_at(entry.admitted_at));
        let window = meter.window_at(at);
        let before = self.counts.get(&meter.id).map_or(Count::empty(window), |count| count.rolled(window, at));
        let (held, amount) = amounts(meter.id.metric, entry);
        let room = match meter.enforcement {
            Enforcement::Soft => before.used < cap,
            Enforcement::Hard | Enforcement::Shadow => before.used.saturating_add(held) <= cap,
        };
        let posting = Posting { meter: meter.id.clone(), window, cap, held, amount, would_refuse: !room };
        (posting, before.posted(window, amount))
    }
}

/// What an attempt has held, and used.
fn amounts(metric: Metric, entry: &LedgerEntry) -> (i64, i64) {
    let tokens = i64::try_from(entry.usage.counts.total()).unwrap_or(i64::MAX);
    match metric {
        Metric::ParallelRequests => (1, 0),
        Metric::Requests => (1, 1),
        Metric::Tokens => (tokens.saturating_mul(3) / 2, tokens),
        Metric::Cost => (entry.held.nanos(), entry.cost.nanos()),
    }
}

const fn code(metric: Metric) -> ErrorCode {
    match metric {
        Metric::ParallelRequests => ErrorCode::ConcurrencyLimited,
        Metric::Requests => ErrorCode::RequestLimited,
        Metric::Tokens => ErrorCode::TokenLimited,
        Metric::Cost => ErrorCode::BudgetExceeded,
    }
}
