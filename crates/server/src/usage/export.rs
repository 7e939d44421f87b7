//! The ledger as a table or as lines: page after page as it is read, however long.

use actix_web::HttpResponse;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::stream::try_unfold;
use keyward_core::error_code::ErrorCode;
use keyward_core::ledger::{LedgerFilter, LedgerFormat, LedgerRecord};
use keyward_core::price::Class;
use keyward_store::Store;

use super::up_to_now;
use crate::error::ApiError;
use crate::spreadsheet::inert;
use crate::state::State;

/// How many entries are read at once.
const PAGE: i64 = 1_000;

const COLUMNS: [&str; 20] = [
    "settled_at",
    "request_id",
    "attempt",
    "outcome",
    "virtual_key_id",
    "team_id",
    "customer_id",
    "provider",
    "model",
    "model_served",
    "request_type",
    "service_tier",
    "usage_source",
    "input_tokens",
    "output_tokens",
    "cost",
    "adjusted",
    "held",
    "latency_ms",
    "time_to_first_byte_ms",
];

/// Entries that are still to be told.
struct Rest {
    store: Store,
    filter: LedgerFilter,
    /// How many are still wanted; none: all.
    left: Option<i64>,
    form: Form,
}

/// How entries are told.
#[derive(Clone, Copy)]
enum Form {
    Table,
    Lines,
}

/// Streams the entries up to now that match, `limit` at most.
pub(crate) async fn export(
    state: &State,
    store: Store,
    filter: LedgerFilter,
    limit: Option<i64>,
    format: LedgerFormat,
) -> Result<HttpResponse, ApiError> {
    let (form, media) = match format {
        LedgerFormat::Csv => (Form::Table, "text/csv; charset=utf-8"),
        LedgerFormat::Json | LedgerFormat::Ndjson => (Form::Lines, "application/x-ndjson"),
    };
    up_to_now(state).await;
    let mut rest = Rest { store, filter, left: limit, form };
    // What fails at once is answered as elsewhere.
    let mut first = rest.head()?;
    let begun = rest.next().await?;
    first.extend_from_slice(begun.as_deref().unwrap_or_default());
    let rest = begun.map(|_| rest);
    let pieces = try_unfold((Some(Bytes::from(first)), rest), |(first, rest)| async move {
        if let Some(first) = first {
            return Ok::<_, ApiError>(Some((first, (None, rest))));
        }
        let Some(mut rest) = rest else { return Ok(None) };
        Ok(rest.next().await?.map(|piece| (Bytes::from(piece), (None, Some(rest)))))
    });
    // The answer has begun: it can only be cut.
    let pieces = pieces.map_err(|error| {
        tracing::error!(%error, "the export of the ledger broke off");
        actix_web::Error::from(error)
    });
    Ok(HttpResponse::Ok().content_type(media).streaming(pieces))
}

impl Rest {
    /// What comes before all entries.
    fn head(&self) -> Result<Vec<u8>, ApiError> {
        match self.form {
            Form::Table => table(|table| table.write_record(COLUMNS.iter().chain(&classes()))),
            Form::Lines => Ok(Vec::new()),
        }
    }

    /// The next page as text; none: there is no more.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ApiError> {
        let page = self.left.map_or(PAGE, |left| left.min(PAGE));
        if page == 0 {
            return Ok(None);
        }
        let entries = self.store.ledger_list(self.filter.clone(), page).await?;
        let Some(last) = entries.last() else { return Ok(None) };
        self.filter.after = Some(last.place());
        let told = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        self.left = self.left.map(|left| left.saturating_sub(told));
        match self.form {
            Form::Table => table(|table| entries.iter().try_for_each(|entry| table.write_record(row(entry)))),
            Form::Lines => lines(&entries),
        }
        .map(Some)
    }
}

/// The classes of usage, each a column.
fn classes() -> Vec<&'static str> {
    Class::ALL.iter().map(|class| class.as_str()).collect()
}

fn table(write: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> csv::Result<()>) -> Result<Vec<u8>, ApiError> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    write(&mut table).map_err(unwritable)?;
    table.into_inner().map_err(|error| unwritable(error.into_error()))
}

fn lines(entries: &[LedgerRecord]) -> Result<Vec<u8>, ApiError> {
    let mut lines = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut lines, entry).map_err(unwritable)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn unwritable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ApiError {
    ApiError::new(ErrorCode::Internal, "The entries cannot be written").because(error)
}

fn row(entry: &LedgerRecord) -> Vec<String> {
    let text = |value: Option<&dyn ToString>| value.map(ToString::to_string).unwrap_or_default();
    let named: [&dyn ToString; 11] = [
        &entry.settled_at,
        &entry.request_id,
        &entry.attempt,
        &entry.outcome,
        &entry.virtual_key_id,
        &text(entry.team_id.as_ref().map(|id| id as &dyn ToString)),
        &text(entry.customer_id.as_ref().map(|id| id as &dyn ToString)),
        &entry.provider,
        &entry.model,
        &entry.model_served,
        &text(entry.request_type.as_ref().map(|kind| kind as &dyn ToString)),
    ];
    let figures: [&dyn ToString; 9] = [
        &entry.service_tier,
        &entry.usage_source,
        &entry.input_tokens,
        &entry.output_tokens,
        &entry.cost,
        &entry.adjusted,
        &entry.held,
        &entry.latency_ms,
        &text(entry.time_to_first_byte_ms.as_ref().map(|millis| millis as &dyn ToString)),
    ];
    let texts = named.iter().map(|cell| inert(&cell.to_string()));
    // A number may be less than nothing, which is no formula.
    let figures = figures.iter().map(|cell| cell.to_string());
    let classes = Class::ALL.iter().map(|class| entry.usage.get(*class).to_string());
    texts.chain(figures).chain(classes).collect()
}
