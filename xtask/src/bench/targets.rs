//! What is aimed at, and whether it was met.

use serde_json::Value;

use super::results::{Results, list, number, shown, text};

/// How much a request may cost with the most virtual keys, by what it costs with one: measurements differ by that much.
const SAME: f64 = 1.1;
/// The parts of a profile that have to do with the call of a provider, and what is with them. They overlap, so that their sum is at
/// least what the call takes.
const CALL: [&str; 4] = [
    "hyper's connections to the provider, with what they send",
    "the relay of answers, with their settlement",
    "sending on sockets, to both sides",
    "waiting for something to do",
];

/// An aim, and what was measured.
#[derive(Debug)]
struct Target {
    figure: &'static str,
    aim: String,
    /// What was measured, and whether it is what was aimed at, if that can be said. None: it was not measured.
    measured: Option<(String, Option<bool>)>,
}

/// All aims, in Markdown.
pub(super) fn table(results: &Results) -> String {
    let mut said = "| figure | aim | measured | |\n|---|---|---|---|\n".to_owned();
    let (mut met, mut of) = (0, 0);
    for Target { figure, aim, measured } in all(results) {
        let (measured, verdict) = match measured {
            None => ("–".to_owned(), "not measured"),
            Some((measured, Some(true))) => (measured, "met"),
            Some((measured, Some(false))) => (measured, "**missed**"),
            Some((measured, None)) => (measured, "not decided"),
        };
        met += usize::from(verdict == "met");
        of += 1;
        said.push_str(&format!("| {figure} | {aim} | {measured} | {verdict} |\n"));
    }
    said.push_str(&format!("\n{met} of {of} are met.\n"));
    said
}

fn all(results: &Results) -> Vec<Target> {
    let mut all = beside_peers(results.of("gateway"));
    all.extend(memory(results));
    all.extend(refusals(results));
    all.extend(management(results.of("management")));
    all.extend(growth(results.of("growth")));
    all
}

fn beside_peers(gateway: Option<&Value>) -> Vec<Target> {
    let ours = |figure: &str| median(gateway?, figure, "keyward");
    let of = |figure: &str, subject: &str| median(gateway?, figure, subject);
    let times = |figure: &'static str, title: &'static str, most: f64| Target {
        figure: title,
        aim: format!("at most {most} × nginx's as a plain proxy"),
        measured: ours(figure).zip(of(figure, "nginx")).map(|(ours, nginx)| {
            (
                format!("{} ×: {} to {} µs", shown(Some(ours / nginx)), shown(Some(ours)), shown(Some(nginx))),
                Some(ours <= most * nginx),
            )
        }),
    };
    let part = |peer: &str, title: &'static str, least: f64| Target {
        figure: title,
        aim: format!("at most 1/{least}"),
        measured: ours("cpu_us_per_request").zip(of("cpu_us_per_request", peer)).map(|(ours, peer)| {
            (
                format!("1/{:.0}: {} to {} µs", peer / ours, shown(Some(ours)), shown(Some(peer))),
                Some(peer >= least * ours),
            )
        }),
    };
    let more = |figure: &str, title: &'static str, most: f64| Target {
        figure: title,
        aim: format!("at most nginx's + {} µs", shown(Some(most))),
        measured: ours(figure).zip(of(figure, "nginx")).map(|(ours, nginx)| {
            let sign = if ours >= nginx { "+" } else { "−" };
            let difference = (ours - nginx).abs();
            (format!("nginx's {sign} {} µs", shown(Some(difference))), Some(ours - nginx <= most))
        }),
    };
    vec![
        times("cpu_us_per_request", "CPU per request", 1.75),
        part("portkey, neither key nor limit", "CPU per request, against Portkey", 40.0),
        part("litellm, key and limit", "CPU per request, against LiteLLM", 250.0),
        more("added_p50_us", "added at 200 requests/s, p50", 100.0),
        more("added_p99_us", "added at 200 requests/s, p99", 1_000.0),
        more("first_piece_added_p50_us", "first piece of a stream, p50", 150.0),
        times("cpu_us_per_stream", "CPU per stream of 100 pieces", 2.0),
    ]
}

fn memory(results: &Results) -> [Target; 2] {
    let gateway = results.of("gateway");
    let requests = gateway.and_then(|of| number(of.get("settings")?, "memory_after"));
    let after = gateway.and_then(|of| median(of, "memory_after_mib", "keyward")).zip(requests);
    let keys = results.of("growth").and_then(|of| point(of, "virtual_keys", 1e6, "memory_mib"));
    [
        Target {
            figure: "memory (PSS) after 200,000 requests with 1,000 virtual keys",
            aim: "at most 40 MiB".to_owned(),
            measured: after.map(|(memory, requests)| {
                let enough = requests >= 200_000.0;
                (
                    format!("{} MiB after {} more", shown(Some(memory)), shown(Some(requests))),
                    enough.then_some(memory <= 40.0),
                )
            }),
        },
        at_most("memory (PSS) with 1,000,000 virtual keys", 400.0, "MiB", keys),
    ]
}

