//! Charts: bars and lines over time, as SVG that is made here. Each point leads to what is behind it. Each chart has its figures as a
//! table, for whoever cannot see it.

use jiff::Timestamp;
use maud::{Markup, html};

use super::rows::scrolled;
use super::time::instant;
use crate::dashboard::link::Link;

/// The height of a plot, in its own units.
const HEIGHT: i128 = 1_000;
/// The width of one point, in its own units.
const STEP: i128 = 100;

/// A value at a time.
pub(in crate::dashboard) struct Point {
    pub(in crate::dashboard) at: Timestamp,
    pub(in crate::dashboard) value: i128,
    /// The value, for people.
    pub(in crate::dashboard) shown: String,
    /// What is behind it.
    pub(in crate::dashboard) behind: Link,
}

/// Values over time that belong together.
pub(in crate::dashboard) struct Series<'a> {
    pub(in crate::dashboard) name: &'a str,
    pub(in crate::dashboard) points: Vec<Point>,
}

/// What a chart is about.
pub(in crate::dashboard) struct Chart<'a> {
    pub(in crate::dashboard) id: &'a str,
    pub(in crate::dashboard) title: &'a str,
    /// What it comes to, for people.
    pub(in crate::dashboard) sum: &'a str,
    pub(in crate::dashboard) series: Vec<Series<'a>>,
}

/// A chart whose points are bars; it has one series.
pub(in crate::dashboard) fn bars(chart: &Chart<'_>) -> Markup {
    let highest = highest(chart);
    let points = chart.series.first().map(|series| series.points.as_slice()).unwrap_or_default();
    let plot = html! {
        @for (place, point) in (0_i128..).zip(points) {
            @let height = height(point, highest);
            rect.chart-bar x=(place * STEP + STEP / 8) y=(HEIGHT - height) width=(STEP * 3 / 4) height=(height) {}
        }
    };
    figure(chart, &plot)
}

/// A chart whose points are joined by lines; the second series is dashed.
pub(in crate::dashboard) fn lines(chart: &Chart<'_>) -> Markup {
    let highest = highest(chart);
    let path = |series: &Series<'_>| {
        let at =
            |(place, point): (i128, &Point)| format!("{},{}", place * STEP + STEP / 2, HEIGHT - height(point, highest));
        (0_i128..).zip(&series.points).map(at).collect::<Vec<_>>().join(" ")
    };
    let plot = html! {
        @for (place, series) in chart.series.iter().enumerate() {
            polyline.chart-line.second[place > 0] points=(path(series)) {}
        }
    };
    figure(chart, &plot)
}

fn figure(chart: &Chart<'_>, plot: &Markup) -> Markup {
    let points = chart.series.first().map(|series| series.points.as_slice()).unwrap_or_default();
    let width = i128::try_from(points.len()).unwrap_or_default() * STEP;
    let all = chart.series.iter().flat_map(|series| &series.points);
    let top = all.max_by_key(|point| point.value).map(|point| point.shown.as_str()).unwrap_or_default();
    html! {
        figure.card.chart {
            figcaption.chart-top {
                h2 #(chart.id) { (chart.title) }
                span { (chart.sum) }
            }
            div.chart-axis {
                span { "at most " (top) }
                @if chart.series.len() > 1 { (names(chart)) }
            }
            svg.chart-plot viewBox={ "0 0 " (width.max(1)) " " (HEIGHT) } preserveAspectRatio="none" role="group" aria-labelledby=(chart.id) {
                line.chart-grid x1="0" x2=(width) y1="0" y2="0" {}
                line.chart-grid x1="0" x2=(width) y1=(HEIGHT / 2) y2=(HEIGHT / 2) {}
                (plot)
                line.chart-grid x1="0" x2=(width) y1=(HEIGHT) y2=(HEIGHT) {}
                @for place in 0..points.len() { (way(chart, place)) }
            }
            div.chart-axis {
                @if let Some(first) = points.first() { (instant(first.at)) }
                @if let Some(last) = points.last() { (instant(last.at)) }
            }
            details {
                summary { "Show as a table" }
                (table(chart, points))
            }
        }
    }
}

