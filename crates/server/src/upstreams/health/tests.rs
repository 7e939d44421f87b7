//! The state machine against examples, and against a model that knows all that happened.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use proptest::prelude::*;

use super::*;

const POLICY: KeyHealthSettings = KeyHealthSettings {
    failures: NonZeroU32::MIN.saturating_add(2),
    open_seconds: 10,
    max_open_seconds: 35,
    probes: NonZeroU32::MIN,
    rejected_seconds: 300,
    limited_seconds: 5,
    max_limited_seconds: 60,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

fn model(name: &str) -> ModelName {
    name.into()
}

fn out(health: &Health, second: i64) -> Option<(Why, i64)> {
    let out = health.out(&model("m"), at(second), &POLICY)?;
    Some((out.why, out.until.as_second() - 1_000_000))
}

fn begin(health: &mut Health, second: i64) -> Ticket {
    health.begin(&model("m"), at(second), &POLICY).unwrap().0
}

fn end(health: &mut Health, ticket: &Ticket, verdict: Verdict, second: i64) -> Vec<Change> {
    health.end(ticket, &model("m"), verdict, at(second), &POLICY)
}

/// An attempt that takes no time.
fn attempt(health: &mut Health, verdict: Verdict, second: i64) -> Vec<Change> {
    let ticket = begin(health, second);
    end(health, &ticket, verdict, second)
}

fn limited(seconds: i64) -> Verdict {
    Verdict::Limited(Some(SignedDuration::from_secs(seconds)))
}

#[test]
fn failures_in_a_row_open_the_breaker_and_an_answer_starts_the_count_anew() {
    let mut health = Health::default();
    for verdict in [Verdict::Failed, Verdict::Failed, Verdict::Served, Verdict::Failed, Verdict::Failed] {
        assert_eq!(attempt(&mut health, verdict, 0), []);
    }
    let until = at(10);
    assert_eq!(attempt(&mut health, Verdict::Failed, 0), [Change::Out(Out { why: Why::Failing, until })]);
    assert_eq!((out(&health, 0), out(&health, 9)), (Some((Why::Failing, 10)), Some((Why::Failing, 10))));
    assert_eq!(out(&health, 10), None);
}

#[test]
fn one_probe_at_a_time_decides() {
    let mut health = Health::default();
    for _ in 0..3 {
        attempt(&mut health, Verdict::Failed, 0);
    }
    let (probe, change) = health.begin(&model("m"), at(10), &POLICY).unwrap();
    assert_eq!(change, Some(Change::Probed));
    assert_eq!(out(&health, 10), Some((Why::Failing, 11)), "the probe is on its way");
    // Each probe that fails doubles the time, up to the longest.
    let mut second = 10;
    let mut probe = Some(probe);
    for open_for in [20, 35, 35] {
        let ticket = probe.take().unwrap_or_else(|| begin(&mut health, second));
        end(&mut health, &ticket, Verdict::Failed, second);
        assert_eq!(out(&health, second), Some((Why::Failing, second + open_for)));
        second += open_for;
    }
    let ticket = begin(&mut health, second);
    assert_eq!(end(&mut health, &ticket, Verdict::Served, second), [Change::Mended]);
    assert_eq!((out(&health, second), health.condition(at(second), &POLICY)), (None, Condition::Usable));
}

#[test]
fn a_probe_that_nobody_hears_of_again_makes_room_for_another() {
    let mut health = Health::default();
    for _ in 0..3 {
        attempt(&mut health, Verdict::Failed, 0);
    }
    let probe = begin(&mut health, 10);
    assert!(health.begin(&model("m"), at(10), &POLICY).is_err());
    health.drop_ticket(&probe);
    begin(&mut health, 10);
}

/// What began before the breaker turned says nothing of how the key does now.
#[test]
fn late_news_counts_for_nothing() {
    let mut health = Health::default();
    let late = [begin(&mut health, 0), begin(&mut health, 0)];
    for _ in 0..3 {
        attempt(&mut health, Verdict::Failed, 0);
    }
    assert_eq!(end(&mut health, &late[0], Verdict::Served, 5), []);
    assert_eq!(out(&health, 5), Some((Why::Failing, 10)));
    let probe = begin(&mut health, 10);
    assert_eq!(end(&mut health, &late[1], Verdict::Failed, 10), []);
    assert_eq!(end(&mut health, &probe, Verdict::Served, 10), [Change::Mended]);
}

#[test]
fn a_limit_is_about_the_model_and_a_rejection_about_the_key() {
    let mut health = Health::default();
    let change = attempt(&mut health, limited(20), 0);
    assert_eq!(change, [Change::Out(Out { why: Why::Limited, until: at(20) })]);
    assert_eq!((out(&health, 19), out(&health, 20)), (Some((Why::Limited, 20)), None));
    assert_eq!(health.out(&model("other"), at(0), &POLICY), None);
    assert_eq!(health.condition(at(0), &POLICY), Condition::Limited);
    attempt(&mut health, Verdict::ModelRejected, 20);
    assert_eq!(health.out(&model("other"), at(20), &POLICY), None);
    let ticket = health.begin(&model("other"), at(20), &POLICY).unwrap().0;
    health.end(&ticket, &model("other"), Verdict::KeyRejected, at(21), &POLICY);
    assert_eq!(out(&health, 320), Some((Why::Rejected, 321)));
    assert_eq!(health.condition(at(21), &POLICY), Condition::Rejected);
}

#[test]
fn a_limit_is_bounded_and_a_shorter_one_does_not_end_it() {
    let mut health = Health::default();
    let tickets = [begin(&mut health, 0), begin(&mut health, 0), begin(&mut health, 0)];
    assert_eq!(end(&mut health, &tickets[0], limited(7_200), 0).len(), 1);
    assert_eq!(out(&health, 0), Some((Why::Limited, 60)));
    assert_eq!(end(&mut health, &tickets[1], limited(1), 0), []);
    assert_eq!(end(&mut health, &tickets[2], Verdict::Limited(None), 0), []);
    assert_eq!(out(&health, 0), Some((Why::Limited, 60)));
    // Should the clock be set back, nothing is away for longer than it ever is.
    assert_eq!(out(&health, -100_000), None);
}

/// Whoever names a thousand models does not make a thousand things to remember.
#[test]
fn what_is_known_of_models_is_bounded() {
    let mut health = Health::default();
    for index in 0..1_000 {
        let name = model(&format!("m{index}"));
        let ticket = health.begin(&name, at(0), &POLICY).unwrap().0;
        health.end(&ticket, &name, limited(30), at(0), &POLICY);
        assert!(health.out(&name, at(0), &POLICY).is_some());
    }
    assert_eq!(health.models.len(), MAX_MODELS);
}

#[derive(Debug, Clone)]
enum Event {
    Begin(u8),
    End(usize, Verdict),
    Drop(usize),
    Pass(i64),
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        3 => Just(Verdict::Failed),
        2 => Just(Verdict::Served),
        1 => (0_i64..100).prop_map(limited),
        1 => Just(Verdict::Limited(None)),
        1 => Just(Verdict::KeyRejected),
        1 => Just(Verdict::ModelRejected),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0_u8..3).prop_map(Event::Begin),
        4 => (any::<usize>(), verdicts()).prop_map(|(which, verdict)| Event::End(which, verdict)),
        1 => any::<usize>().prop_map(Event::Drop),
        2 => (0_i64..40).prop_map(Event::Pass),
    ]
}

