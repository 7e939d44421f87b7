//! What a cost consists of: the rates, and what they make of each class of tokens, exactly. Rounded up once, the sum is the
//! cost; so that whoever has the breakdown can check the cost.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::{PerClass, PicoUsd, PriceVersion, Rates, ServiceTier, TokenUsage, Usage, rounded_up};
use crate::money::NanoUsd;

/// What one cost consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostBreakdown {
    /// Which prices it was computed by.
    pub version: PriceVersion,
    /// The rates that held for what was used.
    pub rates: Rates,
    /// The tier that served.
    pub tier: ServiceTier,
    /// True: the cost is what the provider says that it bills, whatever the rates make of it.
    pub is_reported: bool,
    classes: PerClass<i128>,
    /// What is charged beyond that; less than nothing where a provider bills less.
    unclassified: i128,
}

/// The breakdown as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tier: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reported: bool,
    pico_usd_per_unit: PerClass<i64>,
    pico_usd: PerClass<i128>,
    #[serde(default, skip_serializing_if = "is_nothing")]
    unclassified: i128,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
const fn is_nothing(pico: &i128) -> bool {
    *pico == 0
}

impl CostBreakdown {
    /// The breakdown of what is known to have been used, as it is charged: by the rates, or as the provider bills it.
    #[must_use]
    pub fn counted(version: PriceVersion, rates: Rates, usage: &Usage) -> Self {
        let Usage { counts, tier, reported } = usage;
        let rates = rates.about(counts);
        let classes = of_classes(&rates, counts);
        let by_rates = Self { version, rates, tier: *tier, is_reported: reported.is_some(), classes, unclassified: 0 };
        match reported {
            Some(cost) => by_rates.charging(*cost),
            None => by_rates,
        }
    }

    /// The breakdown of `cost`, which is charged for a bound: no more is known than that the tokens are at most so many.
    #[must_use]
    pub fn estimated(version: PriceVersion, rates: Rates, bound: &Usage, cost: NanoUsd) -> Self {
        Self::counted(version, rates, &Usage { reported: None, ..*bound }).charging(cost)
    }

    fn charging(self, cost: NanoUsd) -> Self {
        let charged = i128::from(cost.nanos()).saturating_mul(PicoUsd::PER_NANO);
        Self { unclassified: charged.saturating_sub(total(&self.classes)), ..self }
    }

    /// The sum, rounded up once.
    #[must_use]
    pub fn cost(&self) -> NanoUsd {
        rounded_up(total(&self.classes).saturating_add(self.unclassified))
    }

    /// Whether the cost of each class is what there is of it at its rate.
    #[must_use]
    pub fn agrees_with(&self, counts: &TokenUsage) -> bool {
        self.classes == of_classes(&self.rates, counts)
    }

    /// The breakdown as JSON.
    ///
    /// # Errors
    /// None: it has nothing that JSON has not.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Stored {
            version: self.version.to_string(),
            tier: (self.tier != ServiceTier::Standard).then(|| self.tier.as_str().to_owned()),
            reported: self.is_reported,
            pico_usd_per_unit: self.rates.map(|_, rate| rate.picos()),
            pico_usd: self.classes,
            unclassified: self.unclassified,
        })
    }

    /// Reads what [`CostBreakdown::to_json`] wrote.
    ///
    /// # Errors
    /// When the text is something else.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        let Stored { version, tier, reported, pico_usd_per_unit, pico_usd, unclassified } = serde_json::from_str(text)?;
        let tier = match tier {
            None => ServiceTier::Standard,
            Some(name) => ServiceTier::find(&name).ok_or_else(|| serde_json::Error::custom("unknown tier"))?,
        };
        Ok(Self {
            version: version.as_str().into(),
            rates: pico_usd_per_unit.map(|_, picos| PicoUsd::from_picos(picos)),
            tier,
            is_reported: reported,
            classes: pico_usd,
            unclassified,
        })
    }
}

fn of_classes(rates: &Rates, counts: &TokenUsage) -> PerClass<i128> {
    rates.map(|class, rate| rate.of(*counts.get(class)))
}

fn total(classes: &PerClass<i128>) -> i128 {
    classes.iter().fold(0, |sum, (_, cost)| sum.saturating_add(cost))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::price::{Class, Price};

    proptest! {
        /// The books can be checked from the breakdown alone, and it survives being stored.
        #[test]
        fn the_sum_of_the_classes_rounded_up_once_is_the_cost(
            picos in proptest::collection::vec(0..i64::MAX, Class::ALL.len()),
            counts in proptest::collection::vec(0..10_000_000_000u64, Class::ALL.len()),
            reported in proptest::option::of(0..i64::MAX / 1_000),
        ) {
            let at = |class: Class| Class::ALL.iter().position(|other| *other == class).unwrap();
            let price = Price::flat(PerClass::from_fn(|class| Some(PicoUsd::from_picos(picos[at(class)]))));
            let usage = Usage::from(PerClass::from_fn(|class| counts[at(class)]));
            let rates = price.rates_for(&usage);
            let breakdown = CostBreakdown::counted("v".into(), rates, &usage);
            prop_assert_eq!(breakdown.cost(), price.cost(&usage));
            prop_assert!(breakdown.agrees_with(&usage.counts));
            prop_assert_eq!(CostBreakdown::from_json(&breakdown.to_json().unwrap()).unwrap(), breakdown);
            if let Some(nanos) = reported {
                let reported = Usage { reported: Some(NanoUsd::from_nanos(nanos)), tier: ServiceTier::Flex, ..usage };
                let breakdown = CostBreakdown::counted("v".into(), rates, &reported);
                prop_assert_eq!(breakdown.cost().nanos(), nanos);
                prop_assert!(breakdown.is_reported && breakdown.agrees_with(&usage.counts));
                prop_assert_eq!(CostBreakdown::from_json(&breakdown.to_json().unwrap()).unwrap(), breakdown);
            }
        }
    }

    #[test]
    fn what_a_bound_costs_beyond_its_classes_is_said() {
        let rates = Rates { input: PicoUsd::from_picos(1_500), ..Rates::default() };
        let bound = Usage::from(TokenUsage { input: 1, ..TokenUsage::default() });
        let breakdown = CostBreakdown::estimated("v".into(), rates, &bound, NanoUsd::from_nanos(7));
        assert_eq!(breakdown.cost(), NanoUsd::from_nanos(7));
        assert!(breakdown.agrees_with(&bound.counts));
        let json = breakdown.to_json().unwrap();
        assert!(json.contains(r#""pico_usd":{"input":1500},"unclassified":5500"#), "{json}");
        let altered = json.replace("5500", "5501");
        assert_eq!(CostBreakdown::from_json(&altered).unwrap().cost(), NanoUsd::from_nanos(8));
        assert!(!breakdown.agrees_with(&TokenUsage { input: 2, ..TokenUsage::default() }));
    }
}