fn refusals(results: &Results) -> [Target; 2] {
    let gateway = results.of("gateway");
    let all = |figures: [&str; 3]| -> Option<Vec<f64>> {
        figures.into_iter().map(|figure| median(gateway?, figure, "keyward")).collect()
    };
    let rates = all(["401_per_second", "402_per_second", "429_per_second"]);
    let slowest = rates.map(|rates| rates.into_iter().fold(f64::INFINITY, f64::min));
    let costs = all(["cpu_us_per_401", "cpu_us_per_402", "cpu_us_per_429"]);
    let dearest = costs.map(|costs| costs.into_iter().fold(0.0, f64::max));
    let admitted = gateway.and_then(|of| median(of, "cpu_us_per_request", "keyward"));
    [
        Target {
            figure: "refusals (401, 402, 429) in a second on one core",
            aim: "50,000 each".to_owned(),
            measured: slowest.map(|rate| (format!("{} of the slowest", shown(Some(rate))), Some(rate >= 50_000.0))),
        },
        Target {
            figure: "CPU per refusal",
            aim: "less than an admitted request without its call of the provider".to_owned(),
            measured: dearest.zip(admitted).map(|(refused, admitted)| {
                let without = results.of("profile").and_then(without_call).map(|share| share * admitted);
                cheaper(refused, admitted, without)
            }),
        },
    ]
}

/// Whether a refusal is cheaper than an admitted request without its call, of which at least `without` is left.
fn cheaper(refused: f64, admitted: f64, without: Option<f64>) -> (String, Option<bool>) {
    let [dearest, whole] = [refused, admitted].map(|micros| shown(Some(micros)));
    match without {
        Some(without) if refused < without => {
            (format!("{dearest} µs, to at least {} of {whole} µs", shown(Some(without))), Some(true))
        }
        // How much less is left without the call is not known.
        _ => (format!("{dearest} µs, to {whole} µs with it"), (refused >= admitted).then_some(false)),
    }
}

/// The share of a request that has nothing to do with its call of the provider, at least.
fn without_call(profile: &Value) -> Option<f64> {
    let samples = |name: &&str| {
        let part = list(profile, "parts").iter().find(|part| text(part, "part") == *name)?;
        number(part, "samples")
    };
    let of_call: Option<Vec<f64>> = CALL.iter().map(samples).collect();
    Some(1.0 - of_call?.into_iter().sum::<f64>() / number(profile, "samples")?)
}

fn management(management: Option<&Value>) -> Vec<Target> {
    let enough = management.filter(|of| number(of, "virtual_keys") >= Some(100_000.0));
    let slowest = |begins: &str| {
        let operations = list(enough?, "operations").iter();
        let matching = operations.filter(|operation| text(operation, "operation").starts_with(begins));
        matching.filter_map(|operation| number(operation, "p95_ms")).reduce(f64::max)
    };
    vec![
        at_most("get a virtual key, p95, of 100,000", 2.0, "ms", slowest("get a virtual key")),
        at_most("create a virtual key, p95, beside 100,000", 10.0, "ms", slowest("create a virtual key")),
        at_most("the slowest page of 25 of a list, p95, of 100,000", 20.0, "ms", slowest("list ")),
    ]
}

fn growth(growth: Option<&Value>) -> Vec<Target> {
    let at = |keys: f64, figure: &str| point(growth?, "virtual_keys", keys, figure);
    let (few, many) = (at(1.0, "cpu_us"), at(1e6, "cpu_us"));
    vec![
        at_most("start with 1,000 virtual keys", 500.0, "ms", at(1e3, "start_ms")),
        at_most("start with 1,000,000 virtual keys", 5_000.0, "ms", at(1e6, "start_ms")),
        Target {
            figure: "CPU per request with 1,000,000 virtual keys",
            aim: format!("as with one (at most {SAME} ×)"),
            measured: few.zip(many).map(|(few, many)| {
                (
                    format!("{} ×: {} to {} µs", shown(Some(many / few)), shown(Some(many)), shown(Some(few))),
                    Some(many <= SAME * few),
                )
            }),
        },
    ]
}

fn at_most(figure: &'static str, most: f64, unit: &str, measured: Option<f64>) -> Target {
    Target {
        figure,
        aim: format!("at most {} {unit}", shown(Some(most)).trim_end_matches(".00").trim_end_matches(".0")),
        measured: measured.map(|value| (format!("{} {unit}", shown(Some(value))), Some(value <= most))),
    }
}

/// The median of a figure of somebody.
pub(super) fn median(report: &Value, figure: &str, subject: &str) -> Option<f64> {
    let table = list(report, "tables").iter().find(|table| text(table, "figure") == figure)?;
    number(list(table, "rows").iter().find(|row| text(row, "subject") == subject)?, "median")
}