/// Everything that happened, and the rules read off it.
#[derive(Default)]
struct Model {
    /// Ends of pauses, by model; none is the key's.
    pauses: BTreeMap<Option<u8>, i64>,
    /// Failures in a row, while closed.
    failures: u32,
    open_until: Option<i64>,
    turns: u32,
    probes: Vec<usize>,
    is_probing: bool,
    /// Attempts that began before the breaker turned.
    stale: Vec<usize>,
}

impl Model {
    fn may_begin(&self, model: u8, now: i64) -> bool {
        let is_over = |key: Option<u8>| self.pauses.get(&key).is_none_or(|until| *until <= now);
        let breaker = match (self.open_until, self.is_probing) {
            (Some(until), _) => until <= now,
            (None, true) => self.probes.is_empty(),
            (None, false) => true,
        };
        is_over(None) && is_over(Some(model)) && breaker
    }

    fn end(&mut self, attempt: usize, model: u8, verdict: Verdict, now: i64) {
        let pause = match verdict {
            Verdict::Limited(wait) => Some((Some(model), wait.map_or(5, |wait| wait.as_secs().min(60)))),
            Verdict::KeyRejected => Some((None, 300)),
            Verdict::ModelRejected => Some((Some(model), 300)),
            Verdict::Served | Verdict::Failed => None,
        };
        if let Some((key, length)) = pause {
            let until = self.pauses.entry(key).or_insert(now);
            *until = (*until).max(now + length);
        }
        if self.stale.contains(&attempt) {
            return;
        }
        match verdict {
            Verdict::Failed if self.is_probing => self.open(now, self.turns + 1),
            Verdict::Failed => {
                self.failures += 1;
                if self.failures == 3 {
                    self.open(now, 0);
                }
            }
            Verdict::Served | Verdict::Limited(_) | Verdict::KeyRejected | Verdict::ModelRejected => {
                self.failures = 0;
                self.is_probing = false;
                self.probes.clear();
            }
        }
    }

