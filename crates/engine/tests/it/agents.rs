//! Agents at the end of a budget: how many calls are refused, or cut short, that the money would in truth have paid.
//!
//! What a call will use is not known when it asks, so it holds the most that it can: an agent's call a multiple of what it then
//! costs. A clairvoyant, who holds exactly what will be used, is the measure.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use keyward_core::catalogue::{Catalogue, ModelCard};
use keyward_core::meter::{Count, Metric, OutputClamp};
use keyward_core::price::{Possible, TokenUsage};
use keyward_core::window::{FOREVER, Window};
use keyward_engine::{Admission, Demand, OutputDemand};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use crate::torture;
use crate::world::{HASH, World, ask, at, budget, hashes, key, meter, settled, with};

const AGENTS: usize = 10;
/// A context that has become so long is summed up, and the agent begins anew.
const LONGEST: u64 = 140_000;

/// A call of an agent: when it comes, how long it takes, and what nobody knows before.
struct Call {
    starts: u64,
    ends: u64,
    usage: TokenUsage,
    /// The client's own cap on the output.
    cap: Option<u64>,
}

/// What became of a trace.
#[derive(Debug, Default)]
struct Figures {
    /// Calls that the clairvoyant pays.
    payable: usize,
    /// Those of them that were refused.
    refused: usize,
    /// Calls that got a smaller output cap, and those of them that would have needed more.
    capped: usize,
    cut_short: usize,
    /// What was left in the end, in nano-dollars.
    left: i64,
}

impl Figures {
    fn refused_percent(&self) -> f64 {
        self.refused as f64 * 100.0 / self.payable as f64
    }
}

/// The calls of one agent's turn: usually one, sometimes a burst of helpers with short contexts beside it.
fn turn(random: &mut StdRng, now: u64, context: &mut u64) -> Vec<Call> {
    let mut call = |cached: u64, fresh: u64| {
        let output = match random.random_range(0..20) {
            0 => random.random_range(1_500..6_000),
            1..5 => random.random_range(400..1_500),
            _ => random.random_range(40..400),
        };
        let cap = [None, None, None, Some(8_192), Some(16_384), Some(32_000)][random.random_range(0..6)];
        let usage = TokenUsage { cached_input: cached, cache_write: fresh, output, ..TokenUsage::default() };
        Call { starts: now, ends: now + random.random_range(800..3_000) + output * 12, usage, cap }
    };
    let mut calls = vec![call(*context, 300)];
    *context += 300 + calls[0].usage.output;
    if now.is_multiple_of(25) {
        calls.extend((0..now % 7 + 4).map(|helper| call(0, 4_000 + helper * 1_500)));
    }
    *context += random.random_range(150..4_000);
    calls
}

/// Calls of several agents that together cost more than so much, in the order in which they come.
fn trace(random: &mut StdRng, card: &ModelCard, worth: i64) -> Vec<Call> {
    let mut agents: Vec<_> =
        (0..AGENTS).map(|agent| (agent as u64 * 700, random.random_range(6_000..20_000))).collect();
    let (mut calls, mut cost) = (Vec::new(), 0);
    while cost < worth {
        let (now, context) = agents.iter_mut().min_by_key(|(now, _)| *now).unwrap();
        let made = turn(random, *now, context);
        cost += made.iter().map(|call| card.price.cost(&call.usage.into()).nanos()).sum::<i64>();
        // Then its tools run.
        *now = made.iter().map(|call| call.ends).max().unwrap() + random.random_range(200..8_000);
        if *context > LONGEST {
            *context = random.random_range(6_000..20_000);
        }
        calls.extend(made);
    }
    calls
}

/// A budget that does not end, of which something is used.
fn with_used(cap: i64, used: i64, clamp: OutputClamp) -> World {
    let world = World::new();
    let window = Window { start: at(0), end: FOREVER };
    world.engine.restore([(meter("b", Metric::Cost), Count { window, used })]);
    let members = json!({ "reset_duration": "never", "output_clamp": clamp });
    world.engine.put_virtual_key(
        hashes(HASH),
        &key(json!({ "budgets": [with(budget("b", cap, 60), members)] })),
        at(1),
    );
    world
}

/// Asks as the server does: bytes bound the input, of which a token has about four, and it is counted when they do not fit.
fn admit(world: &World, card: &ModelCard, call: &Call) -> Option<Admission> {
    let tokens = call.usage.total_input();
    let count = || Some(tokens + tokens / 50);
    let output = OutputDemand {
        per_answer: call.cap.or(card.max_output_tokens).unwrap(),
        answers: 1,
        capped_by_client: call.cap.is_some(),
        can_clamp: true,
        least: 16,
    };
    let input = (tokens * 4).min(card.context_tokens.unwrap());
    let demand = Demand { input, counted_input: Some(&count), output, possible: Possible::default() };
    ask(&world.engine, &HASH, ("p", "m"), demand, Some(card.price.clone()), at(1)).ok()
}

