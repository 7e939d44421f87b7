//! Rollups say what the ledger says, whatever has happened to it.

use keyward_core::catalogue::Catalogue;
use keyward_core::ledger::{LedgerEntry, LedgerFilter, LedgerRecord, Outcome, Rerating};
use keyward_core::price::ServiceTier;
use keyward_core::usage::{
    Attempted, Filters, Hour, RefusalCount, ReportBuilder, Series, Tally, UsageReport, UsageRequest,
};
use keyward_store::Store;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::{Made, attempt, fold, matches, minutes, refusal, request, series};
use crate::database::Database;
use crate::request::change;

fn made() -> impl Strategy<Value = Made> {
    (0..4_u8, 0..3_u8, 0..5_usize, any::<bool>(), 0..1_000_i64, 0..4_000_i64, 0..90_000_i64).prop_map(
        |(key, model, outcome, is_batch, cost, minute, millis)| Made {
            key,
            model,
            outcome,
            is_batch,
            cost,
            minute,
            millis,
        },
    )
}

#[derive(Debug, Clone)]
enum Step {
    Settle(Vec<Made>),
    Refuse(Vec<(u8, i64, u64)>),
    Fold(i64),
    Prune(i64),
    Rerate(i64, u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(made(), 1..30).prop_map(Step::Settle),
        2 => prop::collection::vec((0..4_u8, 0..4_000_i64, 1..9_u64), 1..5).prop_map(Step::Refuse),
        3 => (0..5_000_i64).prop_map(Step::Fold),
        1 => (0..4_000_i64).prop_map(Step::Prune),
        1 => (0..4_000_i64, 1..900_u32).prop_map(|(since, nanos)| Step::Rerate(since, nanos)),
    ]
}

/// The books, and what of them only the test knows.
struct Books {
    store: Store,
    settled: usize,
    refused: Vec<RefusalCount>,
}

impl Books {
    async fn carry_out(&mut self, step: &Step) {
        match step {
            Step::Settle(all) => {
                let entries: Vec<LedgerEntry> =
                    all.iter().zip(self.settled..).map(|(made, n)| attempt(&format!("r{n}"), made)).collect();
                self.settled += entries.len();
                // The last is given twice, which changes nothing.
                let again = entries.last().cloned();
                self.store.ledger_append(entries).await.unwrap();
                self.store.ledger_append(again.into_iter().collect::<Vec<_>>()).await.unwrap();
            }
            Step::Refuse(all) => {
                let refused: Vec<RefusalCount> =
                    all.iter().map(|(key, minute, count)| refusal(*key, *minute, *count)).collect();
                self.store.refusals_add(refused.clone()).await.unwrap();
                self.refused.extend(refused);
            }
            Step::Fold(minute) => fold(&self.store, minutes(*minute)).await,
            Step::Prune(minute) => {
                let before = minutes(*minute);
                let mut place = None;
                loop {
                    place = self.store.ledger_expire(before, place).await.unwrap().next;
                    if place.is_none() {
                        break;
                    }
                }
                self.refused.retain(|refused| refused.hour >= Hour::of(before));
            }
            Step::Rerate(minute, nanos) => {
                let which =
                    Rerating { since: minutes(*minute), until: None, provider: None, model: None, dry_run: false };
                self.store.ledger_rerate(change("ledger_rerate"), which, catalogue(*nanos), None).await.unwrap();
            }
        }
    }

    async fn ledger(&self) -> Vec<LedgerRecord> {
        self.store.ledger_list(LedgerFilter::default(), i64::MAX).await.unwrap()
    }

    /// The report as the ledger's entries make it, one by one.
    async fn expected(&self, request: &UsageRequest) -> UsageReport {
        let mut report = ReportBuilder::new(request);
        let mut add = |hour: Hour, series: &Series<String>, tally: &Tally| {
            if matches(&request.filters, series) && hour >= request.from && hour < request.to {
                let group = report.group(series);
                report.add(group, hour, tally);
            }
        };
        for record in self.ledger().await {
            let mut tally = Tally::default();
            tally.record(&attempted(&record));
            add(Hour::of(record.settled_at), &series(&record), &tally);
        }
        for refused in &self.refused {
            add(refused.hour, &refused.series, &Tally::refused(refused.count));
        }
        report.finish()
    }
}

