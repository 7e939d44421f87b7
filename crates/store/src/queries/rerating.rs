//! Pricing entries anew. An entry stays as it was written: what it costs since is an adjustment, and so is what that does to
//! each counter that the entry was counted in.

use std::collections::BTreeMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use jiff::Timestamp;
use keyward_core::ids::{ProviderKeyId, ProviderName, VirtualKeyId};
use keyward_core::ledger::{Rerated, Rerating, UsageSource};
use keyward_core::money::NanoUsd;
use keyward_core::price::{CostBreakdown, Possible, ServiceTier, Usage};
use keyward_core::pricing_override::{PriceList, Priced, RequestType};
use serde::Serialize;

use super::reconciliation::counts;
use super::{Backend, Conn, audit, meter, usage};
use crate::error::StoreError;
use crate::instant::{Instant, InstantColumn};
use crate::recorder::Recorder;
use crate::schema::{ledger, ledger_adjustments};

mod posted;

use posted::adjust_meters;

/// How many entries are priced at once.
const PAGE: i64 = 1_000;

/// Prices entries anew, and writes down what is another cost now.
pub(crate) fn rerate(
    c: &mut Conn,
    by: &Recorder,
    which: &Rerating,
    prices: &PriceList<'_>,
) -> Result<Rerated, StoreError> {
    let mut done = Rerated::default();
    let mut due = BTreeMap::new();
    let mut last = None;
    loop {
        let page = page(c, which, last.as_ref())?;
        let Some(entry) = page.last() else { break };
        last = Some((entry.row.settled_at, entry.row.request_id.clone(), entry.row.attempt));
        let changed = price_anew(&page, prices, &mut done)?;
        if !which.dry_run {
            insert(c, &changed, by.change.at)?;
            usage::adjust(
                c,
                changed.iter().map(|one| (one.entry.row.request_id.as_str(), one.entry.row.attempt, one.amount())),
            )?;
            adjust_meters(c, &changed, by.change.at, &mut due)?;
        }
    }
    for ((limit, epoch), amount) in due {
        done.counters = done.counters.saturating_add(meter::adjust(c, &limit, epoch, amount)?);
    }
    if done.changed > 0 && !which.dry_run {
        audit::created(c, by, ("ledger", "costs"), &Record::of(which, &done))?;
    }
    Ok(done)
}

/// What was done, for the audit log.
#[derive(Serialize)]
struct Record<'a> {
    since: Timestamp,
    until: Option<Timestamp>,
    provider: Option<&'a str>,
    model: Option<&'a str>,
    changed_entries: usize,
    cost_before: NanoUsd,
    cost_after: NanoUsd,
}

impl<'a> Record<'a> {
    fn of(which: &'a Rerating, done: &Rerated) -> Self {
        let Rerating { since, until, provider, model, dry_run: _ } = which;
        Self {
            since: *since,
            until: *until,
            provider: provider.as_ref().map(ProviderName::as_str),
            model: model.as_ref().map(|model| model.as_str()),
            changed_entries: done.changed,
            cost_before: done.cost_before,
            cost_after: done.cost_after,
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = ledger)]
struct EntryRow {
    request_id: String,
    attempt: i32,
    virtual_key_id: String,
    request_type: Option<String>,
    provider: String,
    provider_key_id: String,
    model: String,
    model_served: String,
    usage: String,
    service_tier: String,
    usage_source: String,
    cost: i64,
    pricing: Option<String>,
    settled_at: Instant,
}

/// An entry, and what was adjusted since: how often, and the last cost with its breakdown.
#[derive(Queryable)]
struct Entry {
    row: EntryRow,
    adjustments: i64,
    adjusted_cost: Option<i64>,
    adjusted_pricing: Option<String>,
}

/// An entry that costs something else now.
struct Changed<'a> {
    entry: &'a Entry,
    cost: i64,
    pricing: String,
}

