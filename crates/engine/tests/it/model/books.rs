//! What the model keeps: for each meter a window and what is used in it, and for each attempt what it holds.

use std::collections::HashMap;

use jiff::Timestamp;
use keyward_core::ledger::LedgerEntry;
use keyward_core::meter::{Count, Enforcement, EnforcementDefaults, MeterId, Metric, OutputClamp};
use keyward_core::month::Month;
use keyward_core::scope::ScopeKind;
use keyward_core::window::{Window, WindowPolicy};

use super::Wish;
use crate::organisation::{Cap, Key, Organisation, Owner, Span};
use crate::world::{at, meter};

/// A meter that covers a request, as it is at present.
#[derive(Debug, Clone)]
pub struct Line {
    pub meter: MeterId,
    kind: ScopeKind,
    pub cap: i64,
    span: Span,
    enforcement: Enforcement,
    clamp: OutputClamp,
}

/// What one attempt holds on one meter, and in which of its windows.
#[derive(Debug, Clone)]
pub struct Held {
    pub meter: MeterId,
    pub amount: i64,
    turn: u64,
}

#[derive(Debug)]
pub enum Verdict {
    Admitted { input: u64, per_answer: u64, counted: u32 },
    Refused { line: usize, counted: u32 },
    Unpriced,
}

#[derive(Debug)]
struct Counter {
    count: Count,
    held: i64,
    /// Which of all windows that have begun this one is: another meter's, and a later one of the same id, have others.
    turn: u64,
    /// What the postings of the ledger add up to.
    folded: Count,
}

#[derive(Debug, Default)]
pub struct Books {
    counters: HashMap<MeterId, Counter>,
    /// Which limits each owner has.
    limits: HashMap<Owner, Vec<Line>>,
    turns: u64,
    pub admitted: usize,
    pub refused: usize,
}

impl Line {
    fn of(cap: &Cap, kind: ScopeKind) -> Self {
        Self {
            meter: meter(&cap.limit, cap.metric),
            kind,
            cap: cap.cap,
            span: cap.span,
            enforcement: cap.enforcement.unwrap_or_else(|| EnforcementDefaults::default().of(cap.metric)),
            clamp: cap.clamp.unwrap_or_default(),
        }
    }

    fn window(&self, now: Timestamp) -> Window {
        let (duration, aligned, zone) = self.span;
        let policy = WindowPolicy::new(&duration.parse().unwrap(), aligned, &zone.parse().unwrap(), Month::default());
        policy.window_at(at(0), now)
    }

    /// What an attempt with so many tokens, that costs so much, needs here.
    fn need(&self, tokens: u64, cost: u64) -> i64 {
        match self.meter.metric {
            Metric::ParallelRequests | Metric::Requests => 1,
            Metric::Tokens => tokens as i64,
            Metric::Cost => cost as i64,
        }
    }
}

impl Key {
    fn slots(&self) -> Option<Line> {
        let cap = i64::from(self.slots?);
        let (span, enforcement) = (("never", false, "UTC"), Enforcement::Hard);
        let meter = meter(&self.id, Metric::ParallelRequests);
        Some(Line { meter, kind: ScopeKind::VirtualKey, cap, span, enforcement, clamp: OutputClamp::Never })
    }
}

