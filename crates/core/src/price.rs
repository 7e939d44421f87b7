//! Prices and what they make of usage: exact products, one rounding.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::money::{InvalidAmount, NanoUsd, parse_scaled};

mod breakdown;

pub use breakdown::CostBreakdown;

/// A unit price in trillionths of a US dollar per token, which is millionths of a dollar per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct PicoUsd(i64);

impl PicoUsd {
    /// Pico-dollars per nano-dollar.
    const PER_NANO: i128 = 1_000;

    /// A price given in pico-dollars.
    #[must_use]
    pub const fn from_picos(picos: i64) -> Self {
        Self(picos)
    }

    /// The price in pico-dollars.
    #[must_use]
    pub const fn picos(self) -> i64 {
        self.0
    }

    fn of(self, tokens: u64) -> i128 {
        i128::from(self.0) * i128::from(tokens)
    }
}

impl FromStr for PicoUsd {
    type Err = InvalidAmount;

    /// Reads dollars per million tokens, exactly; prices are never negative.
    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        match parse_scaled(text, 6)? {
            negative if negative < 0 => Err(InvalidAmount::OutOfRange(text.to_owned())),
            pico => Ok(Self(pico)),
        }
    }
}

impl<'de> Deserialize<'de> for PicoUsd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let literal = Box::<RawValue>::deserialize(deserializer)?;
        literal.get().parse().map_err(serde::de::Error::custom)
    }
}

/// Which prices a cost was computed by: the catalogue's version, and the pricing override that changed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceVersion(Arc<str>);

impl PriceVersion {
    /// The version as it is recorded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for PriceVersion {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for PriceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a model costs, and since which prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedPrice {
    /// The price.
    pub price: Price,
    /// Which prices it is from.
    pub version: PriceVersion,
}

/// Token counts in disjoint classes: together they are everything the provider counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenUsage {
    /// Input tokens that no other class has.
    pub input: u64,
    /// Input tokens read from the provider's prompt cache.
    pub cached_input: u64,
    /// Input tokens written to the provider's prompt cache.
    pub cache_write: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
}

impl TokenUsage {
    /// Input tokens of all classes.
    #[must_use]
    pub const fn total_input(&self) -> u64 {
        self.input.saturating_add(self.cached_input).saturating_add(self.cache_write)
    }

    /// Tokens of all classes.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total_input().saturating_add(self.output)
    }
}

/// Unit prices of each token class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Per plain input token.
    pub input: PicoUsd,
    /// Per output token.
    pub output: PicoUsd,
    /// Per input token read from the cache.
    pub cached_input: PicoUsd,
    /// Per input token written to the cache.
    pub cache_write: PicoUsd,
}

impl Rates {
    fn dearest_input(&self) -> PicoUsd {
        self.input.max(self.cached_input).max(self.cache_write)
    }
}

/// Rates that hold for the whole request when its input is longer than a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongContext {
    /// The largest input, in tokens, that still has the base rates.
    pub above_input_tokens: u64,
    /// The rates above it.
    pub rates: Rates,
}

/// The rates for long inputs, by rising threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LongContexts([Option<LongContext>; Self::MOST]);

impl LongContexts {
    /// The most there can be: a model's own, and those that a pricing override can name.
    const MOST: usize = 4;
    /// The base rates, however long the input is.
    pub const NONE: Self = Self([None; Self::MOST]);

    /// The same with another one, in place of one with the same threshold. Beyond the most there can be, it is not taken in.
    #[must_use]
    pub fn with(self, one: LongContext) -> Self {
        let others = self.iter().filter(|other| other.above_input_tokens != one.above_input_tokens);
        let mut all: Vec<_> = others.chain([one]).collect();
        all.sort_by_key(|one| one.above_input_tokens);
        let mut places = [None; Self::MOST];
        places.iter_mut().zip(all).for_each(|(place, one)| *place = Some(one));
        Self(places)
    }

    /// Each, by rising threshold.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = LongContext> {
        self.0.into_iter().flatten()
    }

    /// Those that an input of so many tokens is longer than.
    fn below(&self, input: u64) -> impl DoubleEndedIterator<Item = LongContext> {
        self.iter().filter(move |one| input > one.above_input_tokens)
    }
}

/// What a model costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Price {
    /// The usual rates.
    pub base: Rates,
    /// Rates for long inputs, where the provider has them.
    pub long_contexts: LongContexts,
}

impl Price {
    /// Free of charge, explicitly.
    pub const FREE: Self = Self {
        base: Rates { input: PicoUsd(0), output: PicoUsd(0), cached_input: PicoUsd(0), cache_write: PicoUsd(0) },
        long_contexts: LongContexts::NONE,
    };

