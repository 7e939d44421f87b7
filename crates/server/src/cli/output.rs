//! What commands print: tables with aligned columns, money, instants, JSON. Nothing else here prints.

#![allow(clippy::print_stderr, reason = "a command talks to whoever runs it")]

use std::io::{ErrorKind, Write as _};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use keyward_core::money::NanoUsd;
use serde::Serialize;

use super::failure::{Exit, Failure};

/// Columns of figures, which are aligned at their right.
const FIGURES: [&str; 8] = ["USED", "LIMIT", "OF IT", "HELD", "ASKED", "KEYS", "VIRTUAL KEYS", "WEIGHT"];

/// Prints a text. Whoever reads no further is no failure.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::here("the answer cannot be printed", &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints one JSON document.
pub(super) fn json(document: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(document).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    print(&format!("{text}\n"))
}

/// Tells a person what a script need not read.
pub(super) fn note(text: &str) {
    eprintln!("{text}");
}

/// Tells a person of a risk.
pub(super) fn warn(text: &str) {
    eprintln!("keyward: warning: {text}");
}

/// A table with a head; columns of figures are aligned at their right.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = bare();
    table.set_header(head).add_rows(rows);
    for (column, name) in table.column_iter_mut().zip(head) {
        if FIGURES.contains(&name) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    finished(&table)
}

/// A table of names and what each has; names without anything are left out.
pub(super) fn members(rows: impl IntoIterator<Item = (&'static str, Option<String>)>) -> String {
    let mut table = bare();
    table.add_rows(rows.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?])));
    finished(&table)
}

fn bare() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// The table's text, with two spaces between columns, none at the edges, and a line break at the end.
fn finished(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.strip_prefix(' ').unwrap_or(&line).trim_end());
        text.push('\n');
    }
    text
}

/// A text of somebody's that cannot move the cursor or change colours.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// Money: two decimals, and more where the amount has more.
pub(super) fn money(amount: NanoUsd) -> String {
    let exact = amount.to_string();
    let (sign, exact) = exact.strip_prefix('-').map_or(("", exact.as_str()), |rest| ("-", rest));
    let (dollars, decimals) = exact.split_once('.').unwrap_or((exact, ""));
    format!("{sign}${dollars}.{decimals:0<2}")
}

/// An instant in UTC, to the second; the zone is said beside it.
pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_and_has_two_decimals_at_least() {
        let shown = |dollars: &str| money(dollars.parse().unwrap());
        assert_eq!(
            ["0", "1.2", "10", "1234.5678", "-0.5"].map(shown),
            ["$0.00", "$1.20", "$10.00", "$1234.5678", "-$0.50"]
        );
        assert_eq!(shown("0.000000001"), "$0.000000001");
    }

    #[test]
    fn figures_are_aligned_at_their_right_and_lines_end_with_a_letter() {
        let rows = [["a".to_owned(), "$1.00".to_owned()], ["long".to_owned(), "$100.00".to_owned()]];
        assert_eq!(table(["NAME", "USED"], rows), "NAME     USED\na       $1.00\nlong  $100.00\n");
        assert_eq!(members([("Name", Some("a".to_owned())), ("Owner", None)]), "Name  a\n");
    }

    #[test]
    fn instants_are_in_utc() {
        assert_eq!(instant("2026-11-26T09:00:00.5+01:00".parse().unwrap()), "2026-11-26 08:00:00");
    }

    #[test]
    fn names_cannot_steer_a_terminal() {
        assert_eq!(plain("a\x1b[31m\nb"), "a [31m b");
    }
}
