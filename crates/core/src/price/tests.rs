//! What usage costs, and that a hold covers it.

use proptest::prelude::*;

use super::*;

fn pico(text: &str) -> PicoUsd {
    text.parse().unwrap()
}

fn some(text: &str) -> Option<PicoUsd> {
    Some(pico(text))
}

fn sheet(input: &str, output: &str) -> PriceSheet {
    PriceSheet { input: some(input), output: some(output), ..PriceSheet::default() }
}

fn variant(tier: ServiceTier, above_input_tokens: u64, sheet: PriceSheet) -> Variant {
    Variant { tier, above_input_tokens, sheet }
}

#[test]
fn one_rounding_per_entry_and_it_is_upwards() {
    let price = Price::flat(sheet("0.0375", "0.15"));
    let usage = |input, output| Usage::from(TokenUsage { input, output, ..TokenUsage::default() });
    assert_eq!(price.cost(&usage(1, 0)).nanos(), 38);
    assert_eq!(price.cost(&usage(2, 0)).nanos(), 75);
    assert_eq!(price.cost(&usage(1, 1)).nanos(), 188);
    assert_eq!(price.cost(&Usage::default()), NanoUsd::ZERO);
}

#[test]
fn a_class_without_a_price_costs_what_it_is_most_like() {
    let rates = sheet("2", "8").rates();
    let expected = [
        (Class::CachedInput, "2"),
        (Class::CacheWrite, "2"),
        (Class::CacheWriteHour, "4"),
        (Class::AudioInput, "2"),
        (Class::CachedAudioInput, "2"),
        (Class::ImageInput, "2"),
        (Class::Reasoning, "8"),
        (Class::AudioOutput, "8"),
        (Class::ImageOutput, "8"),
        (Class::Searches, "0"),
    ];
    for (class, rate) in expected {
        assert_eq!(*rates.get(class), pico(rate), "{class}");
    }
    let cached =
        PriceSheet { cached_input: some("0.2"), cache_write: some("2.5"), audio_input: some("32"), ..sheet("1", "8") };
    let rates = cached.rates();
    assert_eq!((rates.cached_image_input, rates.cached_audio_input), (pico("0.2"), pico("32")));
    assert_eq!(rates.cache_write_1h, pico("2.5"), "a write that costs more than twice the input");
}

#[test]
fn a_tier_has_its_own_prices_and_the_usual_ones_for_the_rest() {
    let long = PriceSheet { input: some("4"), ..PriceSheet::default() };
    let price = Price::flat(PriceSheet { cached_input: some("0.2"), ..sheet("2", "8") })
        .with(variant(ServiceTier::Flex, 0, sheet("1", "4")))
        .with(variant(ServiceTier::Priority, 0, sheet("5", "16")))
        .with(variant(ServiceTier::Standard, 200_000, long))
        .with(variant(ServiceTier::Priority, 200_000, PriceSheet { input: some("10"), ..PriceSheet::default() }));
    let rates = |tier, input| {
        let counts = TokenUsage { input, ..TokenUsage::default() };
        let rates = price.rates_for(&Usage { tier, ..counts.into() });
        (rates.input, rates.cached_input, rates.output)
    };
    assert_eq!(rates(ServiceTier::Standard, 200_000), (pico("2"), pico("0.2"), pico("8")));
    assert_eq!(rates(ServiceTier::Standard, 200_001), (pico("4"), pico("0.2"), pico("8")));
    assert_eq!(rates(ServiceTier::Flex, 1), (pico("1"), pico("0.2"), pico("4")));
    assert_eq!(rates(ServiceTier::Flex, 200_001), (pico("4"), pico("0.2"), pico("4")), "the dearer of the two");
    assert_eq!(rates(ServiceTier::Priority, 200_001), (pico("10"), pico("0.2"), pico("16")));
    assert_eq!(rates(ServiceTier::Batch, 1), rates(ServiceTier::Standard, 1), "nobody has priced it");
}

#[test]
fn a_price_covers_only_what_it_has_a_figure_for() {
    let price = Price::flat(sheet("1", "2"));
    let asks = |possible: Possible| price.covers(1, 1, &possible);
    let usual = Possible::default();
    assert!(asks(usual));
    assert!(asks(Possible { tier: ServiceTier::Flex, ..usual }), "it costs no more than usual");
    assert!(!asks(Possible { tier: ServiceTier::Priority, ..usual }));
    assert!(asks(Possible { classes: ClassSet::USUAL.and(Class::AudioInput), ..usual }));
    assert!(!asks(Possible { classes: ClassSet::USUAL.and(Class::AudioOutput), ..usual }));
    assert!(!asks(Possible { units: TokenUsage { searches: 1, ..TokenUsage::default() }, ..usual }));
    let everything = Possible {
        classes: ClassSet::USUAL.and(Class::ImageOutput),
        units: TokenUsage { images: 1, ..TokenUsage::default() },
        tier: ServiceTier::Priority,
    };
    assert!(Price::FREE.covers(1, 1, &everything));
    let by_image = Price::flat(PriceSheet { images: some("40"), ..PriceSheet::default() });
    let drawn = Possible { units: TokenUsage { images: 1, ..TokenUsage::default() }, ..usual };
    assert!(by_image.covers(1, 1, &drawn), "its text is in the price of the image");
    assert!(!by_image.covers(1, 0, &usual) && !by_image.covers(0, 1, &usual), "text has no price");
    let embedding = Price::flat(PriceSheet { input: some("1"), ..PriceSheet::default() });
    assert!(embedding.covers(1, 0, &usual) && !embedding.covers(1, 1, &usual));
}

