//! Any sequence of events under any hierarchy of limits, against a model that is too simple to be wrong.
//!
//! The model does one thing after the other, keeps no plans, looks everything up anew, and finds what is affordable by trying.

use keyward_core::ledger::Outcome;
use keyward_core::money::NanoUsd;
use keyward_core::price::{Possible, Price, PriceSheet, TokenUsage};
use keyward_core::refusal::Refusal;
use keyward_engine::{Admission, Demand, MeterLevel, OutputDemand};
use rand::RngExt;
use rand::rngs::StdRng;

use crate::model::books::{Books, Held, Line, Verdict};
use crate::organisation::{Organisation, any_place};
use crate::torture;
use crate::world::{World, ask, at, attempt, settled};

mod books;

/// How large caps are: a few attempts fill one.
const MOST: i64 = 400;
const EVENTS: usize = 300;

/// One nano-dollar for a token of input, three for one of output.
fn price() -> Price {
    let [input, output] = ["0.001", "0.003"].map(|text| Some(text.parse().unwrap()));
    Price::flat(PriceSheet { input, output, ..PriceSheet::default() })
}

/// What an attempt asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    pub input: u64,
    /// What counting says, if somebody can count; none inside: it fails.
    pub counted: Option<Option<u64>>,
    pub output: OutputDemand,
    pub is_priced: bool,
}

/// An attempt that runs, and what the model knows of it.
struct Running {
    admission: Admission,
    held: Vec<Held>,
    bound: TokenUsage,
    is_priced: bool,
    alive_in: u64,
}

struct Trial {
    world: World,
    organisation: Organisation,
    books: Books,
    running: Vec<Running>,
    now: i64,
    round: u64,
    entries: usize,
}

/// I1 to I4, I6 and I8: after every event the engine and the model agree on the verdict, the output cap, every counter and all that
/// is held.
#[test]
fn i1_i2_i3_i4_i6_i8_torture_any_sequence_agrees_with_the_model() {
    let (mut admitted, mut refused) = (0, 0);
    torture::rounds(30, |mut random| {
        let world = World::new();
        let (organisation, books) = (Organisation::default(), Books::default());
        let mut trial = Trial { world, organisation, books, running: Vec::new(), now: 100_000, round: 0, entries: 0 };
        (0..60).for_each(|_| trial.edit(&mut random));
        for _ in 0..EVENTS {
            trial.event(&mut random);
            trial.assert_counters();
        }
        while !trial.running.is_empty() {
            trial.settle(&mut random);
        }
        trial.assert_counters();
        assert_eq!(trial.world.engine.open_attempts(), 0);
        admitted += trial.books.admitted;
        refused += trial.books.refused;
    });
    assert!(admitted > 300 && refused > 300, "{admitted} admitted and {refused} refused show nothing");
    println!("{admitted} admitted, {refused} refused");
}

impl Trial {
    fn event(&mut self, random: &mut StdRng) {
        match random.random_range(0..100) {
            0..45 => self.ask(random),
            45..65 => self.settle(random),
            65..70 => self.release(random),
            70..73 => self.abandon(random),
            73..76 => self.lapse(random),
            76..90 => self.edit(random),
            90..97 => self.now += [1, 20, 60, 600, 4_000, 30_000][random.random_range(0..6)],
            97..99 => self.now -= [10, 3_600, 7_200][random.random_range(0..3)],
            _ => self.now += 86_400 * random.random_range(1..60),
        }
    }

