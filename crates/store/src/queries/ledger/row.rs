//! Ledger entries as rows.

use diesel::prelude::*;
use keyward_core::ledger::{Attribution, LedgerEntry, Pricing, UsageSource};
use keyward_core::price::{CostBreakdown, Usage};
use keyward_core::pricing_override::RequestType;

use crate::error::StoreError;
use crate::instant::Instant;
use crate::schema::ledger;

#[derive(Insertable)]
#[diesel(table_name = ledger, treat_none_as_default_value = false)]
pub(super) struct EntryRow<'a> {
    request_id: &'a str,
    attempt: i32,
    virtual_key_id: &'a str,
    team_id: Option<&'a str>,
    customer_id: Option<&'a str>,
    request_type: Option<&'static str>,
    provider: &'a str,
    provider_key_id: &'a str,
    model: &'a str,
    model_served: &'a str,
    input_tokens: i64,
    output_tokens: i64,
    usage: String,
    service_tier: &'static str,
    usage_source: &'static str,
    cost: i64,
    pricing: Option<String>,
    held: i64,
    outcome: &'static str,
    admitted_at: Instant,
    first_byte_at: Option<Instant>,
    settled_at: Instant,
    postings: String,
    posting_count: i32,
}

impl<'a> EntryRow<'a> {
    /// `postings`: as they are stored.
    pub(super) fn of(entry: &'a LedgerEntry, postings: String) -> Result<Self, StoreError> {
        let pricing = breakdown(entry).map(|breakdown| breakdown.to_json()).transpose();
        let LedgerEntry {
            attribution,
            usage,
            usage_source,
            cost,
            pricing: _,
            held,
            outcome,
            admitted_at,
            first_byte_at,
            settled_at,
            postings: posted,
        } = entry;
        let Attribution {
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
        } = attribution;
        // The reported cost stands in the breakdown.
        let Usage { counts, tier, reported: _ } = usage;
        Ok(Self {
            request_id: request_id.as_str(),
            attempt: *attempt,
            virtual_key_id: virtual_key_id.as_str(),
            team_id: team_id.as_ref().map(|id| id.as_str()),
            customer_id: customer_id.as_ref().map(|id| id.as_str()),
            request_type: request_type.map(RequestType::as_str),
            provider: provider.as_str(),
            provider_key_id: provider_key_id.as_str(),
            model: model.as_str(),
            model_served: model_served.as_str(),
            input_tokens: tokens(counts.total_input()),
            output_tokens: tokens(counts.total_output()),
            usage: serde_json::to_string(counts).map_err(StoreError::internal)?,
            service_tier: tier.as_str(),
            usage_source: usage_source.as_str(),
            cost: cost.nanos(),
            pricing: pricing.map_err(StoreError::internal)?,
            held: held.nanos(),
            outcome: outcome.as_str(),
            admitted_at: Instant(*admitted_at),
            first_byte_at: first_byte_at.map(Instant),
            settled_at: Instant(*settled_at),
            postings,
            posting_count: i32::try_from(posted.len()).map_err(StoreError::internal)?,
        })
    }
}

/// What the cost consists of; none: the model has no price.
fn breakdown(entry: &LedgerEntry) -> Option<CostBreakdown> {
    let Pricing { version, rates } = entry.pricing.clone()?;
    Some(match entry.usage_source {
        UsageSource::Provider | UsageSource::Counted => CostBreakdown::counted(version, rates, &entry.usage),
        UsageSource::Estimated => CostBreakdown::estimated(version, rates, &entry.usage, entry.cost),
    })
}

/// The column has fewer bits than the count, which no provider reaches.
pub(crate) fn tokens(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
