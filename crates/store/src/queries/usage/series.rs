//! Series: what rollups are of. Each has a row, which says what its id stands for.

use std::collections::HashMap;

use diesel::prelude::*;
use keyward_core::ledger::Outcome;
use keyward_core::usage::{Dimension, Filters, Series};
use sha2::{Digest as _, Sha256};

use super::super::search::CHUNK;
use super::super::{Backend, Conn};
use crate::error::StoreError;
use crate::schema::usage_series;

/// What is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum View {
    /// Everything.
    All,
    /// Customers, teams and virtual keys.
    Owners,
    /// Providers, models and outcomes.
    Models,
}

impl View {
    pub(super) const COARSE: [Self; 2] = [Self::Owners, Self::Models];

    /// The coarsest that tells these apart.
    pub(super) fn telling(mut dimensions: impl Iterator<Item = Dimension>) -> Self {
        let (mut owners, mut models) = (false, false);
        for dimension in &mut dimensions {
            match dimension {
                Dimension::Customer | Dimension::Team | Dimension::VirtualKey => owners = true,
                Dimension::Provider | Dimension::Model | Dimension::Outcome => models = true,
            }
        }
        match (owners, models) {
            (true, true) => Self::All,
            (true, false) => Self::Owners,
            // It has the fewest rows.
            (false, _) => Self::Models,
        }
    }

    /// What is left of a series in this view.
    pub(super) fn of<'a>(self, series: &Series<&'a str>) -> Series<&'a str> {
        let Series { customer, team, virtual_key, provider, model, outcome } = *series;
        match self {
            Self::All => *series,
            Self::Owners => Series { customer, team, virtual_key, ..Series::default() },
            Self::Models => Series { provider, model, outcome, ..Series::default() },
        }
    }

    /// The view's number in the database.
    pub(super) const fn number(self) -> i32 {
        match self {
            Self::All => 0,
            Self::Owners => 1,
            Self::Models => 2,
        }
    }
}

/// The id of a series: the first 64 bits of a digest. A million series have the same id by chance in one of 36 million databases.
pub(super) fn id(view: View, series: &Series<&str>) -> i64 {
    let mut digest = Sha256::new();
    digest.update(view.number().to_be_bytes());
    for dimension in Dimension::ALL {
        let text = series.get(dimension);
        digest.update(text.len().to_be_bytes());
        digest.update(text);
    }
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(digest.finalize());
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[derive(Insertable)]
#[diesel(table_name = usage_series, treat_none_as_default_value = false)]
struct NewSeries<'a> {
    id: i64,
    view: i32,
    customer_id: &'a str,
    team_id: &'a str,
    virtual_key_id: &'a str,
    provider: &'a str,
    model: &'a str,
    outcome: &'a str,
}

/// Writes down what ids stand for, where that is not known.
pub(super) fn remember(c: &mut Conn, all: &[(i64, View, Series<&str>)]) -> Result<(), StoreError> {
    for chunk in all.chunks(1_000) {
        let rows = chunk.iter().map(|(id, view, series)| {
            let Series { customer, team, virtual_key, provider, model, outcome } = *series;
            let (id, view) = (*id, view.number());
            NewSeries {
                id,
                view,
                customer_id: customer,
                team_id: team,
                virtual_key_id: virtual_key,
                provider,
                model,
                outcome,
            }
        });
        let rows: Vec<_> = rows.collect();
        diesel::insert_into(usage_series::table).values(rows).on_conflict(usage_series::id).do_nothing().execute(c)?;
    }
    Ok(())
}

/// A row: its id, its owners, and what served it.
type Row = (i64, (String, String, String), (String, String, String));

fn read((id, (customer, team, virtual_key), (provider, model, outcome)): Row) -> (i64, Series<String>) {
    (id, Series { customer, team, virtual_key, provider, model, outcome })
}

macro_rules! columns {
    () => {
        (
            usage_series::id,
            (usage_series::customer_id, usage_series::team_id, usage_series::virtual_key_id),
            (usage_series::provider, usage_series::model, usage_series::outcome),
        )
    };
}

/// What ids stand for.
pub(super) fn load(c: &mut Conn, ids: &[i64]) -> Result<Vec<(i64, Series<String>)>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let rows: Vec<Row> = usage_series::table.filter(usage_series::id.eq_any(chunk)).select(columns!()).load(c)?;
        found.extend(rows.into_iter().map(read));
    }
    Ok(found)
}

/// The series of a view that match.
pub(super) fn matching(c: &mut Conn, view: View, filters: &Filters) -> Result<Vec<(i64, Series<String>)>, StoreError> {
    let rows: Vec<Row> = filtered(view, filters).order(usage_series::id).select(columns!()).load(c)?;
    Ok(rows.into_iter().map(read).collect())
}

/// The virtual key of each series of attempts that matches where everything is told apart; none: those are more than `most`.
pub(super) fn keys(c: &mut Conn, filters: &Filters, most: usize) -> Result<Option<HashMap<i64, String>>, StoreError> {
    let some = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let attempted =
        filtered(View::All, filters).filter(usage_series::outcome.eq_any(Outcome::ALL.map(Outcome::as_str)));
    let found = attempted.select((usage_series::id, usage_series::virtual_key_id)).limit(some);
    let keys: HashMap<i64, String> = found.load::<(i64, String)>(c)?.into_iter().collect();
    Ok(Some(keys).filter(|keys| keys.len() <= most))
}

fn filtered(view: View, filters: &Filters) -> usage_series::BoxedQuery<'_, Backend> {
    let Filters { customer, team, virtual_key, provider, model, outcome } = filters;
    let mut query = usage_series::table.filter(usage_series::view.eq(view.number())).into_boxed();
    macro_rules! only {
        ($($column:ident = $wanted:ident),+) => {$(
            if let Some(wanted) = $wanted {
                query = query.filter(usage_series::$column.eq(wanted));
            }
        )+};
    }
    only!(
        customer_id = customer,
        team_id = team,
        virtual_key_id = virtual_key,
        provider = provider,
        model = model,
        outcome = outcome
    );
    query
}
