//! A counter is the sum of what the books say about its epoch, whatever happens in between.

use jiff::{SignedDuration, Timestamp};
use keyward_core::change::Change;
use keyward_core::limits::Edit;
use keyward_core::meter::Count;
use keyward_core::owner::{Team, UpdateTeam};
use keyward_core::window::Window;
use keyward_store::Store;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;
use uuid::Uuid;

use crate::attempt::{counts, entry, posting, window};
use crate::database::Database;
use crate::request::{change, now, team};

/// How long the windows are that a budget is edited to.
const DURATIONS: [&str; 3] = ["1h", "5h", "1d"];

#[derive(Debug, Clone)]
enum Step {
    /// Attempts settle, each in the window of one policy at an hour; with `again`, the batch is given twice.
    Batch { attempts: Vec<(usize, i64, i64)>, again: bool },
    /// The budget gets another duration.
    Edit { duration: usize, hour: i64 },
    /// Its usage is taken off.
    Reset { hour: i64 },
}

fn any_step() -> impl Strategy<Value = Step> {
    let (hour, duration) = (0..60i64, 0..DURATIONS.len());
    let attempt = (duration.clone(), hour.clone(), 0..9i64);
    prop_oneof![
        4 => (proptest::collection::vec(attempt, 1..4), any::<bool>())
            .prop_map(|(attempts, again)| Step::Batch { attempts, again }),
        1 => (duration, hour.clone()).prop_map(|(duration, hour)| Step::Edit { duration, hour }),
        1 => hour.prop_map(|hour| Step::Reset { hour }),
    ]
}

/// A team with one budget, and what the core makes of its counter.
struct Model {
    team: Team,
    count: Option<Count>,
}

impl Model {
    async fn carry_out(&mut self, store: &Store, step: Step) {
        match step {
            Step::Batch { attempts, again } => {
                let meter = self.team.budgets[0].meter_id();
                let posting = |(duration, hour, amount)| posting(&meter, self.window(duration, hour), amount);
                let postings: Vec<_> = attempts.into_iter().map(posting).collect();
                for posting in &postings {
                    let empty = Count::empty(posting.window);
                    self.count = Some(self.count.unwrap_or(empty).posted(posting.window, posting.amount));
                }
                let batch: Vec<_> = postings
                    .into_iter()
                    .map(|posting| entry(&Uuid::new_v4().to_string(), &"v".into(), vec![posting]))
                    .collect();
                let entries = batch.len();
                assert_eq!(store.ledger_append(batch.clone()).await.unwrap(), entries);
                if again {
                    assert_eq!(store.ledger_append(batch).await.unwrap(), 0);
                }
            }
            Step::Edit { duration, hour } => {
                let budget = json!({"max_limit": 1, "reset_duration": DURATIONS[duration]});
                self.edit(store, hour, json!({"budget": budget})).await;
            }
            Step::Reset { hour } => {
                self.edit(store, hour, json!({"reset_budget_usage": true})).await;
                self.count = self.count.map(|count| Count { used: 0, ..count });
            }
        }
    }

    async fn edit(&mut self, store: &Store, hour: i64, request: serde_json::Value) {
        let request: UpdateTeam = serde_json::from_value(request).unwrap();
        let change = Change::by_server("team_update", at(hour));
        let edit = move |existing: &Team, now| existing.edited(request, &mut Edit { now, mint: &mut Uuid::new_v4 });
        self.team = store.team_update(change, self.team.id.clone(), edit).await.unwrap().0;
        let budget = &self.team.budgets[0];
        let current = budget.windows().window_at(self.team.created_at, self.team.updated_at);
        self.count = self.count.map(|count| count.rolled(current, self.team.updated_at));
    }

    fn window(&self, duration: usize, hour: i64) -> Window {
        let mut budget = self.team.budgets[0].clone();
        budget.reset_duration = DURATIONS[duration].parse().unwrap();
        budget.windows().window_at(self.team.created_at, at(hour))
    }
}

fn at(hour: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hour)
}

/// A counter, and the sum of the postings and adjustments of its epoch.
const SUMS: &str = "SELECT used || ' ' || (
    (SELECT CAST(COALESCE(SUM(p.amount), 0) AS BIGINT) FROM ledger_postings p
        WHERE p.limit_id = m.limit_id AND p.metric = m.metric AND p.epoch = m.epoch)
    + (SELECT CAST(COALESCE(SUM(a.amount), 0) AS BIGINT) FROM meter_adjustments a
        WHERE a.limit_id = m.limit_id AND a.metric = m.metric AND a.epoch = m.epoch)) AS line FROM meters m";

/// I4.
#[test]
fn i4_whatever_happens_a_counter_is_the_sum_of_its_epoch() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let database = Database::fresh();
    let store = runtime.block_on(database.open()).unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 48, ..ProptestConfig::default() });
    let steps = proptest::collection::vec(any_step(), 1..16);
    let run = runner.run(&steps, |steps| {
        let ends = runtime.block_on(async {
            let budget = json!({"max_limit": 1, "reset_duration": "1h"});
            let team = team(json!({"name": Uuid::new_v4(), "budget": budget}));
            let team = store.team_create(change("team_create"), team).await.unwrap();
            let mut model = Model { team, count: None };
            for step in steps {
                model.carry_out(&store, step).await;
            }
            (counts(&store).await.remove(&model.team.budgets[0].meter_id()), model.count)
        });
        prop_assert_eq!(ends.0, ends.1);
        for line in database.lines(SUMS) {
            let (counter, sum) = line.split_once(' ').unwrap();
            prop_assert_eq!(counter, sum);
        }
        Ok(())
    });
    run.unwrap();
}

/// Nothing that was counted before a limit was deleted is counted in one that has its id again.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_there_again_has_an_epoch_of_its_own() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let make = || team(json!({"name": "x", "budget": {"max_limit": 1, "reset_duration": "1d"}}));
    let first = make();
    let team = store.team_create(change("team_create"), first.clone()).await.unwrap();
    let meter = team.budgets[0].meter_id();
    let attempt = |request: &str, amount| entry(request, &"v".into(), vec![posting(&meter, window(0, 10), amount)]);
    store.ledger_append(vec![attempt("r1", 5)]).await.unwrap();
    store.team_delete(change("team_delete"), team.id).await.unwrap();
    store.team_create(change("team_create"), first).await.unwrap();
    store.ledger_append(vec![attempt("r2", 3)]).await.unwrap();
    assert_eq!(counts(&store).await[&meter].used, 3);
    assert_eq!(database.lines(SUMS), ["3 3"]);
}
