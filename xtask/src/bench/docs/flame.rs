//! A flame graph: each function is a bar as wide as its share of the samples, on top of the one that called it.

use maud::html;
use serde_json::Value;

use super::super::results::{list, number, shown, text};

const WIDTH: f64 = 1_200.0;
const ROW: f64 = 17.0;
/// How wide a letter is, about.
const LETTER: f64 = 6.6;
/// Between the ends of a bar and its label.
const PADDING: f64 = 3.0;
/// Fewer letters of a longer name say nothing.
const FEWEST: usize = 4;
/// What is narrower than this is not drawn.
const NARROWEST: f64 = 1.0;
/// In turns, so that neighbours can be told apart.
const COLORS: [&str; 4] = ["#f6c56f", "#f2a65a", "#eec584", "#e8945a"];

/// A bar: where it is, in pixels and rows, and what it says.
struct Bar<'report> {
    left: f64,
    width: f64,
    row: u32,
    name: &'report str,
    share: f64,
}

/// The flame graph of a profile, as SVG.
pub(super) fn graph(report: &Value) -> String {
    let mut bars = Vec::new();
    if let Some(tree) = report.get("tree") {
        lay(tree, number(tree, "samples").unwrap_or(1.0), (0.0, 0), &mut bars);
    }
    let height = bars.iter().map(|bar| f64::from(bar.row + 1)).fold(0.0, f64::max) * ROW;
    let view = format!("0 0 {WIDTH} {height}");
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(view) width=(WIDTH) height=(height)
            font-family="ui-monospace, monospace" font-size="11" {
            title { "Where the gateway's processor time goes" }
            rect width="100%" height="100%" fill="#fff" {}
            @for (number, bar) in bars.iter().enumerate() {
                @let top = height - f64::from(bar.row + 1) * ROW;
                @let color = COLORS.get(number % COLORS.len()).copied().unwrap_or_default();
                g {
                    title { (bar.name) " – " (shown(Some(bar.share))) " %" }
                    rect x=(pixels(bar.left)) y=(pixels(top)) width=(pixels(bar.width)) height=(ROW - 1.0) fill=(color) {}
                    @if let Some(label) = label(bar) {
                        text x=(pixels(bar.left + PADDING)) y=(pixels(top + 12.0)) { (label) }
                    }
                }
            }
        }
    }
    .into_string()
}

/// A function, and above it what it calls, from its left end on.
fn lay<'report>(frame: &'report Value, all: f64, (left, row): (f64, u32), bars: &mut Vec<Bar<'report>>) {
    let share = number(frame, "samples").unwrap_or_default() / all;
    let width = share * WIDTH;
    if width < NARROWEST {
        return;
    }
    bars.push(Bar { left, width, row, name: text(frame, "name"), share: 100.0 * share });
    let mut at = left;
    for call in list(frame, "calls") {
        lay(call, all, (at, row + 1), bars);
        at += number(call, "samples").unwrap_or_default() / all * WIDTH;
    }
}

/// As much of a name as fits, from its end: that says most.
fn label(bar: &Bar<'_>) -> Option<String> {
    let room = (bar.width - 2.0 * PADDING) / LETTER;
    let fit = (1_u16..).take_while(|letters| f64::from(*letters) <= room).count();
    let letters = bar.name.chars().count();
    match letters <= fit {
        true => Some(bar.name.to_owned()),
        false if fit < FEWEST => None,
        false => Some(format!("…{}", bar.name.chars().skip(letters + 1 - fit).collect::<String>())),
    }
}

fn pixels(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_called_is_above_its_caller_and_names_are_escaped() {
        let call = json!({ "name": "<a as b>::c", "samples": 50, "calls": [] });
        let rare = json!({ "name": "rare", "samples": 0.01, "calls": [] });
        let svg = graph(&json!({ "tree": { "name": "all", "samples": 100, "calls": [call, rare] } }));
        assert!(svg.contains("<title>&lt;a as b&gt;::c – 50.0 %</title>"), "{svg}");
        assert!(
            svg.contains(r#"<rect x="0.0" y="17.0" width="1200.0""#)
                && svg.contains(r#"<rect x="0.0" y="0.0" width="600.0""#),
            "{svg}"
        );
        assert!(!svg.contains("rare"), "{svg}");
    }

    #[test]
    fn a_name_that_does_not_fit_is_cut_at_its_front() {
        let bar = |width| Bar { left: 0.0, width, row: 0, name: "keyward::gateway", share: 1.0 };
        assert_eq!(label(&bar(200.0)).as_deref(), Some("keyward::gateway"));
        assert_eq!(label(&bar(66.0)).as_deref(), Some("…:gateway"));
        assert_eq!(label(&bar(20.0)), None);
    }
}
