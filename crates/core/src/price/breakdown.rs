//! What a cost consists of: the rates, and what they make of each class of tokens, exactly. Rounded up once, the sum is the
//! cost; so that whoever has the breakdown can check the cost.

use serde::{Deserialize, Serialize};

use super::{PicoUsd, PriceVersion, Rates, TokenUsage, rounded_up};
use crate::money::NanoUsd;

/// What one cost consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostBreakdown {
    /// Which prices it was computed by.
    pub version: PriceVersion,
    /// The rates that held.
    pub rates: Rates,
    classes: ClassCosts,
}

/// What each class of tokens cost, in pico-dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassCosts {
    input: i128,
    output: i128,
    cached_input: i128,
    cache_write: i128,
    /// What a bound costs beyond its tokens' own classes: nobody knows the classes that they fall in.
    unclassified: i128,
}

impl ClassCosts {
    fn of(rates: &Rates, usage: &TokenUsage) -> Self {
        Self {
            input: rates.input.of(usage.input),
            output: rates.output.of(usage.output),
            cached_input: rates.cached_input.of(usage.cached_input),
            cache_write: rates.cache_write.of(usage.cache_write),
            unclassified: 0,
        }
    }

    fn total(&self) -> i128 {
        let Self { input, output, cached_input, cache_write, unclassified } = *self;
        [input, output, cached_input, cache_write, unclassified].into_iter().fold(0, i128::saturating_add)
    }
}

/// The breakdown as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: String,
    pico_usd_per_token: StoredRates,
    pico_usd: ClassCosts,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRates {
    input: i64,
    output: i64,
    cached_input: i64,
    cache_write: i64,
}

impl CostBreakdown {
    /// The breakdown of what counted tokens cost.
    #[must_use]
    pub fn counted(version: PriceVersion, rates: Rates, usage: &TokenUsage) -> Self {
        Self { version, rates, classes: ClassCosts::of(&rates, usage) }
    }

    /// The breakdown of `cost`, which is charged for a bound: no more is known than that the tokens are at most so many.
    #[must_use]
    pub fn estimated(version: PriceVersion, rates: Rates, bound: &TokenUsage, cost: NanoUsd) -> Self {
        let classes = ClassCosts::of(&rates, bound);
        let charged = i128::from(cost.nanos()).saturating_mul(PicoUsd::PER_NANO);
        Self {
            version,
            rates,
            classes: ClassCosts { unclassified: charged.saturating_sub(classes.total()), ..classes },
        }
    }

    /// The sum, rounded up once.
    #[must_use]
    pub fn cost(&self) -> NanoUsd {
        rounded_up(self.classes.total())
    }

    /// Whether the cost of each class is its tokens at its rate.
    #[must_use]
    pub fn agrees_with(&self, usage: &TokenUsage) -> bool {
        let unclassified = self.classes.unclassified;
        self.classes == ClassCosts { unclassified, ..ClassCosts::of(&self.rates, usage) }
    }

    /// The breakdown as JSON.
    ///
    /// # Errors
    /// None: it has nothing that JSON has not.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let Rates { input, output, cached_input, cache_write } = self.rates;
        serde_json::to_string(&Stored {
            version: self.version.to_string(),
            pico_usd_per_token: StoredRates {
                input: input.picos(),
                output: output.picos(),
                cached_input: cached_input.picos(),
                cache_write: cache_write.picos(),
            },
            pico_usd: self.classes,
        })
    }

    /// Reads what [`CostBreakdown::to_json`] wrote.
    ///
    /// # Errors
    /// When the text is something else.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        let Stored { version, pico_usd_per_token, pico_usd } = serde_json::from_str(text)?;
        let StoredRates { input, output, cached_input, cache_write } = pico_usd_per_token;
        let rates = Rates {
            input: PicoUsd::from_picos(input),
            output: PicoUsd::from_picos(output),
            cached_input: PicoUsd::from_picos(cached_input),
            cache_write: PicoUsd::from_picos(cache_write),
        };
        Ok(Self { version: version.as_str().into(), rates, classes: pico_usd })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::price::{LongContexts, Price};

    proptest! {
        /// The books can be checked from the breakdown alone, and it survives being stored.
        #[test]
        fn the_sum_of_the_classes_rounded_up_once_is_the_cost(
            [input, output, cached_input, cache_write] in proptest::array::uniform4(0..i64::MAX),
            tokens in proptest::array::uniform4(0..10_000_000_000u64),
        ) {
            let pico = PicoUsd::from_picos;
            let rates = Rates {
                input: pico(input),
                output: pico(output),
                cached_input: pico(cached_input),
                cache_write: pico(cache_write),
            };
            let usage =
                TokenUsage { input: tokens[0], cached_input: tokens[1], cache_write: tokens[2], output: tokens[3] };
            let cost = Price { base: rates, long_contexts: LongContexts::NONE }.cost(&usage);
            let breakdown = CostBreakdown::counted("v".into(), rates, &usage);
            prop_assert_eq!(breakdown.cost(), cost);
            prop_assert!(breakdown.agrees_with(&usage));
            prop_assert_eq!(CostBreakdown::from_json(&breakdown.to_json().unwrap()).unwrap(), breakdown);
        }
    }

    #[test]
    fn what_a_bound_costs_beyond_its_classes_is_said() {
        let rates = Rates { input: PicoUsd::from_picos(1_500), ..Rates::default() };
        let bound = TokenUsage { input: 1, ..TokenUsage::default() };
        let breakdown = CostBreakdown::estimated("v".into(), rates, &bound, NanoUsd::from_nanos(7));
        assert_eq!(breakdown.cost(), NanoUsd::from_nanos(7));
        assert!(breakdown.agrees_with(&bound));
        let json = breakdown.to_json().unwrap();
        let unclassified =
            r#""pico_usd":{"input":1500,"output":0,"cached_input":0,"cache_write":0,"unclassified":5500}"#;
        assert!(json.contains(unclassified), "{json}");
        let altered = json.replace("5500", "5501");
        assert_eq!(CostBreakdown::from_json(&altered).unwrap().cost(), NanoUsd::from_nanos(8));
        let other = TokenUsage { input: 2, ..TokenUsage::default() };
        assert!(!breakdown.agrees_with(&other));
    }
}
