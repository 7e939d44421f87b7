//! What is charged: what a provider tells, what it bills by its own report, and what was counted for it.

use jiff::Timestamp;
use keyward_core::ledger::{LedgerEntry, Outcome, UsageSource};
use keyward_core::money::NanoUsd;
use keyward_core::price::{Class, ClassSet, Possible, Price, PriceSheet, ServiceTier, TokenUsage, Usage, Variant};
use keyward_core::refusal::Refusal;
use keyward_engine::{Demand, OutputDemand, Settlement};
use serde_json::json;

use crate::world::{HASH, World, ask, at, budget, output, price};

const OUTPUT: OutputDemand =
    OutputDemand { per_answer: 100, answers: 1, capped_by_client: true, can_clamp: false, least: 1 };

fn world() -> World {
    World::with_key(json!({ "budgets": [budget("b", 1_000_000_000, 60)] }))
}

fn settle(world: &World, provider: &str, price: Option<Price>, usage: Option<Usage>, is_counted: bool) -> LedgerEntry {
    let possible = Possible { classes: ClassSet::USUAL.and(Class::AudioInput), ..Possible::default() };
    let demand = Demand { input: 100, counted_input: None, output: OUTPUT, possible };
    let admission = ask(&world.engine, &HASH, (provider, "m"), demand, price, at(1)).unwrap();
    let end = |at: Timestamp| Settlement { usage, is_counted, outcome: Outcome::Completed, first_byte_at: None, at };
    let cost = admission.settle(end(at(2)));
    let entry = world.ledger.entries.lock().unwrap().last().unwrap().clone();
    assert_eq!(cost, Some(entry.cost));
    entry
}

#[test]
fn what_was_counted_is_charged_up_to_what_was_held() {
    let counted = |tokens| {
        let entry = settle(&world(), "p", Some(price()), Some(output(tokens).into()), true);
        (entry.usage_source, entry.cost.nanos())
    };
    assert_eq!(counted(60), (UsageSource::Counted, 60));
    assert_eq!(counted(200), (UsageSource::Counted, 200));
    assert_eq!(counted(201), (UsageSource::Estimated, 200), "more than that cannot have been");
}

#[test]
fn a_bill_counts_where_the_provider_bills_by_it() {
    let billed = Usage { reported: Some(NanoUsd::from_nanos(77)), ..output(60).into() };
    let charged = |provider| {
        let entry = settle(&world(), provider, Some(price()), Some(billed), false);
        (entry.cost.nanos(), entry.usage.reported.is_some())
    };
    assert_eq!(charged("openrouter"), (77, true));
    assert_eq!(charged("perplexity"), (77, true));
    assert_eq!(charged("p"), (60, false), "a report that is no bill");
    // Also where nothing covers a model without a price.
    let world = World::with_key(json!({}));
    let entry = settle(&world, "openrouter", None, Some(billed), false);
    assert_eq!((entry.cost.nanos(), entry.pricing.unwrap().version.as_str()), (77, "reported by the provider"));
}

#[test]
fn each_class_is_charged_at_its_rate_and_that_of_its_tier() {
    let picos = |picos| Some(keyward_core::price::PicoUsd::from_picos(picos));
    let base =
        PriceSheet { input: picos(1_000), output: picos(2_000), audio_input: picos(40_000), ..PriceSheet::default() };
    let flex = PriceSheet { input: picos(500), ..PriceSheet::default() };
    let price = Price::flat(base).with(Variant { tier: ServiceTier::Flex, above_input_tokens: 0, sheet: flex });
    let counts = TokenUsage { input: 10, audio_input: 5, reasoning: 7, ..TokenUsage::default() };
    let charged = |tier| {
        let entry = settle(&world(), "p", Some(price.clone()), Some(Usage { tier, ..counts.into() }), false);
        assert_eq!(entry.postings[0].amount, entry.cost.nanos());
        (entry.cost.nanos(), entry.held.nanos())
    };
    // 10 and 5 at 40 and 7 at 2; held are a hundred at the dearest class that was possible, and a hundred of output.
    assert_eq!(charged(ServiceTier::Standard), (224, 4_200));
    assert_eq!(charged(ServiceTier::Flex), (219, 4_200));
}

#[test]
fn a_budget_lets_nothing_through_that_its_price_has_no_figure_for() {
    let world = world();
    let asks = |possible| {
        let demand = Demand { input: 10, counted_input: None, output: OUTPUT, possible };
        ask(&world.engine, &HASH, ("p", "m"), demand, Some(price()), at(1)).map(drop)
    };
    let usual = Possible::default();
    assert!(asks(usual).is_ok());
    assert!(asks(Possible { classes: ClassSet::USUAL.and(Class::AudioInput), ..usual }).is_ok(), "as text");
    for possible in [
        Possible { classes: ClassSet::USUAL.and(Class::AudioOutput), ..usual },
        Possible { units: TokenUsage { searches: 1, ..TokenUsage::default() }, ..usual },
        Possible { tier: ServiceTier::Priority, ..usual },
    ] {
        assert!(matches!(asks(possible), Err(Refusal::PriceUnknown { .. })), "{possible:?}");
    }
}

#[test]
fn a_fee_of_the_request_is_held_and_charged() {
    let fee = PriceSheet { requests: Some("0.005".parse().unwrap()), ..price().base };
    let entry = settle(&world(), "p", Some(Price::flat(fee)), Some(output(60).into()), false);
    assert_eq!((entry.cost.nanos(), entry.held.nanos(), entry.usage.counts.requests), (65, 205, 1));
}
