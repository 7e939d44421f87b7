//! Usage: what attempts and refusals come to, hour by hour, by whom and by what.
//!
//! A [`Tally`] is what a group of them comes to; tallies add up exactly, durations within [`Histogram`]'s bound. A
//! [`UsageRequest`] says which of them are asked for, and a [`ReportBuilder`] makes the [`UsageReport`] of those that the books have.

mod dimension;
mod forecast;
mod histogram;
mod period;
mod query;
mod report;
mod tally;

pub use dimension::{Attribute, Dimension, Filters, Series};
pub use forecast::{BudgetForecast, BudgetScope, ForecastList, ForecastQuery, ForecastRequest};
pub use histogram::Histogram;
pub use period::{Hour, Interval};
pub(crate) use query::one_of;
pub use query::{Ranking, UsageReportQuery, UsageRequest};
pub use report::{
    GroupMember, Percentiles, ReportBuilder, TokenSums, UsageGroup, UsagePoint, UsageReport, UsageRest, UsageSums,
};
pub use tally::{Attempted, RefusalCount, Tally};

#[cfg(test)]
mod tests;
