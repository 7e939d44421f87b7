//! Admission on the allow path asks for no memory, and settlement once: for the postings of the entry, which outlives the attempt.

use keyward_core::crash_point::Probe;
use keyward_core::ledger::LedgerEntry;
use keyward_core::meter::EnforcementDefaults;
use keyward_engine::{Engine, Journal, Ledger, Receipt};
use std::sync::Arc;

use crate::world::{Prepared, put_eight_meters};

/// Forgets what it is given.
struct Sink;

impl Ledger for Sink {
    fn append(&self, _: LedgerEntry, receipt: Receipt) {
        receipt.confirm();
    }

    fn is_available(&self) -> bool {
        true
    }
}

#[test]
fn an_attempt_over_eight_meters_allocates_the_postings_of_its_entry() {
    let engine = Engine::new(Arc::new(Sink), Journal::in_memory(), EnforcementDefaults::default(), Probe::default());
    put_eight_meters(&engine);
    let attempt = Prepared::new();
    // The first ones make the plan, and the place where running attempts are kept.
    (0..64).for_each(|_| assert!(attempt.run(&engine).is_some()));
    let measured = allocation_counter::measure(|| (0..1_000).for_each(|_| assert!(attempt.run(&engine).is_some())));
    assert_eq!(measured.count_total, 1_000);
}
