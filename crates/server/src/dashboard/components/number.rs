//! Money and counts, as people read them. Amounts stay whole numbers of nano-dollars: nothing is rounded but what is shown, and the
//! exact amount is shown on hover.

use keyward_core::money::NanoUsd;
use maud::{Markup, html};

/// How many digits that are not zero a sum below a dollar shows.
const DIGITS: usize = 3;
/// Nano-dollars of a cent.
const CENT: u64 = 10_000_000;

/// An amount of money.
pub(in crate::dashboard) fn money(amount: NanoUsd) -> Markup {
    html! { span.number title={ "$" (amount) } { (dollars(amount)) } }
}

/// An amount of money as text: whole cents from a dollar on, as many decimals as it takes below.
pub(in crate::dashboard) fn dollars(amount: NanoUsd) -> String {
    let sign = if amount.nanos() < 0 { "-" } else { "" };
    let nanos = amount.nanos().unsigned_abs();
    if nanos >= 100 * CENT {
        let cents = (nanos + CENT / 2) / CENT;
        return format!("{sign}${}.{:02}", grouped(cents / 100), cents % 100);
    }
    let decimals = format!("{nanos:09}");
    let leading = decimals.bytes().take_while(|digit| *digit == b'0').count();
    let shown = decimals.get(..(leading + DIGITS).min(9)).unwrap_or_default().trim_end_matches('0');
    format!("{sign}$0.{shown:0<2}")
}

/// Pico-dollars of one, as US dollars per million.
pub(in crate::dashboard) fn per_million(pico: i64) -> String {
    decimal(pico, 6)
}

/// Pico-dollars, exactly.
pub(in crate::dashboard) fn picos(pico: i64) -> String {
    decimal(pico, 12)
}

/// A whole number of `10^-places` US dollars, exactly; without zeros at its end, but for cents.
fn decimal(number: i64, places: usize) -> String {
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = places + 1);
    let (whole, rest) = digits.split_at(digits.len().saturating_sub(places));
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}${whole}.{:0<2}", rest.trim_end_matches('0'))
}

/// A count.
pub(in crate::dashboard) fn count(number: impl Into<i128>) -> String {
    let number = number.into();
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(u64::try_from(number.unsigned_abs()).unwrap_or(u64::MAX)))
}

/// Milliseconds, as a duration.
pub(in crate::dashboard) fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1_000),
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_have_cents_and_tiny_ones_what_it_takes() {
        for (amount, shown) in [
            ("0", "$0.00"),
            ("0.5", "$0.50"),
            ("0.01", "$0.01"),
            ("0.00046", "$0.00046"),
            ("0.0123456", "$0.0123"),
            ("0.999999999", "$0.999"),
            ("0.000000001", "$0.000000001"),
            ("1", "$1.00"),
            ("1.005", "$1.01"),
            ("1234.561", "$1,234.56"),
            ("1234567.9", "$1,234,567.90"),
            ("-2.5", "-$2.50"),
            ("9223372036.854775807", "$9,223,372,036.85"),
        ] {
            assert_eq!(dollars(amount.parse().unwrap()), shown, "{amount}");
        }
    }

    #[test]
    fn rates_are_exact() {
        assert_eq!([per_million(2_000_000), per_million(150_000), per_million(75)], ["$2.00", "$0.15", "$0.000075"]);
        assert_eq!([picos(0), picos(-1_500_000_000_000), picos(1)], ["$0.00", "-$1.50", "$0.000000000001"]);
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!([count(0), count(999), count(1_000), count(-1_234_567)], ["0", "999", "1,000", "-1,234,567"]);
        assert_eq!([duration(7), duration(1_250), duration(61_000)], ["7 ms", "1.2 s", "1 min 1 s"]);
    }
}
