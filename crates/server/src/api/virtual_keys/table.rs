//! Virtual keys as a table (CSV, RFC 4180), for spreadsheets. Secrets are redacted in it.

use keyward_core::virtual_key::VirtualKey;

use crate::spreadsheet::inert;

const COLUMNS: [&str; 16] = [
    "id",
    "name",
    "description",
    "value",
    "is_active",
    "team_id",
    "team",
    "customer_id",
    "customer",
    "budget_max_limit",
    "budget_current_usage",
    "budget_reset_duration",
    "max_parallel_requests",
    "expires_at",
    "created_at",
    "metadata",
];

/// The table of these virtual keys.
pub(crate) fn table(keys: &[VirtualKey]) -> Result<Vec<u8>, csv::Error> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    table.write_record(COLUMNS)?;
    for key in keys {
        table.write_record(row(key).map(|cell| inert(&cell)))?;
    }
    table.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))
}

fn row(key: &VirtualKey) -> [String; COLUMNS.len()] {
    let text = |value: Option<&dyn ToString>| value.map(ToString::to_string).unwrap_or_default();
    let budget = key.budget.as_ref();
    let labels: Vec<String> = key.metadata.iter().map(|(label, value)| format!("{label}={value}")).collect();
    [
        key.id.to_string(),
        key.name.clone(),
        key.description.clone(),
        key.value.redacted().expose().to_owned(),
        key.is_active.to_string(),
        text(key.team_id.as_ref().map(|id| id as &dyn ToString)),
        key.team.as_ref().map(|team| team.name.clone()).unwrap_or_default(),
        text(key.customer_id.as_ref().map(|id| id as &dyn ToString)),
        key.customer.as_ref().map(|customer| customer.name.clone()).unwrap_or_default(),
        text(budget.map(|budget| &budget.max_limit as &dyn ToString)),
        text(budget.map(|budget| &budget.current_usage as &dyn ToString)),
        text(budget.map(|budget| &budget.reset_duration as &dyn ToString)),
        text(key.max_parallel_requests.as_ref().map(|cap| cap as &dyn ToString)),
        text(key.expires_at.as_ref().map(|instant| instant as &dyn ToString)),
        key.created_at.to_string(),
        labels.join("; "),
    ]
}
