//! Usage, the ledger and forecasts, as the API and whoever else shows them ask for it: typed questions, typed answers, no HTTP.

use std::collections::HashSet;

use jiff::Timestamp;
use keyward_core::event::Event;
use keyward_core::ledger::{LedgerFilter, LedgerList, LedgerRecord};
use keyward_core::list::{Listed, Page};
use keyward_core::usage::{BudgetForecast, ForecastList, ForecastRequest, Hour, UsageReport, UsageRequest};
use keyward_engine::Ledger;
use keyward_store::{Store, StoreError};

use crate::error::ApiError;
use crate::state::State;

mod export;
mod refusals;
mod upkeep;

pub(crate) use export::export;
pub(crate) use refusals::{LONGEST_NAME, Refusals, Refused, flush, is_recordable};
pub(crate) use upkeep::watch;

/// Brings what has happened up to now into the database, so that it is in what is read next. While the ledger cannot be written, what is
/// there is read.
pub(crate) async fn up_to_now(state: &State) {
    if state.ledger.is_available()
        && let Err(error) = state.settled().await
    {
        tracing::warn!(%error, "what is read lacks the latest attempts");
    }
    flush(state).await;
}

/// What usage comes to up to now, as far as `store` reaches.
pub(crate) async fn report(state: &State, store: &Store, request: UsageRequest) -> Result<UsageReport, ApiError> {
    up_to_now(state).await;
    Ok(store.usage_report(request).await?)
}

/// When budgets in reach will be used up.
pub(crate) async fn forecast(
    state: &State,
    store: &Store,
    request: ForecastRequest,
    now: Timestamp,
) -> Result<ForecastList, ApiError> {
    up_to_now(state).await;
    let scoped = store.budget_scopes().await?;
    let covered: HashSet<_> = scoped.iter().map(|(_, scope)| scope.filters()).collect();
    let since = request.since(now);
    let spent = store.usage_spent(covered, since, Hour::of(now).after(1)).await?;
    let forecasts = scoped.into_iter().map(|(mut budget, scope)| {
        budget.observe(state.engine.count(&budget.meter_id()), now);
        let spent = spent.get(&scope.filters()).copied().unwrap_or_default();
        BudgetForecast::new(&budget, scope, spent, since.begins(), now)
    });
    Ok(ForecastList::new(forecasts.collect(), request.limit, since.begins(), now))
}

/// Events up to now.
pub(crate) async fn events(state: &State, page: Page) -> Result<Listed<Event>, StoreError> {
    up_to_now(state).await;
    state.store.event_list(page).await
}

/// A page of the ledger up to now, as far as `store` reaches.
pub(crate) async fn ledger_page(
    state: &State,
    store: &Store,
    filter: LedgerFilter,
    limit: i64,
) -> Result<LedgerList, StoreError> {
    up_to_now(state).await;
    let mut entries = store.ledger_list(filter, limit.saturating_add(1)).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = entries.len() > page;
    entries.truncate(page);
    Ok(LedgerList {
        count: i64::try_from(entries.len()).unwrap_or(i64::MAX),
        next: entries.last().filter(|_| has_more).map(|entry: &LedgerRecord| entry.place().to_string()),
        entries,
    })
}