    fn ask(&mut self, random: &mut StdRng) {
        let (key, provider, model) = any_place(random);
        let secret = Organisation::secrets(key)[random.random_range(0..2)];
        let (wish, now) = (any_wish(random), at(self.now));
        let price = wish.is_priced.then(price);
        let times = std::cell::Cell::new(0);
        let count = || {
            times.set(times.get() + 1);
            wish.counted.flatten()
        };
        let counted_input = wish.counted.map(|_| &count as &dyn Fn() -> Option<u64>);
        let demand = || Demand { input: wish.input, counted_input, output: wish.output, possible: Possible::default() };
        if self.organisation.keys[key].is_none() {
            let asked = ask(&self.world.engine, &secret, (provider, model), demand(), price, now);
            assert_eq!(asked.err(), Some(Refusal::UnknownKey));
            return;
        }
        let lines = self.organisation.covering(key, provider, model);
        let verdict = self.books.decide(&lines, &wish, now);
        let permit =
            || self.world.engine.identify(&secret, now).unwrap().permit(provider.into(), model.into()).unwrap();
        let explained = self.world.engine.explain(&permit(), &attempt(model, demand(), price.clone()), now);
        let explained = explained.verdict.map(|granted| granted.output_cap);
        times.set(0);
        let asked = ask(&self.world.engine, &secret, (provider, model), demand(), price.clone(), now);
        assert_eq!(explained.as_ref().err(), asked.as_ref().err());
        match (asked, verdict) {
            (Ok(admission), Verdict::Admitted { input, per_answer, counted }) => {
                let cap = (per_answer < wish.output.per_answer).then_some(per_answer);
                assert_eq!((admission.output_cap(), explained.unwrap(), times.get()), (cap, cap, counted));
                let bound = TokenUsage { input, output: per_answer * wish.output.answers, ..TokenUsage::default() };
                let cost =
                    price.map_or(0, |price| price.ceiling(bound.input, bound.output, &Possible::default()).nanos());
                let held = self.books.hold(&lines, bound.total() as i64, cost);
                let running = Running { admission, held, bound, is_priced: wish.is_priced, alive_in: self.round };
                self.running.push(running);
                self.books.admitted += 1;
            }
            (Err(Refusal::Limit(refusal)), Verdict::Refused { line, counted }) => {
                assert_eq!(times.get(), counted);
                let (line, (used, held)) = (&lines[line], self.books.read(&lines[line].meter));
                assert_eq!((&refusal.limit, refusal.metric), (&line.meter.limit, line.meter.metric));
                let quantity = |amount| keyward_core::refusal::Quantity::of(refusal.metric, amount);
                let read = (refusal.limit_value, refusal.used, refusal.held);
                assert_eq!(read, (quantity(line.cap), quantity(used), quantity(held)));
                self.books.refused += 1;
            }
            (Err(Refusal::PriceUnknown { .. }), Verdict::Unpriced) => assert_eq!(times.get(), 0),
            (asked, verdict) => panic!("{asked:?}, but the model says {verdict:?}"),
        }
        // I6 as well: what a refused attempt would have changed, it has not.
        let levels = self.world.explain(&secret, (provider, model), now);
        self.assert_levels(&lines, &levels);
    }

    /// The scope set is the model's, each meter reads what the model says, and I1.
    fn assert_levels(&self, lines: &[Line], levels: &[MeterLevel]) {
        let found: Vec<_> =
            levels.iter().map(|level| (level.limit.as_str(), level.metric, level.used, level.held)).collect();
        let expected = lines.iter().map(|line| {
            let (used, held) = self.books.read(&line.meter);
            (line.meter.limit.as_str(), line.meter.metric, used, held)
        });
        assert_eq!(found, expected.collect::<Vec<_>>());
    }

    fn settle(&mut self, random: &mut StdRng) {
        let Some(running) = self.any(random) else { return };
        let part = |most: u64, random: &mut StdRng| match random.random_range(0..10) {
            0 => most + random.random_range(0..40),
            1..4 => most,
            _ => random.random_range(0..=most),
        };
        let usage = random.random_bool(0.9).then(|| TokenUsage {
            input: part(running.bound.input, random),
            output: part(running.bound.output, random),
            ..TokenUsage::default()
        });
        let used = usage.unwrap_or(running.bound);
        let cost = running.admission.settle(settled(usage, at(self.now)));
        let expected = if running.is_priced { used.input + 3 * used.output } else { 0 };
        assert_eq!(cost, Some(NanoUsd::from_nanos(expected as i64)));
        self.ended(&running.held, used, expected, Outcome::Completed);
    }

    fn release(&mut self, random: &mut StdRng) {
        let Some(running) = self.any(random) else { return };
        running.admission.release();
        self.books.release(&running.held);
        assert_eq!(self.world.ledger.entries.lock().unwrap().len(), self.entries);
    }

