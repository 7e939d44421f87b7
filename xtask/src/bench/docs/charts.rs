//! Charts: bars of what a request costs beside peers, a line for each curve of growth, a flame graph, and the memory during the soak.

use anyhow::{Result, anyhow};
use plotters::prelude::*;
use serde_json::Value;

use super::super::results::{Results, list, number, text};
use super::flame;

const SIZE: (u32, u32) = (720, 360);
const OURS: RGBColor = RGBColor(0x1f, 0x5f, 0xbf);
const THEIRS: RGBColor = RGBColor(0x9a, 0xa4, 0xb2);
const FONT: (&str, u32) = ("sans-serif", 14);
const CAPTION: (&str, u32) = ("sans-serif", 18);

/// Figures of the gateway that have bars: their name, the file, and whether the axis is logarithmic.
const BARS: [(&str, &str); 3] = [
    ("cpu_us_per_request", "gateway-cpu.svg"),
    ("cpu_us_per_stream", "gateway-stream-cpu.svg"),
    ("paced_p50_us", "gateway-latency.svg"),
];
const FLAME: &str = "gateway-flame.svg";
/// Figures of a curve that have a line.
const LINES: [&str; 5] = ["cpu_us", "memory_mib", "start_ms", "p99_us", "reconcile_s"];

/// The names and titles of a suite's charts.
pub(super) fn of(suite: &str, results: &Results) -> Vec<(String, String)> {
    let Some(report) = results.of(suite) else { return Vec::new() };
    match suite {
        "gateway" => {
            let tables = BARS.iter().filter_map(|(figure, file)| {
                let table = table(report, figure)?;
                Some(((*file).to_owned(), text(table, "title").to_owned()))
            });
            tables.collect()
        }
        "growth" => lines(report).map(|line| (line.file, line.title)).collect(),
        "profile" => vec![(FLAME.to_owned(), "where the gateway's processor time goes: a flame graph".to_owned())],
        "soak" => vec![("soak-memory.svg".to_owned(), "memory (PSS) during the soak, MiB".to_owned())],
        _ => Vec::new(),
    }
}

/// Every chart that results make, by name.
pub(super) fn all(results: &Results) -> Result<Vec<(String, String)>> {
    let mut charts = Vec::new();
    if let Some(report) = results.of("gateway") {
        for (table, file) in BARS.iter().filter_map(|(figure, file)| Some((table(report, figure)?, file))) {
            charts.push(((*file).to_owned(), bars(table)?));
        }
    }
    if let Some(report) = results.of("growth") {
        for line in lines(report) {
            charts.push((line.file.clone(), log_log(&line)?));
        }
    }
    charts.extend(results.of("profile").map(|report| (FLAME.to_owned(), flame::graph(report))));
    if let Some(report) = results.of("soak") {
        charts.push(("soak-memory.svg".to_owned(), memory(report)?));
    }
    Ok(charts)
}

/// A figure of a curve.
struct Line {
    file: String,
    title: String,
    of: String,
    points: Vec<(f64, f64)>,
}

fn lines(report: &Value) -> impl Iterator<Item = Line> {
    list(report, "curves").iter().flat_map(|curve| {
        list(curve, "figures").iter().filter(|figure| LINES.contains(&text(figure, "figure"))).filter_map(|figure| {
            let name = text(figure, "figure");
            let read = |point: &Value| {
                let value = number(point.pointer(&format!("/figures/{name}"))?, "median")?;
                // Logarithms begin above zero.
                Some((number(point, "x")?.max(1.0), value.max(0.001)))
            };
            let points: Vec<_> = list(curve, "points").iter().filter_map(read).collect();
            let file = format!("growth-{}-{}.svg", text(curve, "curve"), name).replace('_', "-");
            let title = format!("{}, by {}", text(figure, "title").replace('`', ""), text(curve, "of"));
            (points.len() > 1).then(|| Line { file, title, of: text(curve, "of").to_owned(), points })
        })
    })
}

fn table<'a>(report: &'a Value, figure: &str) -> Option<&'a Value> {
    list(report, "tables").iter().find(|table| text(table, "figure") == figure && !list(table, "rows").is_empty())
}

/// A bar for each subject, on a logarithmic axis: some are hundreds of times as long as others.
fn bars(table: &Value) -> Result<String> {
    let rows: Vec<_> =
        list(table, "rows").iter().filter_map(|row| Some((text(row, "subject"), number(row, "median")?))).collect();
    let most = rows.iter().map(|(_, value)| *value).fold(1.0, f64::max);
    let least = rows.iter().map(|(_, value)| *value).fold(most, f64::min).max(0.1);
    let count = rows.len();
    drawn(|area| {
        let caption = text(table, "title");
        let mut chart = ChartBuilder::on(area)
            .caption(caption, CAPTION)
            .margin(16)
            .x_label_area_size(30)
            .y_label_area_size(190)
            .build_cartesian_2d((least / 2.0..most * 3.0).log_scale(), (0..count).into_segmented())?;
        let name = |place: &SegmentValue<usize>| match place {
            SegmentValue::CenterOf(place) => rows.get(*place).map(|(name, _)| (*name).to_owned()).unwrap_or_default(),
            SegmentValue::Exact(_) | SegmentValue::Last => String::new(),
        };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .y_labels(count)
            .y_label_formatter(&name)
            .x_label_formatter(&short)
            .label_style(FONT)
            .draw()?;
        for (place, (subject, value)) in rows.iter().enumerate() {
            let color = if *subject == "keyward" { OURS } else { THEIRS };
            let corners = [(least / 2.0, SegmentValue::Exact(place)), (*value, SegmentValue::Exact(place + 1))];
            let mut bar = Rectangle::new(corners, color.filled());
            bar.set_margin(4, 4, 0, 0);
            chart.draw_series([bar])?;
            let label = Text::new(format!(" {}", short(value)), (*value, SegmentValue::CenterOf(place)), FONT);
            chart.draw_series([label])?;
        }
        Ok(())
    })
}

