//! Prices and what they make of usage: exact products, one rounding.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::money::{InvalidAmount, NanoUsd, parse_scaled};

mod breakdown;
mod class;
mod rates;
mod usage;

pub use breakdown::CostBreakdown;
pub use class::{Class, ClassKind, ClassSet, PerClass};
pub use rates::{PriceSheet, Rates};
pub use usage::{ServiceTier, TokenUsage, Usage, bills_as_reported};

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

    fn of(self, count: u64) -> i128 {
        i128::from(self.0).saturating_mul(i128::from(count))
    }

    /// So many times as much. Saturates at the largest price.
    const fn times(self, factor: i64) -> Self {
        Self(self.0.saturating_mul(factor))
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

/// Prices that hold in place of a model's usual ones, under a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// The tier that must have served.
    pub tier: ServiceTier,
    /// The largest input, in tokens, of which they do not hold; zero: they hold for all.
    pub above_input_tokens: u64,
    /// The prices. What is not here stays as it is.
    pub sheet: PriceSheet,
}

/// What else a request may cause than plain text in and out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Possible {
    /// The classes that its tokens may fall in.
    pub classes: ClassSet,
    /// The most of each unit that is no token.
    pub units: TokenUsage,
    /// The tier that it asks for. It may be served as usual too.
    pub tier: ServiceTier,
}

impl Default for Possible {
    fn default() -> Self {
        Self { classes: ClassSet::USUAL, units: TokenUsage::default(), tier: ServiceTier::Standard }
    }
}

/// What a model costs. Clones share its variants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Price {
    /// The usual prices.
    pub base: PriceSheet,
    /// What holds in their place, by tier and rising threshold; none for most models.
    variants: Option<Arc<[Variant]>>,
}

impl Price {
    /// Free of charge, explicitly.
    pub const FREE: Self = Self { base: PriceSheet::all(Some(PicoUsd(0))), variants: None };

    /// A price without conditions.
    #[must_use]
    pub const fn flat(base: PriceSheet) -> Self {
        Self { base, variants: None }
    }

    /// The same with other prices under a condition, on top of those that hold under it already.
    #[must_use]
    pub fn with(self, variant: Variant) -> Self {
        let Variant { tier, above_input_tokens, sheet } = variant;
        if (tier, above_input_tokens) == (ServiceTier::Standard, 0) {
            return Self { base: sheet.over(&self.base), ..self };
        }
        let is_same = |other: &Variant| (other.tier, other.above_input_tokens) == (tier, above_input_tokens);
        let mut variants = self.variants().to_vec();
        match variants.iter_mut().find(|other| is_same(other)) {
            Some(same) => same.sheet = sheet.over(&same.sheet),
            None => variants.push(variant),
        }
        variants.sort_by_key(|one| (one.tier.as_str(), one.above_input_tokens));
        Self { base: self.base, variants: Some(variants.into()) }
    }

    /// What holds under conditions, each tier by rising threshold.
    #[must_use]
    pub fn variants(&self) -> &[Variant] {
        self.variants.as_deref().unwrap_or_default()
    }

    /// True when a price says what a request of up to this many tokens costs: the tier that it asks for, its text, and what it may cause
    /// that is none.
    #[must_use]
    pub fn covers(&self, input: u64, output: u64, possible: &Possible) -> bool {
        let is_known = |class: Class| self.base.get(class).is_some();
        let made = [Class::AudioOutput, Class::ImageOutput];
        let knows_what_is_made = made.into_iter().all(|class| !possible.classes.has(class) || is_known(class));
        let knows_units = possible.units.set().all(|(class, _)| is_known(class));
        // What is billed by the piece has its text in that.
        let pieces = [Class::Images, Class::Seconds, Class::Characters];
        let is_by_piece = pieces.into_iter().any(|class| *possible.units.get(class) > 0 && is_known(class));
        let knows_text =
            is_by_piece || ((input == 0 || is_known(Class::Input)) && (output == 0 || is_known(Class::Output)));
        let is_dearer = match possible.tier {
            ServiceTier::Priority => true,
            ServiceTier::Standard | ServiceTier::Flex | ServiceTier::Batch => false,
        };
        let is_free = *self == Self::FREE;
        let knows_tier = self.variants().iter().any(|one| one.tier == possible.tier) || is_free;
        knows_what_is_made && knows_units && (knows_text || is_free) && (!is_dearer || knows_tier)
    }

