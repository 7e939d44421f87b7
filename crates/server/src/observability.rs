//! The page of all names that operators meet: metrics, spans, attributes, and targets of the log, from the tables that they are made
//! from. `cargo xtask observability` writes it.

use std::fmt::{self, Write as _};

use crate::{content, error, metrics, telemetry};

/// The targets of the log.
const TARGETS: [(&str, &str); 4] = [
    (
        "keyward_server",
        "the server: starts and stops, faults, and one line for each request that failed, or that the management API refused",
    ),
    (error::REFUSALS, "one line for each request that the gateway refused, at `debug`"),
    ("keyward_engine, keyward_store", "faults of the journal and of the database"),
    (content::TARGET, "contents, where they are wanted; see [contents](#contents)"),
];

/// The members of a line about a request.
const LINE: [(&str, &str); 7] = [
    ("request_id", "the request id, as in `x-request-id`, spans and the ledger"),
    ("code", "the code of the error, if it was one of Keyward's own; see [errors](errors.md)"),
    ("status", "the status of the answer"),
    ("virtual_key_id", "the id of the virtual key, as far as it is known"),
    ("operation", "the kind of request, as far as it is known"),
    ("provider", "the provider that was asked last, if one was"),
    ("message", "`refused`; `the provider answered with an error`; or what failed, with its causes"),
];

/// The page as Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = String::new();
    // Writing to a text cannot fail.
    let _ = write_page(&mut page);
    page
}

fn write_page(page: &mut String) -> fmt::Result {
    page.write_str(include_str!("observability/head.md"))?;
    page.write_str("\n## Metrics\n\n")?;
    page.write_str(include_str!("observability/metrics.md"))?;
    page.write_str("\n| metric | type | labels | meaning |\n|---|---|---|---|\n")?;
    for row in metrics::rows() {
        let labels: Vec<String> = row.labels.iter().map(|label| format!("`{}`", label.name)).collect();
        let (name, kind, labels, help) = (&row.name, row.kind.as_str(), labels.join(", "), row.help);
        writeln!(page, "| `{name}` | {kind} | {labels} | {help} |")?;
    }
    write_labels(page)?;
    page.write_str("\n## Traces\n\n")?;
    page.write_str(include_str!("observability/traces.md"))?;
    page.write_str("\n| attribute | on | meaning |\n|---|---|---|\n")?;
    for attribute in telemetry::ATTRIBUTES {
        let on: Vec<&str> = attribute.on.iter().map(|carrier| carrier.words()).collect();
        writeln!(page, "| `{}` | {} | {} |", attribute.name, on.join(", "), attribute.help)?;
    }
    page.write_str("\n## Metrics for a collector\n\n")?;
    page.write_str(include_str!("observability/figures.md"))?;
    page.write_str("\n| metric | unit | meaning |\n|---|---|---|\n")?;
    for instrument in telemetry::INSTRUMENTS {
        writeln!(page, "| `{}` | `{}` | {} |", instrument.name, instrument.unit, instrument.help)?;
    }
    page.write_str("\n## Logs\n\n")?;
    page.write_str(include_str!("observability/logs.md"))?;
    table(page, "target", &TARGETS)?;
    page.write_str("\nA line about a request has, as far as it is known:\n")?;
    table(page, "member", &LINE)?;
    page.write_str("\n## Contents\n\n")?;
    page.write_str(include_str!("observability/contents.md"))?;
    table(page, "member", &content::FIELDS)
}

/// The values of each label, once for all metrics that have the same ones.
fn write_labels(page: &mut String) -> fmt::Result {
    let mut sets: Vec<(&str, Vec<&str>, Vec<String>)> = Vec::new();
    for row in metrics::rows() {
        for label in &row.labels {
            let (values, of) = ((label.values)(), format!("`{}`", row.name));
            match sets.iter_mut().find(|(name, known, _)| *name == label.name && *known == values) {
                Some((_, _, metrics)) => metrics.push(of),
                None => sets.push((label.name, values, vec![of])),
            }
        }
    }
    page.write_str("\n| label | of | values |\n|---|---|---|\n")?;
    sets.iter().try_for_each(|(name, values, of)| {
        let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        writeln!(page, "| `{name}` | {} | {} |", of.join(", "), values.join(", "))
    })
}

fn table(page: &mut String, first: &str, rows: &[(&str, &str)]) -> fmt::Result {
    write!(page, "\n| {first} | meaning |\n|---|---|\n")?;
    rows.iter().try_for_each(|(name, meaning)| writeln!(page, "| `{name}` | {meaning} |"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_is_declared() {
        let committed = include_str!("../../../docs/observability.md");
        assert!(
            committed == page(),
            "docs/observability.md is stale: run `cargo xtask observability` and commit the result"
        );
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = telemetry::ATTRIBUTES.iter().map(|attribute| attribute.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
