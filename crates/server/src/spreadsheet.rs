//! Cells of tables that people open in spreadsheets.

/// A cell that no spreadsheet takes for a formula.
pub(crate) fn inert(cell: &str) -> String {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}