impl Organisation {
    /// The meters that cover a request, in the order in which they are checked.
    pub fn covering(&self, key: usize, provider: &str, model: &str) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut add = |caps: &[Cap], kind| lines.extend(caps.iter().map(|cap| Line::of(cap, kind)));
        let of = self.keys[key].as_ref().unwrap();
        for of_key in [None, Some(key)] {
            for (of_model, of_provider) in [(true, true), (true, false), (false, true), (false, false)] {
                let covers = |covered: &crate::organisation::Covered| {
                    let named = |name: Option<&str>, is_named: bool, of: &str| name == is_named.then_some(of);
                    covered.2 == of_key && named(covered.0, of_model, model) && named(covered.1, of_provider, provider)
                };
                let kind = match (of_key, of_model, of_provider) {
                    (Some(_), ..) => ScopeKind::VirtualKeyModelConfig,
                    (None, false, true) => ScopeKind::Provider,
                    (None, ..) => ScopeKind::ModelConfig,
                };
                let configs = self.models.iter().flatten().filter(|config| covers(&config.covered));
                configs.for_each(|config| add(&config.caps, kind));
            }
        }
        let team = of.team.and_then(|team| self.teams[team].as_ref());
        let customer = of.customer.or(team.and_then(|team| team.customer));
        customer
            .and_then(|customer| self.customers[customer].as_ref())
            .into_iter()
            .for_each(|caps| add(caps, ScopeKind::Customer));
        team.into_iter().for_each(|team| add(&team.caps, ScopeKind::Team));
        add(&of.caps, ScopeKind::VirtualKey);
        if provider == "p" {
            add(&of.of_config, ScopeKind::ProviderConfig);
            if model == "m" {
                add(&of.of_model, ScopeKind::ModelBudget);
            }
        }
        lines.extend(of.slots());
        lines.sort_by_key(|line| (line.meter.metric == Metric::Cost, line.kind, line.meter.metric));
        lines
    }

    /// The meters of one owner.
    fn lines(&self, owner: Owner) -> Vec<Line> {
        let of = |caps: &[Cap]| caps.iter().map(|cap| Line::of(cap, ScopeKind::Team)).collect::<Vec<_>>();
        match owner {
            Owner::Customer(place) => self.customers[place].iter().flat_map(|caps| of(caps)).collect(),
            Owner::Team(place) => self.teams[place].iter().flat_map(|team| of(&team.caps)).collect(),
            Owner::Model(place) => self.models[place].iter().flat_map(|config| of(&config.caps)).collect(),
            Owner::Key(place) => {
                let own = |key: &Key| [of(&key.caps), of(&key.of_config), of(&key.of_model)].concat();
                self.keys[place].iter().flat_map(|key| own(key).into_iter().chain(key.slots())).collect()
            }
        }
    }
}

impl Books {
    /// An owner is now as the organisation says. Limits that are gone are forgotten; a cap that was cleared while its rate limit
    /// stayed, and slots while their key did, are remembered.
    pub fn put(&mut self, organisation: &Organisation, owner: Owner, now: Timestamp) {
        for owner in
            Organisation::owners().into_iter().filter(|other| *other == owner || matches!(other, Owner::Model(_)))
        {
            let lines = organisation.lines(owner);
            let mut kept: Vec<_> = lines.iter().map(|line| line.meter.limit.clone()).collect();
            if let Owner::Key(place) = owner {
                kept.extend(organisation.keys[place].iter().map(|key| key.id.as_str().into()));
            }
            for gone in self.limits.insert(owner, lines).unwrap_or_default() {
                if !kept.contains(&gone.meter.limit) {
                    self.counters.retain(|meter, _| meter.limit != gone.meter.limit);
                }
            }
        }
        for line in organisation.lines(owner) {
            self.turn(&line.meter, line.window(now), now);
        }
    }

    /// Another window is current. A later one is empty. One that shares an instant with the counted one is the same under edited
    /// rules, and an earlier one a clock's mistake.
    fn turn(&mut self, meter: &MeterId, window: Window, now: Timestamp) {
        self.turns += 1;
        let (turn, empty) = (self.turns, Count { window, used: 0 });
        let fresh = || Counter { count: empty, held: 0, turn, folded: empty };
        let counter = self.counters.entry(meter.clone()).or_insert_with(fresh);
        counter.folded = counter.folded.rolled(window, now);
        if window.start.max(now) >= counter.count.window.end {
            (counter.count, counter.held, counter.turn) = (empty, 0, turn);
        } else if counter.count.window.start < window.end {
            counter.count.window = window;
        }
    }

    /// What is used and held on a meter.
    pub fn read(&self, meter: &MeterId) -> (i64, i64) {
        let counter = &self.counters[meter];
        (counter.count.used, counter.held)
    }

