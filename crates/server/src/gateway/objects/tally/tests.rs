//! What came of a batch: each answer at its price, and what cannot be read is charged to nobody in silence.

use jiff::Timestamp;
use keyward_core::price::Variant;
use keyward_core::provider_object::ObjectState;

use super::*;

fn batch(kind: ObjectKind, models: &[&str]) -> ProviderObject {
    let model = |name: &&str| ObjectModel { asked: (*name).into(), served: (*name).into() };
    ProviderObject {
        kind,
        provider: "openai".into(),
        id: "b".to_owned(),
        virtual_key_id: "vk".into(),
        provider_key_id: "k".into(),
        request_id: "r".into(),
        endpoint: Some("/v1/chat/completions".to_owned()),
        models: models.iter().map(model).collect(),
        state: ObjectState::Open,
        told: None,
        created_at: Timestamp::UNIX_EPOCH,
        expires_at: None,
    }
}

/// 10 pico-dollars for a token of input, 21 for one of output; 100 and 200 for inputs of more than 1,000 tokens.
fn priced(_: &ObjectModel) -> Option<VersionedPrice> {
    let sheet = |input, output| PriceSheet {
        input: Some(PicoUsd::from_picos(input)),
        output: Some(PicoUsd::from_picos(output)),
        ..PriceSheet::default()
    };
    let long = Variant { tier: ServiceTier::Standard, above_input_tokens: 1_000, sheet: sheet(100, 200) };
    Some(VersionedPrice { price: Price::flat(sheet(10, 21)).with(long), version: "v".into() })
}

fn answer(model: &str, input: u64, output: u64) -> String {
    let total = input + output;
    format!(
        r#"{{"custom_id":"a","response":{{"status_code":200,"body":{{"model":"{model}","usage":{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{total}}}}}}},"error":null}}"#
    )
}

#[test]
fn answers_with_the_same_model_and_rates_are_one_sum_at_half_price() {
    let batch = batch(ObjectKind::Batch, &["gpt-4o", "gpt-4o-mini"]);
    let mut tally = Tally::new(&batch, &priced);
    for line in [
        answer("gpt-4o-mini-2024-07-18", 1_000, 1),
        answer("gpt-4o-2024-08-06", 5, 5),
        answer("gpt-4o-mini-2024-07-18", 1_000, 2),
        // Together they would be long, and this one is.
        answer("gpt-4o-mini-2024-07-18", 1_001, 3),
        r#"{"custom_id":"b","response":{"status_code":400,"body":{"error":{}}},"error":null}"#.to_owned(),
        r#"{"custom_id":"c","response":null,"error":{"code":"batch_expired"}}"#.to_owned(),
        "\n".to_owned(),
    ] {
        tally.read(line.as_bytes());
    }
    let told = tally.sums.iter().map(|sum| {
        let rates = sum.price.as_ref().unwrap().price.rates_for(&sum.usage);
        let counts = &sum.usage.counts;
        (sum.model.asked.as_str(), counts.input, counts.output, rates.input.picos(), rates.output.picos())
    });
    let expected = [("gpt-4o-mini", 2_000, 3, 5, 11), ("gpt-4o", 5, 5, 5, 11), ("gpt-4o-mini", 1_001, 3, 50, 100)];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert_eq!(tally.unreported, 0);
    assert_eq!(tally.sums[0].price.as_ref().unwrap().version.as_str(), "v+batch");
}

#[test]
fn what_does_not_tell_its_usage_is_noticed() {
    let batch = batch(ObjectKind::Batch, &["gpt-4o"]);
    let mut tally = Tally::new(&batch, &priced);
    tally.read(br#"{"response":{"status_code":200,"body":{"model":"gpt-4o"}}}"#);
    tally.read(b"no JSON");
    assert_eq!((tally.sums.len(), tally.unreported), (0, 2));
}

#[test]
fn a_price_for_batches_is_what_it_says() {
    let tier = |model: &ObjectModel| {
        let known = priced(model)?;
        let sheet = PriceSheet { input: Some(PicoUsd::from_picos(7)), ..PriceSheet::default() };
        let price = known.price.with(Variant { tier: ServiceTier::Batch, above_input_tokens: 0, sheet });
        Some(VersionedPrice { price, ..known })
    };
    let batch = batch(ObjectKind::Batch, &["gpt-4o"]);
    let mut tally = Tally::new(&batch, &tier);
    tally.read(answer("gpt-4o", 10, 1).as_bytes());
    let known = tally.sums[0].price.as_ref().unwrap();
    assert_eq!(known.price.rates_for(&tally.sums[0].usage).input.picos(), 7);
    assert_eq!(known.version.as_str(), "v");
}