fn log_log(line: &Line) -> Result<String> {
    let (xs, ys) = (line.points.iter().map(|(x, _)| *x), line.points.iter().map(|(_, y)| *y));
    let x = ends(xs, 1.0);
    let y = ends(ys, 2.0);
    drawn(|area| {
        let mut chart = ChartBuilder::on(area)
            .caption(&line.title, CAPTION)
            .margin(16)
            .x_label_area_size(45)
            .y_label_area_size(65)
            .build_cartesian_2d((x.0..x.1).log_scale(), (y.0..y.1).log_scale())?;
        chart
            .configure_mesh()
            .x_desc(&line.of)
            .x_label_formatter(&short)
            .y_label_formatter(&short)
            .label_style(FONT)
            .draw()?;
        chart.draw_series(LineSeries::new(line.points.iter().copied(), OURS.stroke_width(2)))?;
        chart.draw_series(line.points.iter().map(|point| Circle::new(*point, 4, OURS.filled())))?;
        Ok(())
    })
}

fn memory(report: &Value) -> Result<String> {
    let read = |sample: &Value| Some((number(sample, "seconds")? / 60.0, number(sample, "memory_mib")?));
    let points: Vec<_> = list(report, "samples").iter().filter_map(read).collect();
    let (minutes, most) = points.iter().fold((1.0_f64, 1.0_f64), |(x, y), point| (x.max(point.0), y.max(point.1)));
    drawn(|area| {
        let mut chart = ChartBuilder::on(area)
            .caption("memory (PSS) during the soak, MiB", CAPTION)
            .margin(16)
            .x_label_area_size(45)
            .y_label_area_size(65)
            .build_cartesian_2d(0.0..minutes, 0.0..most * 1.2)?;
        chart
            .configure_mesh()
            .x_desc("minutes")
            .x_label_formatter(&short)
            .y_label_formatter(&short)
            .label_style(FONT)
            .draw()?;
        chart.draw_series(LineSeries::new(points.iter().copied(), OURS.stroke_width(2)))?;
        Ok(())
    })
}

/// The ends of an axis, with some room.
fn ends(values: impl Iterator<Item = f64> + Clone, room: f64) -> (f64, f64) {
    let (least, most) = (values.clone().fold(f64::INFINITY, f64::min), values.fold(0.0, f64::max));
    (least / room, (most * room).max(least * 1.001))
}

/// A number of an axis.
fn short(value: &f64) -> String {
    match *value {
        value if value >= 1e6 => format!("{} M", trimmed(value / 1e6)),
        value if value >= 1e3 => format!("{} k", trimmed(value / 1e3)),
        value => trimmed(value),
    }
}

fn trimmed(value: f64) -> String {
    let digits = if value >= 100.0 {
        0
    } else if value >= 1.0 {
        1
    } else {
        3
    };
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// What is drawn on a white area, as SVG.
fn drawn(draw: impl FnOnce(&DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> DrawResult) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let failed = |error: Box<dyn std::error::Error>| anyhow!("a chart cannot be drawn: {error}");
        area.fill(&WHITE).map_err(|error| anyhow!("a chart cannot be drawn: {error}"))?;
        draw(&area).map_err(failed)?;
        area.present().map_err(|error| anyhow!("a chart cannot be drawn: {error}"))?;
    }
    Ok(svg)
}

type DrawResult = std::result::Result<(), Box<dyn std::error::Error>>;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_on_axes_are_short() {
        assert_eq!(
            [0.5, 1.0, 17.25, 100.0, 1_500.0, 1e6].map(|value| short(&value)),
            ["0.5", "1", "17.2", "100", "1.5 k", "1 M"]
        );
    }

    #[test]
    fn each_chart_that_is_named_is_drawn_and_says_what_it_shows() {
        let row = |subject: &str, median: f64| json!({ "subject": subject, "median": median });
        let rows = json!([row("nginx", 17.4), row("keyward", 30.0), row("litellm, key and limit", 9_580.0)]);
        let gateway =
            json!({ "tables": [{ "figure": "cpu_us_per_request", "title": "CPU per request, µs", "rows": rows }] });
        let point = |x: f64, cpu: f64| json!({ "x": x, "figures": { "cpu_us": { "median": cpu } } });
        let curve = json!({
            "curve": "virtual_keys", "of": "virtual keys",
            "figures": [{ "figure": "cpu_us", "title": "CPU per request, µs" }],
            "points": [point(1.0, 30.0), point(1e6, 30.0)],
        });
        let samples = json!([{ "seconds": 0, "memory_mib": 20.0 }, { "seconds": 60, "memory_mib": 30.0 }]);
        let results =
            [("gateway", gateway), ("growth", json!({ "curves": [curve] })), ("soak", json!({ "samples": samples }))];
        let results = Results::sample(results);
        let drawn = all(&results).unwrap();
        let named = ["gateway", "growth", "soak"].map(|suite| of(suite, &results)).concat();
        assert_eq!(drawn.len(), 3);
        for ((file, svg), (name, title)) in drawn.iter().zip(&named) {
            assert_eq!(file, name);
            assert!(svg.starts_with("<svg") && svg.contains(title.as_str()), "{title}");
        }
        assert!(drawn[0].1.contains("litellm, key and limit") && drawn[0].1.contains("9.6 k"));
    }
}