fn replay(world: &World, calls: &[Call], card: &ModelCard, cap: i64) -> Figures {
    let (mut figures, mut clairvoyant) = (Figures::default(), world.used("b", Metric::Cost));
    let mut running: Vec<Option<Admission>> = Vec::new();
    let mut ends: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let end = |place: usize, running: &mut Vec<Option<Admission>>| {
        let Some(admission) = running[place].take() else { return };
        let output = calls[place].usage.output.min(admission.output_cap().unwrap_or(u64::MAX));
        admission.settle(settled(Some(TokenUsage { output, ..calls[place].usage }), at(1)));
    };
    for (place, call) in calls.iter().enumerate() {
        while let Some(ended) =
            ends.peek().filter(|Reverse((at, _))| *at <= call.starts).map(|Reverse((_, ended))| *ended)
        {
            ends.pop();
            end(ended, &mut running);
        }
        let cost = card.price.cost(&call.usage.into()).nanos();
        let is_payable = clairvoyant + cost <= cap;
        if is_payable {
            clairvoyant += cost;
            figures.payable += 1;
        }
        let admission = admit(world, card, call);
        match &admission {
            None => figures.refused += usize::from(is_payable),
            Some(admission) => {
                figures.capped += usize::from(admission.output_cap().is_some());
                figures.cut_short += usize::from(admission.output_cap().is_some_and(|cap| cap < call.usage.output));
                ends.push(Reverse((call.ends, place)));
            }
        }
        running.push(admission);
        assert!(world.used("b", Metric::Cost) <= cap, "I1");
    }
    (0..calls.len()).for_each(|place| end(place, &mut running));
    figures.left = cap - world.used("b", Metric::Cost);
    assert!(figures.left >= 0, "I1");
    figures
}

/// A budget of which the agents in truth need nine tenths refuses them nothing: what holds take beyond that is far less than the tenth.
#[test]
fn i1_torture_agents_that_need_nine_tenths_of_a_budget_are_refused_nothing() {
    let (catalogue, seed) = (Catalogue::built_in().unwrap(), torture::seed());
    for (provider, model) in [("anthropic", "claude-sonnet-4-5"), ("openai", "gpt-5")] {
        for dollars in [500, 1_000] {
            let (card, cap) = (catalogue.find(provider, model).unwrap(), dollars * 1_000_000_000);
            let calls = trace(&mut StdRng::seed_from_u64(seed), card, cap / 10 * 9);
            let figures = replay(&with_used(cap, 0, OutputClamp::WhenAbsent), &calls, card, cap);
            let percent = figures.refused_percent();
            println!("{model}, ${dollars}: {percent:.2} % of {} calls refused; {figures:?}", calls.len());
            assert!(percent < 0.5 && figures.cut_short == 0, "{figures:?}");
        }
    }
}

/// What is refused is so many calls, and not a share of all: those that come while nearly all of what is left is held by calls that are
/// running, and that in truth cost a tenth or less of it. Ten agents lose the last few dollars of a budget to that, however large it
/// is. So it is fewer than one in two hundred where a tenth of the budget pays for tens of thousands of calls, and more where it
/// pays for a few thousand. With `KEYWARD_TORTURE_MINUTES`, other models, budgets and clamps are looked at as well.
#[test]
fn i1_torture_agents_at_the_end_of_a_budget_are_refused_a_bounded_number_of_calls() {
    let (catalogue, seed, is_long) = (Catalogue::built_in().unwrap(), torture::seed(), torture::minutes().is_some());
    let (usual, every) = (("anthropic", "claude-sonnet-4-5"), [OutputClamp::WhenAbsent, OutputClamp::Always]);
    for (provider, model) in [usual, ("openai", "gpt-5")].into_iter().take(if is_long { 2 } else { 1 }) {
        for dollars in [500, 5_000, 20_000] {
            for clamp in every.into_iter().take(if is_long { 2 } else { 1 }) {
                let (card, cap) = (catalogue.find(provider, model).unwrap(), dollars * 1_000_000_000);
                let calls = trace(&mut StdRng::seed_from_u64(seed), card, cap / 9);
                let figures = replay(&with_used(cap, cap / 10 * 9, clamp), &calls, card, cap);
                let (percent, clamp) = (figures.refused_percent(), clamp.as_str());
                println!("{model}, ${dollars}, {clamp}: {percent:.2} % of what could be paid refused; {figures:?}");
                assert!(figures.refused < 40 * AGENTS && figures.cut_short < 4 * AGENTS, "{figures:?}");
                assert!(dollars < 20_000 || percent < 0.5, "{figures:?}");
            }
        }
    }
}
