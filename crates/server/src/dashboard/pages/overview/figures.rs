//! The charts of the overview.

use keyward_core::usage::{UsagePoint, UsageReport};
use maud::Markup;

use crate::dashboard::components::chart::{Chart, Point, Series, bars, lines};
use crate::dashboard::components::number::{count, dollars};

/// What was spent, period by period.
pub(super) fn spend(report: &UsageReport) -> Markup {
    let point = |point: &UsagePoint| Point {
        at: point.start,
        value: point.usage.cost.nanos().into(),
        shown: dollars(point.usage.cost),
    };
    let series = vec![Series { name: "Spend", points: report.points.iter().map(point).collect() }];
    bars(&Chart { id: "chart-spend", title: "Spend", sum: &dollars(report.total.cost), series })
}

/// What was asked and what was refused, period by period.
pub(super) fn requests(report: &UsageReport) -> Markup {
    let series = |name, of: &dyn Fn(&UsagePoint) -> u64| {
        let point = |point: &UsagePoint| Point { at: point.start, value: of(point).into(), shown: count(of(point)) };
        Series { name, points: report.points.iter().map(point).collect() }
    };
    let series =
        vec![series("Requests", &|point| point.usage.requests), series("Refused", &|point| point.usage.refusals)];
    let sum = format!("{} requests, {} refused", count(report.total.requests), count(report.total.refusals));
    lines(&Chart { id: "chart-requests", title: "Requests and refusals", sum: &sum, series })
}
