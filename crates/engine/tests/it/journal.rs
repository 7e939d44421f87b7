//! The journal: what a process leaves behind, and what becomes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use keyward_core::crash_point::Probe;
use keyward_core::ledger::{LedgerEntry, Outcome, UsageSource};
use keyward_core::meter::EnforcementDefaults;
use keyward_core::money::NanoUsd;
use keyward_core::price::{ServiceTier, TokenUsage, Usage};
use keyward_core::refusal::Refusal;
use keyward_engine::{
    Admission, Engine, Journal, JournalError, JournalOptions, Ledger, Receipt, Recovery, Settlement, Tail, inspect,
};
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use crate::world::{HASH, ask, at, budget, demand, hashes, key, output, price, rate_limit, settled};

/// A ledger that confirms when it is told to.
#[derive(Default)]
struct Slow(Mutex<Vec<(LedgerEntry, Receipt)>>);

impl Ledger for Slow {
    fn append(&self, entry: LedgerEntry, receipt: Receipt) {
        self.0.lock().unwrap().push((entry, receipt));
    }

    fn is_available(&self) -> bool {
        true
    }
}

impl Slow {
    fn confirm(&self) {
        self.0.lock().unwrap().drain(..).for_each(|(_, receipt)| receipt.confirm());
    }

    fn entries(&self) -> Vec<LedgerEntry> {
        self.0.lock().unwrap().iter().map(|(entry, _)| entry.clone()).collect()
    }
}

struct Node {
    engine: Engine,
    ledger: Arc<Slow>,
    directory: TempDir,
}

fn options(directory: &Path, segment_bytes: u64, max_bytes: u64) -> JournalOptions {
    JournalOptions { directory: directory.join("journal"), database: [7; 16], segment_bytes, max_bytes }
}

fn opened(directory: &Path, segment_bytes: u64, max_bytes: u64) -> Journal {
    Recovery::read(options(directory, segment_bytes, max_bytes)).unwrap().finish(Probe::default()).unwrap()
}

impl Node {
    fn start(segment_bytes: u64, max_bytes: u64) -> Self {
        let (directory, ledger) = (tempfile::tempdir().unwrap(), Arc::new(Slow::default()));
        let journal = opened(directory.path(), segment_bytes, max_bytes);
        let engine = Engine::new(ledger.clone(), journal, EnforcementDefaults::default(), Probe::default());
        let limits = json!({ "budgets": [budget("b", 1_000_000, 60)], "rate_limit": rate_limit("r", Some(9_000_000), Some(9_000)) });
        engine.put_virtual_key(hashes(HASH), &key(limits), at(0));
        Self { engine, ledger, directory }
    }

    fn roomy() -> Self {
        Self::start(1 << 20, 1 << 24)
    }

    fn ask(&self, tokens: u64) -> Result<Admission, Refusal> {
        ask(&self.engine, &HASH, ("p", "m"), demand(tokens), Some(price()), at(1))
    }

    /// The journal as a process would leave it that dies now.
    fn left_behind(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        fs::create_dir(copy.path().join("journal")).unwrap();
        for path in self.segments() {
            fs::copy(&path, copy.path().join("journal").join(path.file_name().unwrap())).unwrap();
        }
        copy
    }

    fn segments(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.directory.path().join("journal")).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> =
            files.filter(|path| path.extension().is_some_and(|end| end == "journal")).collect();
        files.sort();
        files
    }
}

fn recovered(directory: &Path) -> Result<Vec<LedgerEntry>, JournalError> {
    Recovery::read(options(directory, 1 << 20, 1 << 24)).map(|recovery| recovery.entries())
}

/// I9: what was settled comes back as it was, what was released does not come back, what was running is charged its hold.
#[test]
fn i9_what_a_process_leaves_behind_is_recovered() {
    let node = Node::roomy();
    node.ask(50).unwrap().settle(settled(Some(output(30)), at(3)));
    node.ask(60).unwrap().release();
    let running = node.ask(70).unwrap();
    let found = recovered(node.left_behind().path()).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], node.ledger.entries()[0]);
    assert_eq!((found[1].outcome, found[1].usage_source), (Outcome::Abandoned, UsageSource::Estimated));
    assert_eq!((found[1].cost.nanos(), found[1].held.nanos()), (70, 70));
    // Had the task died instead of the process, the books would say the same.
    drop(running);
    assert_eq!(found[1], node.ledger.entries()[1]);
}