/// The median of a figure at a point of a curve.
fn point(report: &Value, curve: &str, x: f64, figure: &str) -> Option<f64> {
    let curve = list(report, "curves").iter().find(|of| text(of, "curve") == curve)?;
    let point = list(curve, "points").iter().find(|point| number(point, "x") == Some(x))?;
    number(point.pointer(&format!("/figures/{figure}"))?, "median")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gateway(rows: &[(&str, &[(&str, f64)])]) -> Value {
        let row = |(subject, median): &(&str, f64)| json!({ "subject": subject, "median": median });
        let table = |(figure, of): &(&str, &[(&str, f64)])| json!({ "figure": figure, "rows": of.iter().map(row).collect::<Vec<_>>() });
        json!({ "settings": { "memory_after": 200_000 }, "tables": rows.iter().map(table).collect::<Vec<_>>() })
    }

    fn verdict(results: &Results, figure: &str) -> Option<bool> {
        let target = all(results).into_iter().find(|target| target.figure == figure).unwrap();
        target.measured.and_then(|(_, met)| met)
    }

    #[test]
    fn a_target_is_met_by_its_bound_and_missed_above_it() {
        for (ours, met) in [(35.0, true), (35.1, false)] {
            let cpu: &[_] = &[("nginx", 20.0), ("keyward", ours), ("litellm, key and limit", 8_750.0)];
            let added: &[_] = &[("nginx", 100.0), ("keyward", 165.0 + ours)];
            let memory: &[_] = &[("keyward", ours + 5.0)];
            let results = [("cpu_us_per_request", cpu), ("added_p50_us", added), ("memory_after_mib", memory)];
            let results = Results::sample([("gateway", gateway(&results))]);
            for figure in [
                "CPU per request",
                "CPU per request, against LiteLLM",
                "added at 200 requests/s, p50",
                "memory (PSS) after 200,000 requests with 1,000 virtual keys",
            ] {
                assert_eq!(verdict(&results, figure), Some(met), "{figure} at {ours}");
            }
            assert_eq!(verdict(&results, "CPU per request, against Portkey"), None);
        }
    }

    #[test]
    fn a_refusal_is_compared_with_what_is_left_without_the_call() {
        let one = |figure: &'static str, of: f64| (figure, [("keyward", of)]);
        let figures = |refused: f64| {
            let all = [one("cpu_us_per_request", 100.0), one("cpu_us_per_401", 1.0), one("cpu_us_per_429", 1.0)];
            let all: Vec<_> = all.into_iter().chain([one("cpu_us_per_402", refused)]).collect();
            gateway(&all.iter().map(|(figure, of)| (*figure, of.as_slice())).collect::<Vec<_>>())
        };
        let parts: Vec<_> = CALL.iter().map(|part| json!({ "part": part, "samples": 10 })).collect();
        let profile = json!({ "samples": 100, "parts": parts });
        for (refused, met) in [(59.0, Some(true)), (61.0, None), (100.0, Some(false))] {
            let results = Results::sample([("gateway", figures(refused)), ("profile", profile.clone())]);
            assert_eq!(verdict(&results, "CPU per refusal"), met, "{refused}");
        }
        let results = Results::sample([("gateway", figures(59.0))]);
        assert_eq!(verdict(&results, "CPU per refusal"), None, "without a profile nothing is known");
    }

    #[test]
    fn what_was_not_measured_says_so() {
        let table = table(&Results::sample([]));
        assert!(table.ends_with("\n0 of 17 are met.\n"), "{table}");
        assert_eq!(table.matches("not measured").count(), 17);
    }

    #[test]
    fn fewer_keys_than_wanted_decide_nothing() {
        let get = json!({ "operation": "get a virtual key", "p95_ms": 0.5 });
        for (keys, met) in [(1_000, None), (100_000, Some(true))] {
            let management = json!({ "virtual_keys": keys, "operations": [get] });
            let results = Results::sample([("management", management)]);
            assert_eq!(verdict(&results, "get a virtual key, p95, of 100,000"), met);
        }
    }

    #[test]
    fn the_points_of_a_curve_are_found_by_their_number() {
        let point = |x: f64, cpu: f64| json!({ "x": x, "figures": { "cpu_us": { "median": cpu }, "start_ms": { "median": cpu } } });
        let curve =
            json!({ "curve": "virtual_keys", "points": [point(1.0, 100.0), point(1e3, 400.0), point(1e6, 115.0)] });
        let results = Results::sample([("growth", json!({ "curves": [curve] }))]);
        assert_eq!(verdict(&results, "CPU per request with 1,000,000 virtual keys"), Some(false));
        assert_eq!(verdict(&results, "start with 1,000 virtual keys"), Some(true));
    }
}
