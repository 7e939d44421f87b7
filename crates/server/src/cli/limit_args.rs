//! Limits as a command line gives them: `10usd/1M` is a budget, `60/1m` a cap on tokens or requests.

use std::str::FromStr;

use clap::Args;
use keyward_client::{
    BudgetInput, InvalidAmount, InvalidDuration, NanoUsd, Patch, RateLimitInput, ResetDuration, Zone,
};

/// The limits of something that is made.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// A cap on money: US dollars and a window such as 90s, 1h, 1d, 1w, 1M (month), 1Q, 1Y, or never. Several may be given
    #[arg(long = "budget", value_name = "10usd/1M")]
    budgets: Vec<BudgetArg>,
    /// A cap on tokens: a number and a window
    #[arg(long, value_name = "100000/1h")]
    tokens: Option<RateArg>,
    /// A cap on requests: a number and a window
    #[arg(long, value_name = "60/1m")]
    requests: Option<RateArg>,
    /// Windows in d, w, M, Q or Y follow the calendar instead of beginning now
    #[arg(long)]
    calendar: bool,
    /// The time zone whose midnight budgets by the calendar begin at, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", requires = "calendar")]
    timezone: Option<Zone>,
}

/// Limits as the API takes them.
pub(super) struct Limits {
    pub(super) budgets: Patch<Vec<BudgetInput>>,
    pub(super) rate_limit: Patch<RateLimitInput>,
    pub(super) calendar_aligned: Option<bool>,
}

impl LimitArgs {
    pub(super) fn limits(self) -> Limits {
        let Self { budgets, tokens, requests, calendar, timezone } = self;
        let budget = |BudgetArg { max_limit, reset_duration }| BudgetInput {
            timezone: timezone.clone(),
            ..BudgetInput::new(max_limit, reset_duration)
        };
        let rate_limit = match (tokens, requests) {
            (None, None) => Patch::Absent,
            (tokens, requests) => {
                let (token_max_limit, token_reset_duration) = RateArg::parts(tokens);
                let (request_max_limit, request_reset_duration) = RateArg::parts(requests);
                Patch::Value(RateLimitInput {
                    token_max_limit,
                    token_reset_duration,
                    request_max_limit,
                    request_reset_duration,
                    ..RateLimitInput::default()
                })
            }
        };
        let budgets: Vec<_> = budgets.into_iter().map(budget).collect();
        Limits {
            budgets: if budgets.is_empty() { Patch::Absent } else { Patch::Value(budgets) },
            rate_limit,
            calendar_aligned: calendar.then_some(true),
        }
    }
}

/// Why a text is no limit.
#[derive(Debug, thiserror::Error)]
enum InvalidLimit {
    #[error("a limit is an amount and a window, such as {0}")]
    Form(&'static str),
    #[error(transparent)]
    Amount(#[from] InvalidAmount),
    #[error("`{0}` is no whole number")]
    Count(String),
    #[error(transparent)]
    Window(#[from] InvalidDuration),
}

/// `10usd/1M`, `$10/1M` or `10/1M`.
#[derive(Debug, Clone, PartialEq)]
struct BudgetArg {
    max_limit: NanoUsd,
    reset_duration: ResetDuration,
}

impl FromStr for BudgetArg {
    type Err = InvalidLimit;

    fn from_str(text: &str) -> Result<Self, InvalidLimit> {
        let (amount, window) = text.split_once('/').ok_or(InvalidLimit::Form("10usd/1M"))?;
        let amount = amount.strip_prefix('$').unwrap_or(amount);
        let bare = amount.len().saturating_sub("usd".len());
        let amount = match amount.split_at_checked(bare) {
            Some((number, unit)) if unit.eq_ignore_ascii_case("usd") => number.trim_end(),
            Some(_) | None => amount,
        };
        Ok(Self { max_limit: amount.parse()?, reset_duration: window.parse()? })
    }
}

/// `60/1m`.
#[derive(Debug, Clone, PartialEq)]
struct RateArg {
    max_limit: i64,
    reset_duration: ResetDuration,
}

impl FromStr for RateArg {
    type Err = InvalidLimit;

    fn from_str(text: &str) -> Result<Self, InvalidLimit> {
        let (count, window) = text.split_once('/').ok_or(InvalidLimit::Form("60/1m"))?;
        let max_limit = count.parse().map_err(|_| InvalidLimit::Count(count.to_owned()))?;
        Ok(Self { max_limit, reset_duration: window.parse()? })
    }
}

impl RateArg {
    fn parts(given: Option<Self>) -> (Patch<i64>, Patch<ResetDuration>) {
        match given {
            Some(Self { max_limit, reset_duration }) => (max_limit.into(), reset_duration.into()),
            None => (Patch::Absent, Patch::Absent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_read_with_and_without_their_unit() {
        let budget = |text: &str| text.parse::<BudgetArg>().map_err(|error| error.to_string());
        let ten = BudgetArg { max_limit: "10".parse().unwrap(), reset_duration: "1M".parse().unwrap() };
        for text in ["10usd/1M", "10USD/1M", "10 usd/1M", "$10/1M", "10/1M"] {
            assert_eq!(budget(text), Ok(ten.clone()), "{text}");
        }
        for (text, why) in [
            ("10usd", "an amount and a window"),
            ("ten/1M", "`ten` is not a decimal number"),
            ("usd/1M", "`` is not a decimal number"),
            ("10/month", "Invalid reset duration"),
            ("10€/1M", "`10€` is not a decimal number"),
        ] {
            assert!(budget(text).is_err_and(|error| error.contains(why)), "{text}");
        }
    }

    #[test]
    fn rates_are_whole_numbers() {
        let rate = |text: &str| text.parse::<RateArg>().map_err(|error| error.to_string());
        assert_eq!(rate("60/1m").unwrap().max_limit, 60);
        for text in ["60", "1.5/1m", "60/never ever"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
