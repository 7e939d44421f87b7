//! Entries of the ledger, page by page.

use keyward_core::ledger::{LedgerEntry, LedgerFilter, LedgerOrder, LedgerPlace, LedgerRecord, Outcome};
use keyward_core::usage::{Filters, Hour, RefusalCount, Series};
use keyward_store::Store;

use super::{Made, attempt, fold, matches, minutes, series};
use crate::database::Database;

/// How many entries a page has: more than some hours have of what is asked for, fewer than others.
const PAGE: i64 = 7;

/// Sixty attempts, eight of each hour that has any, several in the same instant, with owners, models and outcomes mixed; and an hour in
/// which two virtual keys have more of one kind than a page takes.
fn attempts() -> Vec<LedgerEntry> {
    let made = |n: u8| {
        let minute = 200 * i64::from(n / 8) + i64::from(n % 3);
        Made { key: n % 4, model: n % 3, outcome: usize::from(n % 5), is_batch: false, cost: 10, minute, millis: 400 }
    };
    let alike = |n: u8| Made { key: n % 2, model: 1, outcome: 0, minute: 2_000, ..made(n) };
    (0..60).map(made).chain((60..72).map(alike)).zip(0..).map(|(made, n)| attempt(&format!("r{n:02}"), &made)).collect()
}

fn asked() -> Vec<Filters> {
    let some = |text: &str| Some(text.to_owned());
    let all = Filters::default;
    vec![
        all(),
        Filters { team: some("team 1"), ..all() },
        Filters { team: some(""), ..all() },
        Filters { customer: some("customer"), ..all() },
        Filters { virtual_key: some("key 2"), ..all() },
        Filters { model: some("model 2"), ..all() },
        Filters { provider: some("openai"), ..all() },
        Filters { outcome: some("abandoned"), ..all() },
        Filters { outcome: some("budget_exceeded"), ..all() },
        Filters { virtual_key: some("key 2"), outcome: some("abandoned"), ..all() },
        Filters { virtual_key: some("key 1"), team: some("team 1"), ..all() },
        Filters { virtual_key: some("key 1"), team: some("team 3"), ..all() },
        Filters { team: some(""), model: some("model 0"), ..all() },
        Filters { team: some("team 3"), model: some("model 1"), outcome: some("completed"), ..all() },
        Filters { model: some("model 1"), outcome: some("timed_out"), ..all() },
    ]
}

/// Reads to the end, a page after another.
async fn pages(store: &Store, mut filter: LedgerFilter) -> Vec<LedgerPlace> {
    let mut seen = Vec::new();
    loop {
        let page = store.ledger_list(filter.clone(), PAGE).await.unwrap();
        assert!(page.len() as i64 <= PAGE);
        seen.extend(page.iter().map(LedgerRecord::place));
        filter.after = page.last().map(LedgerRecord::place);
        if (page.len() as i64) < PAGE {
            return seen;
        }
    }
}

/// Pages have each entry that matches once, in both orders, whenever they begin and end.
async fn read_through(store: &Store) {
    let all = store.ledger_list(LedgerFilter::default(), i64::MAX).await.unwrap();
    assert_eq!(all.len(), 72);
    for filters in asked() {
        for (from, to) in [(None, None), (Some(minutes(1)), None), (Some(minutes(200)), Some(minutes(602)))] {
            let is_wanted = |record: &&LedgerRecord| {
                let is_within =
                    from.is_none_or(|from| record.settled_at >= from) && to.is_none_or(|to| record.settled_at < to);
                is_within && matches(&filters, &series(record))
            };
            let mut expected: Vec<LedgerPlace> = all.iter().filter(is_wanted).map(LedgerRecord::place).collect();
            for order in [LedgerOrder::Desc, LedgerOrder::Asc] {
                let filter = LedgerFilter { from, to, order, filters: filters.clone(), ..LedgerFilter::default() };
                assert_eq!(pages(store, filter.clone()).await, expected, "{filter:?}");
                expected.reverse();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_ledger_follow_each_other() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    store.ledger_append(attempts()).await.unwrap();
    for folded in [0, 700, 5_000] {
        fold(&store, minutes(folded)).await;
        read_through(&store).await;
    }
}

/// Where so many series match that they are not looked at one by one, the same is found.
#[tokio::test(flavor = "multi_thread")]
async fn pages_are_the_same_among_very_many_series() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    store.ledger_append(attempts()).await.unwrap();
    let of = |n: usize| Series {
        virtual_key: format!("other {n}"),
        team: if n.is_multiple_of(2) { String::new() } else { "team 1".to_owned() },
        provider: "openai".to_owned(),
        model: format!("model {}", n % 3),
        // As if attempts had ended so: series of refusals alone are not looked for.
        outcome: Outcome::ALL[n % 5].as_str().to_owned(),
        ..Series::default()
    };
    let refused = (0..13_000).map(|n| RefusalCount { hour: Hour::of(minutes(300)), series: of(n), count: 1 });
    store.refusals_add(refused.collect()).await.unwrap();
    for folded in [0, 700, 5_000] {
        fold(&store, minutes(folded)).await;
        read_through(&store).await;
    }
}

/// One request is found by its id.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_says_how_long_it_took() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    store.ledger_append(attempts()).await.unwrap();
    let one = LedgerFilter { request_id: Some("r09".to_owned()), ..LedgerFilter::default() };
    let found = store.ledger_list(one, 100).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].latency_ms, found[0].time_to_first_byte_ms, found[0].cost.nanos()), (400, Some(200), 10));
}