/// I9: every class, the tier and what the provider has billed come back as they were, also without a price.
#[test]
fn i9_all_that_was_used_comes_back() {
    let node = Node::roomy();
    let counts = TokenUsage { cache_write_1h: 3, audio_output: 5, searches: 2, ..output(7) };
    let usage = Usage { counts, tier: ServiceTier::Priority, reported: Some(NanoUsd::from_nanos(99)) };
    let end = Settlement { usage: Some(usage), is_counted: false, ..settled(None, at(3)) };
    node.ask(50).unwrap().settle(end);
    node.engine.put_virtual_key(hashes(HASH), &key(json!({})), at(3));
    let billed = ask(&node.engine, &HASH, ("openrouter", "m"), demand(50), None, at(4)).unwrap();
    billed.settle(end);
    let found = recovered(node.left_behind().path()).unwrap();
    assert_eq!(found, node.ledger.entries());
    assert_eq!(found[1].cost.nanos(), 99);
    assert_eq!(found[1].usage, usage);
}

proptest! {
    /// I9: wherever the last write was cut short, every attempt whose hold was written comes back once, and none costs less than it did.
    #[test]
    fn i9_a_torn_tail_loses_no_attempt_that_could_have_left(cut in any::<prop::sample::Index>()) {
        let node = Node::roomy();
        let mut known = Vec::new();
        let length = |node: &Node| fs::metadata(&node.segments()[0]).unwrap().len() as usize;
        let header = length(&node);
        for tokens in [50, 60, 70] {
            let admission = node.ask(tokens).unwrap();
            let held_at = length(&node);
            admission.settle(settled(Some(output(tokens / 2)), at(3)));
            known.push((tokens, held_at, length(&node)));
        }
        let copy = node.left_behind();
        let path = copy.path().join("journal").join(node.segments()[0].file_name().unwrap());
        let bytes = fs::read(&path).unwrap();
        let cut = header + cut.index(bytes.len() - header + 1);
        fs::write(&path, &bytes[..cut]).unwrap();
        let mut found: Vec<i64> = recovered(copy.path()).unwrap().iter().map(|entry| entry.cost.nanos()).collect();
        let mut expected: Vec<i64> = known.iter().filter(|(_, held_at, _)| *held_at <= cut)
            .map(|(tokens, _, settled_at)| (if *settled_at <= cut { tokens / 2 } else { *tokens }) as i64).collect();
        found.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn damage_in_the_middle_stops_the_start_and_names_the_place() {
    let node = Node::roomy();
    node.ask(50).unwrap().settle(settled(Some(output(30)), at(3)));
    node.ask(60).unwrap().settle(settled(Some(output(30)), at(3)));
    let copy = node.left_behind();
    let path = copy.path().join("journal").join(node.segments()[0].file_name().unwrap());
    let mut bytes = fs::read(&path).unwrap();
    bytes[60] ^= 1;
    fs::write(&path, &bytes).unwrap();
    match recovered(copy.path()) {
        Err(JournalError::Damaged { segment, offset, .. }) => assert_eq!((segment, offset), (path.clone(), 32)),
        other => panic!("{other:?}"),
    }
    assert!(matches!(inspect(&copy.path().join("journal")).unwrap().segments[0].tail, Tail::Damaged(32, _)));
    assert!(path.exists());
}

#[test]
fn a_missing_segment_another_database_and_another_process_stop_the_start() {
    let node = Node::start(600, 1 << 24);
    (0..16).for_each(|_| drop(node.ask(50).unwrap()));
    assert!(node.segments().len() >= 3);
    let in_use = Recovery::read(options(node.directory.path(), 600, 1 << 24));
    assert!(matches!(in_use, Err(JournalError::InUse(_))));
    let copy = node.left_behind();
    let foreign = JournalOptions { database: [8; 16], ..options(copy.path(), 600, 1 << 24) };
    assert!(matches!(Recovery::read(foreign), Err(JournalError::OtherDatabase(_))));
    fs::remove_file(copy.path().join("journal").join(node.segments()[1].file_name().unwrap())).unwrap();
    assert!(matches!(recovered(copy.path()), Err(JournalError::Missing(_))));
}

#[test]
fn segments_go_when_the_database_has_their_attempts_and_running_ones_are_carried_along() {
    let node = Node::start(600, 1 << 24);
    let running = node.ask(77).unwrap();
    for _ in 0..40 {
        node.ask(5).unwrap().settle(settled(Some(output(5)), at(2)));
        node.ledger.confirm();
        node.engine.tend_journal(true).unwrap();
        assert!(node.segments().len() <= 4, "{}", node.segments().len());
    }
    let found = recovered(node.left_behind().path()).unwrap();
    let abandoned: Vec<i64> =
        found.iter().filter(|entry| entry.outcome == Outcome::Abandoned).map(|entry| entry.cost.nanos()).collect();
    assert_eq!(abandoned, [77], "the attempt that ran all the time is there once");
    running.settle(settled(Some(output(7)), at(2)));
    node.ledger.confirm();
    node.engine.tend_journal(true).unwrap();
    node.engine.journal().close().unwrap();
    assert!(node.segments().is_empty(), "nothing is left to recover");
}

#[test]
fn a_disk_that_refuses_closes_admission_until_it_works_again() {
    let node = Node::start(600, 1 << 24);
    let (running, dropped) = (node.ask(11).unwrap(), node.ask(12).unwrap());
    let (place, away) = (node.directory.path().join("journal"), node.directory.path().join("away"));
    // Without the directory no segment can be begun.
    fs::rename(&place, &away).unwrap();
    let refused = (0..10).find_map(|_| node.ask(5).map(drop).err());
    assert_eq!(refused, Some(Refusal::BooksUnavailable));
    let used = node.engine.open_attempts();
    assert_eq!(node.ask(5).map(drop), Err(Refusal::BooksUnavailable));
    assert_eq!(node.engine.open_attempts(), used, "a refusal holds nothing");
    assert!(node.engine.tend_journal(true).is_err());
    dropped.release();
    fs::rename(&away, &place).unwrap();
    node.engine.tend_journal(true).unwrap();
    drop(node.ask(5).unwrap());
    let found = recovered(node.left_behind().path()).unwrap();
    let has = |cost| found.iter().any(|entry| entry.cost.nanos() == cost);
    assert!(has(11), "what was running is still known");
    assert!(!has(12), "what was dropped meanwhile is not charged");
    drop(running);
    node.ledger.confirm();
    node.engine.tend_journal(true).unwrap();
    assert_eq!(node.segments().len(), 1, "nothing keeps the old segments");
}

#[test]
fn a_full_journal_closes_admission_until_the_database_has_caught_up() {
    let node = Node::start(600, 4_000);
    let refused = (0..100).find_map(|_| node.ask(5).map(drop).err());
    assert_eq!(refused, Some(Refusal::BooksUnavailable));
    node.ledger.confirm();
    node.engine.tend_journal(true).unwrap();
    drop(node.ask(5).unwrap());
}

/// An attempt whose task is stuck is charged what it held, once, and its late end changes nothing.
#[test]
fn a_hold_without_a_sign_of_life_lapses() {
    let node = Node::roomy();
    let (stuck, alive) = (node.ask(50).unwrap(), node.ask(60).unwrap());
    let pulse = alive.pulse();
    let lapsed: Vec<usize> = (0..4)
        .map(|_| {
            pulse.beat();
            node.engine.expire(2, at(9))
        })
        .collect();
    assert_eq!(lapsed, [0, 0, 1, 0]);
    assert_eq!(stuck.settle(settled(Some(output(1)), at(9))), None);
    alive.settle(settled(Some(output(1)), at(9)));
    let costs: Vec<_> = node.ledger.entries().iter().map(|entry| (entry.outcome, entry.cost.nanos())).collect();
    assert_eq!(costs, [(Outcome::Abandoned, 50), (Outcome::Completed, 1)]);
    assert_eq!(node.engine.open_attempts(), 0);
}
