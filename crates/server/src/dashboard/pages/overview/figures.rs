//! The charts of the overview.

use keyward_core::usage::{UsagePoint, UsageReport};
use maud::Markup;

use crate::dashboard::components::chart::{Chart, Point, Series, bars, lines};
use crate::dashboard::components::instants::to_minute;
use crate::dashboard::components::number::{count, dollars};
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;

/// What was spent, period by period.
pub(super) fn spend(report: &UsageReport) -> Markup {
    let points = points(report, &|point| (point.usage.cost.nanos().into(), dollars(point.usage.cost)));
    let series = vec![Series { name: "Spend", points }];
    bars(&Chart { id: "chart-spend", title: "Spend", sum: &dollars(report.total.cost), series })
}

/// What was asked and what was refused, period by period.
pub(super) fn requests(report: &UsageReport) -> Markup {
    let series = |name, of: &dyn Fn(&UsagePoint) -> u64| Series {
        name,
        points: points(report, &|point| (of(point).into(), count(of(point)))),
    };
    let series =
        vec![series("Requests", &|point| point.usage.requests), series("Refused", &|point| point.usage.refusals)];
    let sum = format!("{} requests, {} refused", count(report.total.requests), count(report.total.refusals));
    lines(&Chart { id: "chart-requests", title: "Requests and refusals", sum: &sum, series })
}

/// The points of a report, each with its value and what that is for people. The entries of its time are behind it.
fn points(report: &UsageReport, of: &dyn Fn(&UsagePoint) -> (i128, String)) -> Vec<Point> {
    let ends = report.points.iter().skip(1).map(|next| to_minute(next.start)).chain(std::iter::once(String::new()));
    let with_ends = report.points.iter().zip(ends);
    let made = with_ends.map(|(point, end)| {
        let (value, shown) = of(point);
        let behind = Link::to(Section::Ledger.path()).with("from", to_minute(point.start)).with("to", end);
        Point { at: point.start, value, shown, behind }
    });
    made.collect()
}