impl Changed<'_> {
    fn amount(&self) -> i64 {
        self.cost.saturating_sub(self.entry.cost())
    }
}

impl Entry {
    /// True for what keeps its cost: what is free by declaration, and a tool, which costs what its client said then.
    fn is_settled(&self) -> bool {
        let kind = self.row.request_type.as_deref();
        kind.is_none_or(|kind| kind == RequestType::McpToolCall.as_str())
    }

    /// Which one it is: request and attempt.
    fn key(&self) -> (&str, i32) {
        (&self.row.request_id, self.row.attempt)
    }

    /// What it costs so far.
    fn cost(&self) -> i64 {
        self.adjusted_cost.unwrap_or(self.row.cost)
    }

    /// What that consists of.
    fn pricing(&self) -> Option<&str> {
        self.adjusted_pricing.as_deref().or(self.row.pricing.as_deref())
    }

    /// What it costs by these prices; none: the model has none.
    fn priced(&self, prices: &PriceList<'_>) -> Result<Option<CostBreakdown>, StoreError> {
        let row = &self.row;
        let source = UsageSource::ALL.into_iter().find(|known| known.as_str() == row.usage_source);
        let source = source.ok_or_else(|| StoreError::unreadable("a source of usage", &row.usage_source))?;
        // What is free by declaration stays so, whatever its model costs otherwise.
        let charged = row.request_type.as_deref().filter(|_| !self.is_settled());
        let Some(request_type) = charged.and_then(RequestType::find) else { return Ok(None) };
        let priced = Priced {
            virtual_key: &VirtualKeyId::from(row.virtual_key_id.as_str()),
            provider: &ProviderName::from(row.provider.as_str()),
            provider_key: &ProviderKeyId::from(row.provider_key_id.as_str()),
            model: &row.model_served,
            request_type,
        };
        let Some(known) = prices.price(&priced, &row.model) else { return Ok(None) };
        let tier = ServiceTier::find(&row.service_tier);
        let tier = tier.ok_or_else(|| StoreError::unreadable("a service tier", &row.service_tier))?;
        let used = Usage { counts: counts(&row.usage)?, tier, reported: None };
        let rates = known.price.rates_for(&used).about(&used.counts);
        Ok(Some(match source {
            UsageSource::Provider | UsageSource::Counted => CostBreakdown::counted(known.version, rates, &used),
            UsageSource::Estimated => {
                let possible = Possible { units: used.counts.units(), tier, ..Possible::default() };
                let cost = known.price.ceiling(used.counts.total_input(), used.counts.total_output(), &possible);
                CostBreakdown::estimated(known.version, rates, &used, cost)
            }
        }))
    }

    /// True when its provider has told what it bills: no list of prices changes that.
    fn is_reported(&self) -> bool {
        let so_far = self.pricing().and_then(|text| CostBreakdown::from_json(text).ok());
        so_far.is_some_and(|so_far| so_far.is_reported)
    }

    /// The same rates make the same cost: also of an estimate, of which more was known when it was made.
    fn has_rates_of(&self, breakdown: &CostBreakdown) -> bool {
        let so_far = self.pricing().and_then(|text| CostBreakdown::from_json(text).ok());
        so_far.is_some_and(|so_far| so_far.rates == breakdown.rates)
    }
}

/// Where a page ends: its last entry.
type Place = (Instant, String, i32);

const ADJUSTMENTS: &str = "(SELECT COUNT(*) FROM ledger_adjustments a \
                           WHERE a.request_id = ledger.request_id AND a.attempt = ledger.attempt)";
const ADJUSTED_COST: &str = "(SELECT a.new_cost FROM ledger_adjustments a WHERE a.request_id = ledger.request_id \
                             AND a.attempt = ledger.attempt ORDER BY a.position DESC LIMIT 1)";
const ADJUSTED_PRICING: &str = "(SELECT a.new_pricing FROM ledger_adjustments a WHERE a.request_id = ledger.request_id \
                                AND a.attempt = ledger.attempt ORDER BY a.position DESC LIMIT 1)";