    /// What this usage costs at these prices, rounded up once to the nano-dollar. Saturates at the largest amount.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> NanoUsd {
        let rates = self.rates_for(usage);
        let costs = usage.counts.iter().map(|(class, count)| rates.get(class).of(count));
        rounded_up(costs.fold(0, i128::saturating_add))
    }

    /// The most that up to this many tokens can cost, in whatever of the possible classes they fall: what a hold reserves.
    #[must_use]
    pub fn ceiling(&self, input: u64, output: u64, possible: &Possible) -> NanoUsd {
        let at = |rates: &Rates| {
            rates.before_output(input, possible).saturating_add(rates.dearest_output(possible).of(output))
        };
        rounded_up(self.reachable(input, possible.tier).map(|rates| at(&rates)).fold(0, i128::max))
    }

    /// The most output tokens beside this much input whose [`Price::ceiling`] is not above `money`; none: not even one more than
    /// none fits, as the input alone costs more. Saturates where output is free.
    #[must_use]
    pub fn affordable_output(&self, input: u64, money: NanoUsd, possible: &Possible) -> Option<u64> {
        let pico = i128::from(money.nanos()) * PicoUsd::PER_NANO;
        let at = |rates: Rates| {
            let left = pico.saturating_sub(rates.before_output(input, possible));
            match (left, i128::from(rates.dearest_output(possible).0)) {
                (..0, _) => None,
                (_, ..=0) => Some(u64::MAX),
                (left, rate) => Some(u64::try_from(left / rate).unwrap_or(u64::MAX)),
            }
        };
        self.reachable(input, possible.tier).map(at).fold(Some(u64::MAX), Option::min)
    }

    /// The rates that hold for what was used.
    #[must_use]
    pub fn rates_for(&self, usage: &Usage) -> Rates {
        self.rates_at(usage.tier, usage.counts.total_input())
    }

    fn rates_at(&self, tier: ServiceTier, input: u64) -> Rates {
        if self.variants.is_none() {
            return self.base.rates();
        }
        let last = |class: Class, tier: ServiceTier, is_long: bool| {
            let holds = |one: &&Variant| {
                let above = one.above_input_tokens;
                one.tier == tier && (above > 0) == is_long && (above == 0 || input > above)
            };
            self.variants().iter().filter(holds).filter_map(|one| *one.sheet.get(class)).next_back()
        };
        let sheet = self.base.map(|class, usual| {
            let long = last(class, ServiceTier::Standard, true);
            let of_tier = match tier {
                ServiceTier::Standard => None,
                ServiceTier::Flex | ServiceTier::Priority | ServiceTier::Batch => {
                    // A long input that nobody has priced at this tier costs the dearer of the two.
                    let short = last(class, tier, false).map(|short| long.map_or(short, |long| short.max(long)));
                    last(class, tier, true).or(short)
                }
            };
            of_tier.or(long).or(usual)
        });
        sheet.rates()
    }

    /// Every set of rates that may hold for a request whose input is at most this long.
    fn reachable(&self, input: u64, tier: ServiceTier) -> impl Iterator<Item = Rates> {
        let tiers = [Some(ServiceTier::Standard), Some(tier).filter(|tier| *tier != ServiceTier::Standard)];
        tiers.into_iter().flatten().flat_map(move |tier| {
            let long = self.variants().iter().map(|one| one.above_input_tokens).filter(move |above| input > *above);
            std::iter::once(0)
                .chain(long.filter(|above| *above > 0).map(|above| above.saturating_add(1)))
                .map(move |input| self.rates_at(tier, input))
        })
    }

    /// Counts the request itself, where it has a fee of its own.
    #[must_use]
    pub fn with_fee(&self, mut counts: TokenUsage) -> TokenUsage {
        if self.base.requests.is_some_and(|fee| fee.0 > 0) {
            counts.requests = 1;
        }
        counts
    }
}

fn rounded_up(pico: i128) -> NanoUsd {
    let nanos = pico.saturating_add(PicoUsd::PER_NANO - 1) / PicoUsd::PER_NANO;
    NanoUsd::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