#[test]
fn a_hold_is_of_the_classes_that_may_come() {
    let price = Price::flat(PriceSheet { audio_input: some("40"), searches: some("10000"), ..sheet("1", "2") });
    let text = Possible::default();
    assert_eq!(price.ceiling(1_000, 0, &text).to_string(), "0.001");
    let sound = Possible { classes: ClassSet::USUAL.and(Class::AudioInput), ..text };
    assert_eq!(price.ceiling(1_000, 0, &sound).to_string(), "0.04");
    let searching = Possible { units: TokenUsage { searches: 3, ..TokenUsage::default() }, ..text };
    assert_eq!(price.ceiling(1_000, 0, &searching).to_string(), "0.031");
}

const CLASSES: usize = 17;

fn any_sheet() -> impl Strategy<Value = PriceSheet> {
    proptest::collection::vec(proptest::option::of(0i64..1_000_000_000), CLASSES).prop_map(|picos| {
        let mut picos = picos.into_iter();
        PerClass::from_fn(|_| picos.next().flatten().map(PicoUsd))
    })
}

fn any_tier() -> impl Strategy<Value = ServiceTier> {
    (0..ServiceTier::ALL.len()).prop_map(|index| ServiceTier::ALL[index])
}

fn any_price() -> impl Strategy<Value = Price> {
    let above = prop_oneof![Just(0u64), 1u64..1_000_000];
    let variants = proptest::collection::vec((any_tier(), above, any_sheet()), 0..5);
    (any_sheet(), variants).prop_map(|(base, variants)| {
        let variants = variants.into_iter().map(|(tier, above, sheet)| variant(tier, above, sheet));
        variants.fold(Price::flat(base), Price::with)
    })
}

fn any_possible() -> impl Strategy<Value = Possible> {
    (proptest::collection::vec(any::<bool>(), CLASSES), proptest::collection::vec(0u64..10, CLASSES), any_tier())
        .prop_map(|(has, units, tier)| {
            let classes = Class::ALL.iter().zip(has).filter(|(_, has)| *has);
            let classes = classes.fold(ClassSet::USUAL, |set, (class, _)| set.and(*class));
            let units = Class::ALL.iter().zip(units).filter(|(class, _)| class.kind() == ClassKind::Unit);
            Possible { classes, units: units.map(|(class, count)| (*class, count)).collect(), tier }
        })
}

proptest! {
    /// A hold is never smaller than what it is settled with, as long as the bounds were right.
    #[test]
    fn ceiling_covers_every_split_of_what_is_possible(
        price in any_price(),
        possible in any_possible(),
        counts in proptest::collection::vec(0u64..1_000_000, CLASSES),
        [slack_in, slack_out] in proptest::array::uniform2(0u64..1_000_000),
        is_served_as_usual in any::<bool>(),
    ) {
        let counts: TokenUsage = Class::ALL.iter().zip(counts).map(|(class, count)| match class.kind() {
            ClassKind::Unit => (*class, (*possible.units.get(*class)).min(count)),
            ClassKind::Input | ClassKind::Output if possible.classes.has(*class) => (*class, count),
            ClassKind::Input | ClassKind::Output => (*class, 0),
        }).collect();
        let tier = if is_served_as_usual { ServiceTier::Standard } else { possible.tier };
        let usage = Usage { tier, ..counts.into() };
        let ceiling = price.ceiling(counts.total_input() + slack_in, counts.total_output() + slack_out, &possible);
        prop_assert!(price.cost(&usage) <= ceiling);
    }

    /// What is affordable fits, and one token more does not.
    #[test]
    fn affordable_output_is_the_most_that_fits(
        price in any_price(), possible in any_possible(), input in 0u64..100_000, nanos in 0i64..1_000_000_000_000,
    ) {
        let money = NanoUsd::from_nanos(nanos);
        match price.affordable_output(input, money, &possible) {
            None => prop_assert!(price.ceiling(input, 0, &possible) > money),
            Some(u64::MAX) => prop_assert!(price.ceiling(input, u64::from(u32::MAX), &possible) <= money),
            Some(output) => {
                prop_assert!(price.ceiling(input, output, &possible) <= money);
                prop_assert!(price.ceiling(input, output + 1, &possible) > money);
            }
        }
    }
}