fn page(c: &mut Conn, which: &Rerating, last: Option<&Place>) -> Result<Vec<Entry>, StoreError> {
    let page = matching(which, last).order((ledger::settled_at, ledger::request_id, ledger::attempt)).limit(PAGE);
    let page = page.select((
        EntryRow::as_select(),
        sql::<BigInt>(ADJUSTMENTS),
        sql::<Nullable<BigInt>>(ADJUSTED_COST),
        sql::<Nullable<Text>>(ADJUSTED_PRICING),
    ));
    Ok(page.load(c)?)
}

fn matching<'a>(which: &'a Rerating, last: Option<&'a Place>) -> ledger::BoxedQuery<'a, Backend> {
    let Rerating { since, until, provider, model, dry_run: _ } = which;
    let mut query = ledger::table.filter(ledger::settled_at.ge(Instant(*since))).into_boxed();
    if let Some(until) = until {
        query = query.filter(ledger::settled_at.lt(Instant(*until)));
    }
    if let Some(provider) = provider {
        query = query.filter(ledger::provider.eq(provider.as_str()));
    }
    if let Some(model) = model {
        query = query.filter(ledger::model.eq(model.as_str()).or(ledger::model_served.eq(model.as_str())));
    }
    if let Some((settled_at, request_id, attempt)) = last {
        let later = sql::<Bool>("(settled_at, request_id, attempt) > (").bind::<InstantColumn, _>(*settled_at);
        let later = later.sql(", ").bind::<Text, _>(request_id).sql(", ").bind::<Integer, _>(*attempt).sql(")");
        query = query.filter(later);
    }
    query
}

fn price_anew<'a>(
    page: &'a [Entry],
    prices: &PriceList<'_>,
    done: &mut Rerated,
) -> Result<Vec<Changed<'a>>, StoreError> {
    let add = |total: NanoUsd, nanos: i64| NanoUsd::from_nanos(total.nanos().saturating_add(nanos));
    let mut changed = Vec::new();
    for entry in page {
        let breakdown = entry.priced(prices)?;
        done.unpriced = done.unpriced.saturating_add(usize::from(breakdown.is_none() && !entry.is_settled()));
        let other = breakdown.filter(|breakdown| !entry.is_reported() && !entry.has_rates_of(breakdown));
        let other = other.filter(|breakdown| breakdown.cost().nanos() != entry.cost());
        let cost = other.as_ref().map_or(entry.cost(), |breakdown| breakdown.cost().nanos());
        done.entries = done.entries.saturating_add(1);
        done.cost_before = add(done.cost_before, entry.cost());
        done.cost_after = add(done.cost_after, cost);
        if let Some(breakdown) = other {
            let pricing = breakdown.to_json().map_err(StoreError::internal)?;
            changed.push(Changed { entry, cost, pricing });
        }
    }
    done.changed = done.changed.saturating_add(changed.len());
    Ok(changed)
}

fn insert(c: &mut Conn, changed: &[Changed<'_>], at: Timestamp) -> Result<(), StoreError> {
    let rows = changed.iter().map(|changed| {
        (
            ledger_adjustments::request_id.eq(&changed.entry.row.request_id),
            ledger_adjustments::attempt.eq(changed.entry.row.attempt),
            ledger_adjustments::position.eq(i32::try_from(changed.entry.adjustments).unwrap_or(i32::MAX)),
            ledger_adjustments::old_cost.eq(changed.entry.cost()),
            ledger_adjustments::new_cost.eq(changed.cost),
            ledger_adjustments::old_pricing.eq(changed.entry.pricing()),
            ledger_adjustments::new_pricing.eq(&changed.pricing),
            ledger_adjustments::adjusted_at.eq(Instant(at)),
        )
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        diesel::insert_into(ledger_adjustments::table).values(rows).execute(c)?;
    }
    Ok(())
}
