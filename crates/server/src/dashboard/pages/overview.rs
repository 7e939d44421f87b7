//! The overview: what is spent, refused and waited for, what runs out next, and who spends. Without any usage it says how to begin.

use actix_web::{HttpResponse, route, web};
use jiff::Timestamp;
use keyward_core::permission::Resource;
use keyward_core::usage::{Interval, UsageReport, UsageReportQuery};
use maud::{Markup, html};
use serde::Deserialize;

use crate::auth::{Anything, Authed};
use crate::clock;
use crate::dashboard::components::instants::to_minute;
use crate::dashboard::components::number::{count, dollars, duration};
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Query;
use crate::state::State;
use crate::usage;

mod beginning;
mod figures;
mod forecasts;
mod spenders;

/// What time the overview is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    period: String,
}

/// A time to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Day,
    Week,
    Month,
}

impl Period {
    const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    const fn name(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    const fn hours(self) -> i64 {
        match self {
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
        }
    }

    const fn interval(self) -> Interval {
        match self {
            Self::Day => Interval::Hour,
            Self::Week | Self::Month => Interval::Day,
        }
    }

    fn of(asked: &str) -> Self {
        Self::ALL.into_iter().find(|period| period.name() == asked).unwrap_or(Self::Day)
    }

    /// Asks for usage in this time, told apart by `group_by`.
    fn query(self, now: Timestamp, group_by: &str) -> UsageReportQuery {
        let from = now - jiff::SignedDuration::from_hours(self.hours() - 1);
        UsageReportQuery {
            from: Some(from.to_string()),
            interval: Some(self.interval().as_str().to_owned()),
            group_by: Some(group_by.to_owned()),
            ..UsageReportQuery::default()
        }
    }
}

#[route("/", method = "GET", method = "HEAD")]
pub(super) async fn overview(
    caller: Authed<Anything>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now, period) = (Visitor::of(&caller, &state), clock::now(), Period::of(&asked.0.period));
    let content = match visitor.may_read(Resource::Usage) {
        true => usage_content(&caller, &state, &visitor, period, now).await?,
        false => beginning::without_usage(),
    };
    let actions = html! { @if visitor.may_read(Resource::Usage) { (periods(period)) } };
    let (section, title) = (Section::Overview, "Overview");
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}

async fn usage_content(
    caller: &Authed<Anything>,
    state: &State,
    visitor: &Visitor,
    period: Period,
    now: Timestamp,
) -> Result<Markup, ApiError> {
    let store = caller.store(state);
    let report = usage::report(state, &store, period.query(now, "virtual_key").check(now)?).await?;
    let forecast = usage::forecast(state, &store, forecasts::query().check()?, now).await?;
    let names = forecasts::Names::load(&store, visitor, &forecast).await?;
    let is_unused = report.total.requests == 0 && report.total.refusals == 0;
    Ok(html! {
        @if is_unused { (beginning::first_steps(visitor)) }
        (figures(&report, period))
        @if !is_unused {
            div.columns {
                (figures::spend(&report))
                (figures::requests(&report))
            }
        }
        div.columns {
            (forecasts::card(&forecast, &names))
            (spenders::card(&report))
        }
    })
}

fn figures(report: &UsageReport, period: Period) -> Markup {
    let total = &report.total;
    let milliseconds = |value: Option<u64>| value.map_or("–".to_owned(), duration);
    let (refused, rows) = (total.refusals, rows_behind(report));
    html! {
        section.figures aria-label={ "The last " (period.name()) } {
            (figure(&rows, "Spend", &dollars(total.cost), "settled in the ledger"))
            (figure(&rows, "Requests", &count(total.requests), &format!("{} tokens", count(total.tokens.total))))
            (figure(&refusals_behind(&rows), "Refused", &count(refused), "before they could cost anything"))
            (figure(&rows, "Latency", &milliseconds(total.latency_ms.p50), &format!("median; 95 % within {}", milliseconds(total.latency_ms.p95))))
            (figure(&rows, "First byte", &milliseconds(total.time_to_first_byte_ms.p50), &format!("median; 95 % within {}", milliseconds(total.time_to_first_byte_ms.p95))))
        }
    }
}

/// The entries of the ledger that a report sums up.
fn rows_behind(report: &UsageReport) -> Link {
    Link::to(Section::Ledger.path()).with("from", to_minute(report.from))
}

/// Where the refusals in the time of these rows are explained.
fn refusals_behind(rows: &Link) -> Link {
    rows.clone().at("refused")
}

/// A figure that leads to what is behind it.
fn figure(behind: &Link, name: &str, value: &str, note: &str) -> Markup {
    html! {
        a.figure href=(behind) {
            span.figure-name { (name) }
            span.figure-value { (value) }
            span.hint { (note) }
        }
    }
}

fn periods(current: Period) -> Markup {
    html! {
        nav.row aria-label="Time" {
            @for period in Period::ALL {
                a.button.small.primary[period == current] href=(Link::to("/").with("period", period.name()))
                    aria-current=[(period == current).then_some("true")] { (period.name()) }
            }
        }
    }
}