/// The way to what is behind the points at a time: all of their height. It is for pointers; the keyboard finds it in the table.
fn way(chart: &Chart<'_>, place: usize) -> Markup {
    let at = |series: &Series<'_>| series.points.get(place).map(|point| format!("{} {}", series.name, point.shown));
    let shown = chart.series.iter().filter_map(at).collect::<Vec<_>>().join(", ");
    let first = chart.series.first().and_then(|series| series.points.get(place));
    let x = i128::try_from(place).unwrap_or_default() * STEP;
    html! {
        @if let Some(point) = first {
            @let text = format!("{}: {shown}", point.at.strftime("%Y-%m-%d %H:%M UTC"));
            a href=(point.behind) aria-label=(text) tabindex="-1" {
                rect.chart-way x=(x) y="0" width=(STEP) height=(HEIGHT) { title { (text) } }
            }
        }
    }
}

fn names(chart: &Chart<'_>) -> Markup {
    html! {
        span.row {
            @for (place, series) in chart.series.iter().enumerate() {
                span.key {
                    svg viewBox="0 0 20 8" aria-hidden="true" {
                        line.chart-line.second[place > 0] x1="0" x2="20" y1="4" y2="4" {}
                    }
                    (series.name)
                }
            }
        }
    }
}

fn table(chart: &Chart<'_>, points: &[Point]) -> Markup {
    let head = html! {
        th scope="col" { "From" }
        @for series in &chart.series { th.number scope="col" { (series.name) } }
    };
    let body = html! {
        @for (place, point) in points.iter().enumerate() {
            tr {
                th scope="row" { a href=(point.behind) { (instant(point.at)) } }
                @for series in &chart.series {
                    td.number { @if let Some(point) = series.points.get(place) { (point.shown) } }
                }
            }
        }
    };
    scrolled(chart.title, &head, &body)
}

fn highest(chart: &Chart<'_>) -> i128 {
    chart.series.iter().flat_map(|series| &series.points).map(|point| point.value).max().unwrap_or_default().max(1)
}

/// How high a point is: visible as soon as it is more than nothing.
fn height(point: &Point, highest: i128) -> i128 {
    let height = point.value.max(0) * HEIGHT / highest;
    if point.value > 0 { height.max(HEIGHT / 100) } else { height }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[i128]) -> Chart<'static> {
        let point = |value: &i128| Point {
            at: Timestamp::UNIX_EPOCH,
            value: *value,
            shown: format!("<{value}>"),
            behind: Link::to("/ledger").with("from", value),
        };
        let series = Series { name: "a & b", points: values.iter().map(point).collect() };
        Chart { id: "spend", title: "Spend", sum: "", series: vec![series] }
    }

    #[test]
    fn the_highest_bar_fills_the_plot_and_the_least_can_be_seen() {
        let shown = bars(&chart(&[0, 1, 100_000])).into_string();
        for bar in [
            r#"y="1000" width="75" height="0""#,
            r#"y="990" width="75" height="10""#,
            r#"y="0" width="75" height="1000""#,
        ] {
            assert!(shown.contains(bar), "{bar} is not in {shown}");
        }
        assert!(shown.contains("&lt;100000&gt;") && !shown.contains("<1>"));
    }

    #[test]
    fn each_time_leads_to_what_is_behind_it() {
        let shown = lines(&chart(&[7, 0])).into_string();
        let way = r#"<a href="/ledger?from=7" aria-label="1970-01-01 00:00 UTC: a &amp; b &lt;7&gt;" tabindex="-1">"#;
        assert!(shown.contains(way) && shown.contains(r#"x="100" y="0" width="100" height="1000""#), "{shown}");
    }

    #[test]
    fn a_line_goes_from_point_to_point() {
        let shown = lines(&chart(&[0, 5, 10])).into_string();
        assert!(shown.contains(r#"points="50,1000 150,500 250,0""#), "{shown}");
        assert!(lines(&chart(&[])).into_string().contains(r#"viewBox="0 0 1 1000""#));
    }
}