    /// Whether an attempt fits, and with how much output. It reads the meters at `now`.
    pub fn decide(&mut self, lines: &[Line], wish: &Wish, now: Timestamp) -> Verdict {
        for line in lines {
            let window = self.counters[&line.meter].count.window;
            if !(window.start <= now && now < window.end) {
                self.turn(&line.meter, line.window(now), now);
            }
        }
        if !wish.is_priced && lines.iter().any(|line| line.meter.metric == Metric::Cost) {
            return Verdict::Unpriced;
        }
        let first = self.fit(lines, wish, wish.input, wish.output.can_clamp && wish.counted.is_none());
        let helps = |line: usize| {
            matches!(lines[line].meter.metric, Metric::Tokens | Metric::Cost)
                && self.fit(lines, wish, 0, wish.output.can_clamp).is_ok()
        };
        match (first, wish.counted) {
            (Err(line), Some(counted)) if helps(line) => {
                let input = counted.map_or(wish.input, |counted| counted.min(wish.input));
                match self.fit(lines, wish, input, wish.output.can_clamp) {
                    Ok(per_answer) => Verdict::Admitted { input, per_answer, counted: 1 },
                    Err(line) => Verdict::Refused { line, counted: 1 },
                }
            }
            (Err(line), _) => Verdict::Refused { line, counted: 0 },
            (Ok(per_answer), _) => Verdict::Admitted { input: wish.input, per_answer, counted: 0 },
        }
    }

    /// The most output of one answer, or the first meter that refuses.
    fn fit(&self, lines: &[Line], wish: &Wish, input: u64, can_clamp: bool) -> Result<u64, usize> {
        let asked = wish.output.per_answer;
        let mut granted = asked;
        for (place, line) in lines.iter().enumerate() {
            let (used, held) = self.read(&line.meter);
            let fits = |per_answer: u64| {
                let output = per_answer * wish.output.answers;
                let cost = if wish.is_priced { input + 3 * output } else { 0 };
                used + held + line.need(input + output, cost) <= line.cap
            };
            let may_clamp = match line.clamp {
                OutputClamp::Always => can_clamp,
                OutputClamp::WhenAbsent => can_clamp && !wish.output.capped_by_client,
                OutputClamp::Never => false,
            };
            let least = wish.output.least.min(asked).max(1);
            granted = match line.enforcement {
                Enforcement::Shadow => granted,
                Enforcement::Soft if used < line.cap => granted,
                Enforcement::Hard if fits(asked) => granted,
                Enforcement::Hard if may_clamp => {
                    let most = (least..asked).rev().find(|per_answer| fits(*per_answer)).ok_or(place)?;
                    granted.min(most)
                }
                Enforcement::Soft | Enforcement::Hard => return Err(place),
            };
        }
        Ok(granted)
    }

    pub fn hold(&mut self, lines: &[Line], tokens: i64, cost: i64) -> Vec<Held> {
        let holds = lines.iter().map(|line| {
            let counter = self.counters.get_mut(&line.meter).unwrap();
            let amount = line.need(tokens as u64, cost as u64);
            counter.held += amount;
            let over = counter.count.used + counter.held > line.cap;
            assert!(line.enforcement != Enforcement::Hard || !over, "I1: {line:?}");
            Held { meter: line.meter.clone(), amount, turn: counter.turn }
        });
        holds.collect()
    }

    pub fn release(&mut self, held: &[Held]) {
        for held in held {
            if let Some(counter) = self.counters.get_mut(&held.meter).filter(|counter| counter.turn == held.turn) {
                counter.held -= held.amount;
            }
        }
    }

    /// The attempt's holds end, and what it used counts in those windows that are still current.
    pub fn settle(&mut self, held: &[Held], tokens: i64, cost: i64) {
        self.release(held);
        for held in held {
            if let Some(counter) = self.counters.get_mut(&held.meter).filter(|counter| counter.turn == held.turn) {
                counter.count.used += match held.meter.metric {
                    Metric::ParallelRequests => 0,
                    Metric::Requests => 1,
                    Metric::Tokens => tokens,
                    Metric::Cost => cost,
                };
            }
        }
    }

    /// Adds an entry's postings up.
    pub fn fold(&mut self, entry: &LedgerEntry) {
        for posting in &entry.postings {
            if let Some(counter) = self.counters.get_mut(&posting.meter) {
                counter.folded = counter.folded.posted(posting.window, posting.amount);
            }
        }
    }

    pub fn folded(&self, meter: &MeterId) -> Count {
        self.counters[meter].folded
    }

    pub fn exists(&self, meter: &MeterId) -> bool {
        self.counters.contains_key(meter)
    }

    /// What every meter reads that was not forgotten.
    pub fn counts(&self) -> Vec<(MeterId, Count)> {
        self.counters.iter().map(|(meter, counter)| (meter.clone(), counter.count)).collect()
    }
}
