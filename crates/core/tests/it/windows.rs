//! Windows against a table that was computed without Keyward: `windows.txt` says how.

use jiff::Timestamp;
use keyward_core::month::Month;
use keyward_core::window::{FOREVER, Window, WindowPolicy};

const TABLE: &str = include_str!("windows.txt");

/// The window that a line of the table asks for, and the one that it says.
fn found_and_expected(line: &str) -> (Window, Window, WindowPolicy) {
    let cells: Vec<&str> = line.split(' ').collect();
    let [duration, aligned, zone, month, anchor, instant, start, end] = cells.try_into().unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let month = Month::try_from(month.parse::<i64>().unwrap()).unwrap();
    let aligned = aligned == "aligned";
    let policy = WindowPolicy::new(&duration.parse().unwrap(), aligned, &zone.parse().unwrap(), month);
    let end = if end == "-" { FOREVER } else { at(end) };
    (policy.window_at(at(anchor), at(instant)), Window { start: at(start), end }, policy)
}

#[test]
fn windows_are_those_of_the_table() {
    let lines: Vec<&str> = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(lines.len() > 200, "the table has {} lines", lines.len());
    let wrong: Vec<String> = lines
        .iter()
        .filter_map(|line| {
            let (found, expected, policy) = found_and_expected(line);
            let has_end = !line.ends_with('-');
            (found != expected || policy.end(found).is_some() != has_end)
                .then(|| format!("{line}: found {} {}", found.start, found.end))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), lines.len(), wrong.join("\n"));
}