    fn abandon(&mut self, random: &mut StdRng) {
        let Some(Running { admission, held, bound, is_priced, .. }) = self.any(random) else { return };
        drop(admission);
        self.ended(&held, bound, if is_priced { bound.input + 3 * bound.output } else { 0 }, Outcome::Abandoned);
    }

    /// Some show signs of life; who has not for too long is ended, and has no end of its own any more.
    fn lapse(&mut self, random: &mut StdRng) {
        for running in self.running.iter_mut().filter(|_| random.random_bool(0.5)) {
            running.admission.pulse().beat();
            running.alive_in = self.round;
        }
        let (rounds, before) = (random.random_range(0..4), self.running.len());
        self.round += 1;
        let lapsed = self.running.extract_if(.., |running| running.alive_in + rounds < self.round).collect::<Vec<_>>();
        assert_eq!(self.world.engine.expire(rounds, at(self.now)), lapsed.len());
        assert_eq!(self.world.engine.open_attempts(), before - lapsed.len());
        self.entries += lapsed.len();
        let entries = self.world.ledger.entries.lock().unwrap();
        assert_eq!(entries.len(), self.entries, "I2");
        entries[self.entries - lapsed.len()..].iter().for_each(|entry| self.books.fold(entry));
        drop(entries);
        for Running { admission, held, bound, is_priced, .. } in lapsed {
            self.books.settle(
                &held,
                bound.total() as i64,
                if is_priced { bound.input + 3 * bound.output } else { 0 } as i64,
            );
            assert_eq!(admission.settle(settled(None, at(self.now))), None);
        }
    }

    fn edit(&mut self, random: &mut StdRng) {
        let owner = self.organisation.edit(random, MOST);
        let reads = self.books.counts();
        self.organisation.put(&self.world.engine, owner, at(self.now));
        self.books.put(&self.organisation, owner, at(self.now));
        // I8, whatever the model makes of it: a counter that is still there reads what it did, unless its window is over.
        for (meter, count) in reads {
            let after = self.books.exists(&meter).then(|| self.world.engine.count(&meter).unwrap());
            assert!(
                after.is_none_or(|after| after.used == count.used || at(self.now) >= count.window.end),
                "{meter:?}"
            );
        }
    }

    fn any(&mut self, random: &mut StdRng) -> Option<Running> {
        (!self.running.is_empty()).then(|| self.running.swap_remove(random.random_range(0..self.running.len())))
    }

    /// I2 and I3: there is one entry more, and its postings are what was held.
    fn ended(&mut self, held: &[Held], used: TokenUsage, cost: u64, outcome: Outcome) {
        self.books.settle(held, used.total() as i64, cost as i64);
        self.entries += 1;
        let entries = self.world.ledger.entries.lock().unwrap();
        assert_eq!(entries.len(), self.entries);
        let entry = entries.last().unwrap();
        assert_eq!((entry.usage.counts, entry.outcome), (used, outcome));
        let posted = entry.postings.iter().map(|posting| (posting.meter.clone(), posting.held));
        assert!(posted.eq(held.iter().map(|held| (held.meter.clone(), held.amount))));
        self.books.fold(entry);
    }

    /// Every counter reads what the model says, and what the ledger adds up to.
    fn assert_counters(&self) {
        for (meter, count) in self.books.counts() {
            assert_eq!(self.world.engine.count(&meter), Some(count), "{meter:?}");
            let folded = self.books.folded(&meter);
            assert_eq!(folded, count, "{meter:?}: I4");
        }
    }
}

fn any_wish(random: &mut StdRng) -> Wish {
    let input = random.random_range(0..60);
    let can_count = random.random_bool(0.5);
    Wish {
        input,
        counted: can_count.then(|| random.random_bool(0.9).then(|| random.random_range(0..=input + 5))),
        output: OutputDemand {
            per_answer: random.random_range(0..60),
            answers: if random.random_bool(0.8) { 1 } else { random.random_range(2..5) },
            capped_by_client: random.random_bool(0.5),
            can_clamp: random.random_bool(0.7),
            least: [1, 8, 16][random.random_range(0..3)],
        },
        is_priced: random.random_bool(0.97),
    }
}