/// What is sent to the provider as `m` costs so much for each token.
fn catalogue(nanos: u32) -> Catalogue {
    let row = format!(r#"{{"provider":"openai","model":"m","input":0.{nanos:03},"output":0.{nanos:03}}}"#);
    Catalogue::from_json(&format!(r#"{{"version":"{nanos}","about":"","sources":{{}},"models":[{row}]}}"#)).unwrap()
}

fn attempted(record: &LedgerRecord) -> Attempted {
    Attempted {
        counts: record.usage,
        cost: record.cost,
        tier: ServiceTier::find(&record.service_tier).unwrap(),
        outcome: Outcome::ALL.into_iter().find(|known| known.as_str() == record.outcome).unwrap(),
        admitted_at: record.admitted_at,
        first_byte_at: record.first_byte_at,
        settled_at: record.settled_at,
    }
}

async fn agree(books: &Books, request: UsageRequest) -> Result<(), TestCaseError> {
    let expected = books.expected(&request).await;
    prop_assert_eq!(books.store.usage_report(request).await.unwrap(), expected);
    Ok(())
}

async fn try_steps(steps: Vec<Step>, from: i64, length: i64) -> Result<(), TestCaseError> {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let mut books = Books { store, settled: 0, refused: Vec::new() };
    for step in &steps {
        books.carry_out(step).await;
        agree(&books, request(-60, 5_000, "", None)).await?;
    }
    for group_by in ["", "virtual_key", "model,outcome", "team,provider,outcome", "customer,team"] {
        for interval in [None, Some("hour"), Some("day"), Some("week")] {
            agree(&books, request(-60, 5_000, group_by, interval)).await?;
            agree(&books, request(from, from + length, group_by, interval)).await?;
        }
    }
    for filters in [
        Filters { team: Some("team 1".to_owned()), ..Filters::default() },
        Filters { team: Some(String::new()), model: Some("model 1".to_owned()), ..Filters::default() },
        Filters { outcome: Some("budget_exceeded".to_owned()), ..Filters::default() },
    ] {
        agree(&books, UsageRequest { filters, ..request(from, from + length, "virtual_key", Some("day")) }).await?;
    }
    prop_assert_eq!(sums(&database, "ledger"), sums(&database, "usage_rollups WHERE kind = 0"));
    // What is folded is in three views, and by the day, and everywhere the same.
    let folded = "start < (SELECT folded_until FROM usage_folding)";
    let hours = sums(&database, &format!("usage_rollups WHERE kind = 0 AND {folded}"));
    for kind in 1..6 {
        prop_assert_eq!(&sums(&database, &format!("usage_rollups WHERE kind = {kind}")), &hours, "kind {}", kind);
    }
    Ok(())
}

/// Attempts, dollars and tokens of a table.
fn sums(database: &Database, table: &str) -> Vec<String> {
    let (count, cost) = match table {
        "ledger" => (
            "COUNT(*)",
            "cost + COALESCE((SELECT SUM(a.new_cost - a.old_cost) FROM ledger_adjustments a
            WHERE a.request_id = ledger.request_id AND a.attempt = ledger.attempt), 0)",
        ),
        _ => ("COALESCE(SUM(requests), 0)", "cost"),
    };
    database.lines(&format!(
        "SELECT {count} || ' ' || COALESCE(SUM({cost}), 0) || ' ' || COALESCE(SUM(input_tokens), 0) || ' ' ||
            COALESCE(SUM(output_tokens), 0) AS line FROM {table}"
    ))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Any sequence of settlements, refusals, adjustments, prunings and foldings: the rollups say what the ledger says.
    #[test]
    fn rollups_say_what_the_ledger_says(
        steps in prop::collection::vec(step(), 1..9),
        from in -60..4_000_i64,
        length in 1..3_000_i64,
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(try_steps(steps, from, length))?;
    }
}
