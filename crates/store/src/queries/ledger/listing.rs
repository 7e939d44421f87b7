//! Entries, to read: a page of those that match, by when they were settled.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use keyward_core::ledger::{LedgerFilter, LedgerOrder, LedgerPlace, LedgerRecord};
use keyward_core::money::NanoUsd;
use keyward_core::usage::{Dimension, Filters, Hour};

use super::super::reconciliation::counts;
use super::super::{Backend, Conn};
use super::scattered;
use crate::error::StoreError;
use crate::instant::{Instant, InstantColumn};
use crate::schema::ledger;

/// The last cost that an entry was adjusted to, and why; null: it never was.
const ADJUSTED_COST: &str = "(SELECT a.new_cost FROM ledger_adjustments a WHERE a.request_id = ledger.request_id \
                             AND a.attempt = ledger.attempt ORDER BY a.position DESC LIMIT 1)";
const ADJUSTED_PRICING: &str = "(SELECT a.new_pricing FROM ledger_adjustments a WHERE a.request_id = ledger.request_id \
                                AND a.attempt = ledger.attempt ORDER BY a.position DESC LIMIT 1)";

#[derive(Queryable, Selectable)]
#[diesel(table_name = ledger)]
pub(super) struct EntryRow {
    request_id: String,
    attempt: i32,
    virtual_key_id: String,
    team_id: Option<String>,
    customer_id: Option<String>,
    request_type: Option<String>,
    provider: String,
    provider_key_id: String,
    model: String,
    model_served: String,
    input_tokens: i64,
    output_tokens: i64,
    usage: String,
    service_tier: String,
    usage_source: String,
    cost: i64,
    pricing: Option<String>,
    held: i64,
    outcome: String,
    admitted_at: Instant,
    first_byte_at: Option<Instant>,
    settled_at: Instant,
}

/// An entry, and what it was adjusted to.
pub(super) type Row = (EntryRow, Option<i64>, Option<String>);

fn record((row, adjusted_cost, adjusted_pricing): Row) -> Result<LedgerRecord, StoreError> {
    let EntryRow {
        request_id,
        attempt,
        virtual_key_id,
        team_id,
        customer_id,
        request_type,
        provider,
        provider_key_id,
        model,
        model_served,
        input_tokens,
        output_tokens,
        usage,
        service_tier,
        usage_source,
        cost,
        pricing,
        held,
        outcome,
        admitted_at: Instant(admitted_at),
        first_byte_at,
        settled_at: Instant(settled_at),
    } = row;
    let millis = |Instant(at): Instant| at.as_millisecond().saturating_sub(admitted_at.as_millisecond());
    let costs = adjusted_cost.unwrap_or(cost);
    let pricing = adjusted_pricing.or(pricing).map(|text| serde_json::from_str(&text)).transpose();
    Ok(LedgerRecord {
        request_id: request_id.into(),
        attempt,
        settled_at,
        outcome,
        virtual_key_id: virtual_key_id.into(),
        team_id: team_id.map(Into::into),
        customer_id: customer_id.map(Into::into),
        provider: provider.into(),
        provider_key_id: provider_key_id.into(),
        model: model.into(),
        model_served: model_served.into(),
        request_type,
        input_tokens,
        output_tokens,
        usage: counts(&usage)?,
        usage_source,
        service_tier,
        cost: NanoUsd::from_nanos(costs),
        adjusted: NanoUsd::from_nanos(costs.saturating_sub(cost)),
        held: NanoUsd::from_nanos(held),
        pricing: pricing.map_err(|error| StoreError::unreadable("why an entry costs what it does", error))?,
        admitted_at,
        first_byte_at: first_byte_at.map(|at| at.0),
        latency_ms: millis(Instant(settled_at)),
        time_to_first_byte_ms: first_byte_at.map(millis),
    })
}

/// Up to `limit` entries that match, in the order that the filter says.
pub(crate) fn list(c: &mut Conn, filter: &LedgerFilter, limit: i64) -> Result<Vec<LedgerRecord>, StoreError> {
    let has_index = filter.filters.dimensions().all(|dimension| dimension == Dimension::VirtualKey);
    let rows = match has_index || filter.request_id.is_some() {
        true => load(c, filter, None, limit)?,
        false => scattered::list(c, filter, limit)?,
    };
    rows.into_iter().map(record).collect()
}

/// Up to `limit` rows that match, of one hour or of all.
pub(super) fn load(
    c: &mut Conn,
    filter: &LedgerFilter,
    hour: Option<Hour>,
    limit: i64,
) -> Result<Vec<Row>, StoreError> {
    let last = (sql::<Nullable<BigInt>>(ADJUSTED_COST), sql::<Nullable<Text>>(ADJUSTED_PRICING));
    Ok(matching(filter, hour).limit(limit).select((EntryRow::as_select(), last.0, last.1)).load(c)?)
}

/// The place of a row in the order of all.
pub(super) fn place((row, ..): &Row) -> (Instant, &str, i32) {
    (row.settled_at, &row.request_id, row.attempt)
}

fn matching(filter: &LedgerFilter, hour: Option<Hour>) -> ledger::BoxedQuery<'static, Backend> {
    let LedgerFilter { from, to, after, order, request_id, filters } = filter.clone();
    let mut query = ledger::table.into_boxed();
    if let Some(from) = from {
        query = query.filter(ledger::settled_at.ge(Instant(from)));
    }
    if let Some(to) = to {
        query = query.filter(ledger::settled_at.lt(Instant(to)));
    }
    if let Some(hour) = hour {
        let (from, to) = (Instant(hour.begins()), Instant(hour.after(1).begins()));
        query = query.filter(ledger::settled_at.ge(from)).filter(ledger::settled_at.lt(to));
    }
    if let Some(id) = request_id {
        query = query.filter(ledger::request_id.eq(id));
    }
    let Filters { customer, team, virtual_key, provider, model, outcome } = filters;
    macro_rules! only {
        ($($column:ident = $wanted:ident),+) => {$(
            if let Some(wanted) = $wanted {
                query = query.filter(ledger::$column.eq(wanted));
            }
        )+};
        // Of none where the text is empty.
        (owner $($column:ident = $wanted:ident),+) => {$(
            match $wanted {
                Some(none) if none.is_empty() => query = query.filter(ledger::$column.is_null()),
                Some(wanted) => query = query.filter(ledger::$column.eq(wanted)),
                None => {}
            }
        )+};
    }
    only!(owner customer_id = customer, team_id = team);
    only!(virtual_key_id = virtual_key, provider = provider, model = model, outcome = outcome);
    let place = (ledger::settled_at, ledger::request_id, ledger::attempt);
    match order {
        LedgerOrder::Asc => query = query.order(place),
        LedgerOrder::Desc => {
            query = query.order((ledger::settled_at.desc(), ledger::request_id.desc(), ledger::attempt.desc()));
        }
    }
    let Some(LedgerPlace { settled_at, request_id, attempt }) = after else { return query };
    let beyond = match order {
        LedgerOrder::Asc => "(settled_at, request_id, attempt) > (",
        LedgerOrder::Desc => "(settled_at, request_id, attempt) < (",
    };
    let beyond = sql::<Bool>(beyond).bind::<InstantColumn, _>(Instant(settled_at)).sql(", ");
    query.filter(beyond.bind::<Text, _>(request_id).sql(", ").bind::<Integer, _>(attempt).sql(")"))
}
