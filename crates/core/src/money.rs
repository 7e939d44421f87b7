//! Money: exact amounts in nano-dollars. Checked arithmetic only, no floats anywhere.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// Decimal places of a nano-dollar.
const NANO_SCALE: u32 = 9;

/// An amount of money in billionths of a US dollar.
///
/// On the wire it is a plain JSON number of dollars. It is read from its decimal literal, not through a float, and
/// printed exactly with as many decimals as it needs, at most nine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, ToSchema)]
#[schema(value_type = f64, minimum = -9_223_372_037_i64, maximum = 9_223_372_037_i64)]
pub struct NanoUsd(i64);

/// Why a text is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAmount {
    /// The text is not a decimal number.
    #[error("`{0}` is not a decimal number")]
    NotDecimal(String),
    /// The number needs more than nine decimals.
    #[error("`{0}` has more than 9 decimals")]
    TooFine(String),
    /// The number is beyond ±9.2 billion dollars.
    #[error("`{0}` is out of range")]
    OutOfRange(String),
}

impl NanoUsd {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount given in nano-dollars.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The amount in nano-dollars.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The sum, unless it overflows.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// Reads dollars from a decimal literal, and rounds up what is finer than a nano-dollar: a bill, whose figures others compute.
    /// None when it is no amount, or a negative one.
    #[must_use]
    pub fn billed(literal: &str) -> Option<Self> {
        let parsed = match literal.contains(['e', 'E']) {
            true => Decimal::from_scientific(literal),
            false => literal.parse(),
        };
        let dollars = parsed.ok().filter(|dollars| !dollars.is_sign_negative() || dollars.is_zero())?;
        let nanos = dollars.checked_mul(Decimal::new(1_000_000_000, 0))?.ceil();
        i64::try_from(nanos.normalize().mantissa()).ok().filter(|_| nanos.normalize().scale() == 0).map(Self)
    }

    fn decimal(self) -> Decimal {
        Decimal::new(self.0, NANO_SCALE).normalize()
    }
}

impl FromStr for NanoUsd {
    type Err = InvalidAmount;

    /// Reads dollars from a decimal literal, with or without an exponent.
    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        parse_scaled(text, NANO_SCALE).map(Self)
    }
}

/// Reads a decimal literal as a whole number of `10^-scale` units, exactly.
pub(crate) fn parse_scaled(text: &str, scale: u32) -> Result<i64, InvalidAmount> {
    let parsed = match text.contains(['e', 'E']) {
        true => Decimal::from_scientific(text),
        false => Decimal::from_str_exact(text),
    };
    let mut value = parsed.map_err(|_| InvalidAmount::NotDecimal(text.to_owned()))?.normalize();
    if value.scale() > scale {
        return Err(InvalidAmount::TooFine(text.to_owned()));
    }
    let out_of_range = || InvalidAmount::OutOfRange(text.to_owned());
    // `rescale` gives up silently when the mantissa would not fit; the scale then tells.
    value.rescale(scale);
    if value.scale() != scale {
        return Err(out_of_range());
    }
    i64::try_from(value.mantissa()).map_err(|_| out_of_range())
}

impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.decimal(), f)
    }
}

impl fmt::Debug for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${self}")
    }
}

impl Serialize for NanoUsd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NanoUsd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let literal = Box::<RawValue>::deserialize(deserializer)?;
        let text: Cow<'_, str> = literal.get().into();
        if !text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return Err(D::Error::custom(format_args!(
                "invalid type: expected a number of US dollars, found {}",
                json_kind(&text)
            )));
        }
        text.parse().map_err(D::Error::custom)
    }
}

fn json_kind(literal: &str) -> &'static str {
    match literal.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        _ => "null",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tenth_and_two_tenths_are_three_tenths() {
        let sum = "0.1".parse::<NanoUsd>().unwrap().checked_add("0.2".parse().unwrap()).unwrap();
        assert_eq!(sum.to_string(), "0.3");
        assert_eq!(serde_json::to_string(&sum).unwrap(), "0.3");
    }

    #[test]
    fn literals_are_read_exactly_or_refused() {
        let read = |json: &str| serde_json::from_str::<NanoUsd>(json).map(NanoUsd::nanos);
        assert_eq!(read("9223372036.854775807").unwrap(), i64::MAX);
        assert_eq!(read("1e-9").unwrap(), 1);
        assert_eq!(read("1.50").unwrap(), 1_500_000_000);
        assert_eq!(read("-2").unwrap(), -2_000_000_000);
        for refused in ["0.0000000001", "9223372036.854775808", "1e30", "\"1\"", "null", "true", "[1]"] {
            assert!(read(refused).is_err(), "{refused} was read");
        }
    }

    proptest! {
        #[test]
        fn wire_form_round_trips(nanos in any::<i64>()) {
            let amount = NanoUsd::from_nanos(nanos);
            let json = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(serde_json::from_str::<NanoUsd>(&json).unwrap(), amount);
        }
    }
}