    fn open(&mut self, now: i64, turns: u32) {
        self.open_until = Some(now + (10 * 2_i64.pow(turns.min(4))).min(35));
        (self.turns, self.failures, self.is_probing) = (turns, 0, false);
        self.probes.clear();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_does_what_its_history_says(events in proptest::collection::vec(events(), 1..80)) {
        let (mut health, mut known, mut now) = (Health::default(), Model::default(), 0);
        let mut running: Vec<(usize, u8, Ticket)> = Vec::new();
        let mut begun = 0;
        for event in events {
            match event {
                Event::Pass(seconds) => now += seconds,
                Event::Begin(index) => {
                    let begins = health.begin(&model(&index.to_string()), at(now), &POLICY);
                    prop_assert_eq!(begins.is_ok(), known.may_begin(index, now));
                    if let Ok((ticket, _)) = begins {
                        if known.open_until.take().is_some() {
                            known.stale.extend(running.iter().map(|(attempt, ..)| *attempt));
                            known.is_probing = true;
                        }
                        if known.is_probing {
                            known.probes.push(begun);
                        }
                        running.push((begun, index, ticket));
                        begun += 1;
                    }
                }
                Event::End(which, verdict) if !running.is_empty() => {
                    let (attempt, index, ticket) = running.remove(which % running.len());
                    health.end(&ticket, &model(&index.to_string()), verdict, at(now), &POLICY);
                    let before = (known.is_probing, known.open_until);
                    known.end(attempt, index, verdict, now);
                    if before != (known.is_probing, known.open_until) {
                        known.stale.extend(running.iter().map(|(attempt, ..)| *attempt));
                    }
                }
                Event::Drop(which) if !running.is_empty() => {
                    let (attempt, _, ticket) = running.remove(which % running.len());
                    health.drop_ticket(&ticket);
                    known.probes.retain(|probe| *probe != attempt);
                }
                Event::End(..) | Event::Drop(_) => {}
            }
            for index in 0..3 {
                let out = health.out(&model(&index.to_string()), at(now), &POLICY);
                prop_assert_eq!(out.is_none(), known.may_begin(index, now));
                prop_assert!(out.is_none_or(|out| out.until > at(now)));
            }
        }
    }
}