    /// What this usage costs, rounded up once to the nano-dollar. Saturates at the largest amount.
    #[must_use]
    pub fn cost(&self, usage: &TokenUsage) -> NanoUsd {
        let rates = self.rates_for(usage.total_input());
        rounded_up(
            rates.input.of(usage.input)
                + rates.cached_input.of(usage.cached_input)
                + rates.cache_write.of(usage.cache_write)
                + rates.output.of(usage.output),
        )
    }

    /// The most that up to this many tokens can cost, in whatever classes the input falls: what a hold reserves.
    #[must_use]
    pub fn ceiling(&self, input: u64, output: u64) -> NanoUsd {
        let at = |rates: &Rates| rates.dearest_input().of(input) + rates.output.of(output);
        let dearest = self.long_contexts.below(input).map(|long| at(&long.rates)).fold(at(&self.base), i128::max);
        rounded_up(dearest)
    }

    /// The most output tokens beside this much input whose [`Price::ceiling`] is not above `money`; none: not even one more than
    /// none fits, as the input alone costs more. Saturates where output is free.
    #[must_use]
    pub fn affordable_output(&self, input: u64, money: NanoUsd) -> Option<u64> {
        let pico = i128::from(money.nanos()) * PicoUsd::PER_NANO;
        let at = |rates: &Rates| {
            let left = pico - rates.dearest_input().of(input);
            match (left, i128::from(rates.output.0)) {
                (..0, _) => None,
                (_, ..=0) => Some(u64::MAX),
                (left, rate) => Some(u64::try_from(left / rate).unwrap_or(u64::MAX)),
            }
        };
        self.long_contexts.below(input).map(|long| at(&long.rates)).fold(at(&self.base), Option::min)
    }

    /// The rates that hold for a request whose input has so many tokens.
    #[must_use]
    pub fn rates_for(&self, input: u64) -> Rates {
        self.long_contexts.below(input).next_back().map_or(self.base, |long| long.rates)
    }
}

fn rounded_up(pico: i128) -> NanoUsd {
    let nanos = pico.saturating_add(PicoUsd::PER_NANO - 1) / PicoUsd::PER_NANO;
    NanoUsd::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pico(text: &str) -> PicoUsd {
        text.parse().unwrap()
    }

    #[test]
    fn one_rounding_per_entry_and_it_is_upwards() {
        let price = Price {
            base: Rates { input: pico("0.0375"), output: pico("0.15"), ..Rates::default() },
            long_contexts: LongContexts::NONE,
        };
        let usage = |input, output| TokenUsage { input, output, ..TokenUsage::default() };
        assert_eq!(price.cost(&usage(1, 0)).nanos(), 38);
        assert_eq!(price.cost(&usage(2, 0)).nanos(), 75);
        assert_eq!(price.cost(&usage(1, 1)).nanos(), 188);
        assert_eq!(price.cost(&TokenUsage::default()), NanoUsd::ZERO);
    }

    fn any_price() -> impl Strategy<Value = Price> {
        let rates = || {
            proptest::array::uniform4(0i64..1_000_000_000).prop_map(|[input, output, cached_input, cache_write]| {
                Rates {
                    input: PicoUsd(input),
                    output: PicoUsd(output),
                    cached_input: PicoUsd(cached_input),
                    cache_write: PicoUsd(cache_write),
                }
            })
        };
        (rates(), proptest::collection::vec((0u64..1_000_000, rates()), 0..4)).prop_map(|(base, long)| {
            let long = long.into_iter().map(|(above_input_tokens, rates)| LongContext { above_input_tokens, rates });
            Price { base, long_contexts: long.fold(LongContexts::NONE, LongContexts::with) }
        })
    }

    proptest! {
        /// A hold is never smaller than what it is settled with, as long as the token bounds were right.
        #[test]
        fn ceiling_covers_every_split_of_the_input(
            price in any_price(),
            [input, cached_input, cache_write, output, slack_in, slack_out] in proptest::array::uniform6(0u64..1_000_000),
        ) {
            let usage = TokenUsage { input, cached_input, cache_write, output };
            let ceiling = price.ceiling(usage.total_input() + slack_in, output + slack_out);
            prop_assert!(price.cost(&usage) <= ceiling);
        }

        /// What is affordable fits, and one token more does not.
        #[test]
        fn affordable_output_is_the_most_that_fits(price in any_price(), input in 0u64..100_000, nanos in 0i64..1_000_000_000_000) {
            let money = NanoUsd::from_nanos(nanos);
            match price.affordable_output(input, money) {
                None => prop_assert!(price.ceiling(input, 0) > money),
                Some(u64::MAX) => prop_assert!(price.ceiling(input, u64::from(u32::MAX)) <= money),
                Some(output) => {
                    prop_assert!(price.ceiling(input, output) <= money);
                    prop_assert!(price.ceiling(input, output + 1) > money);
                }
            }
        }
    }
}
