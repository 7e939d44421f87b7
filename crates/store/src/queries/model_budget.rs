//! Model budgets: limits of single models inside provider configs.

use std::collections::HashMap;

use diesel::prelude::*;
use keyward_core::ids::ModelBudgetId;
use keyward_core::limits::Limits;
use keyward_core::model_budget::ModelBudget;

use super::limit::{self, LimitOwner};
use super::search::CHUNK;
use super::{Conn, meter};
use crate::error::StoreError;
use crate::schema::model_budgets;

#[derive(Queryable, Selectable)]
#[diesel(table_name = model_budgets)]
struct ModelBudgetRow {
    id: String,
    provider_config_id: i64,
    model: String,
}

/// The model budgets of these provider configs, by provider config and in the order of their models.
pub(super) fn load(c: &mut Conn, configs: &[i64]) -> Result<HashMap<i64, Vec<ModelBudget>>, StoreError> {
    let mut rows: Vec<ModelBudgetRow> = Vec::new();
    for chunk in configs.chunks(CHUNK) {
        let query = model_budgets::table
            .filter(model_budgets::provider_config_id.eq_any(chunk.iter().copied()))
            .order(model_budgets::model)
            .select(ModelBudgetRow::as_select());
        rows.append(&mut query.load(c)?);
    }
    let owners: Vec<LimitOwner> = rows.iter().map(|row| LimitOwner::ModelBudget(row.id.clone())).collect();
    let mut limits = limit::load(c, &owners)?;
    let mut budgets: HashMap<i64, Vec<ModelBudget>> = HashMap::new();
    for (ModelBudgetRow { id, provider_config_id, model }, owner) in rows.into_iter().zip(owners) {
        let limits = limits.remove(&owner).unwrap_or_default();
        budgets.entry(provider_config_id).or_default().push(ModelBudget::new(id.into(), model.into(), limits));
    }
    Ok(budgets)
}

/// Makes the model budgets of a provider config what `after` says; those that go lose their counters.
pub(super) fn update(
    c: &mut Conn,
    config: i64,
    before: &[ModelBudget],
    after: &[ModelBudget],
) -> Result<(), StoreError> {
    for budget in before.iter().filter(|budget| find(after, &budget.id).is_none()) {
        meter::delete(c, budget.limits().ids())?;
        diesel::delete(model_budgets::table.find(budget.id.as_str())).execute(c)?;
    }
    for budget in after {
        let existing = find(before, &budget.id);
        match existing {
            Some(_) => diesel::update(model_budgets::table.find(budget.id.as_str()))
                .set(model_budgets::model.eq(budget.model.as_str()))
                .execute(c)?,
            None => diesel::insert_into(model_budgets::table)
                .values((
                    model_budgets::id.eq(budget.id.as_str()),
                    model_budgets::provider_config_id.eq(config),
                    model_budgets::model.eq(budget.model.as_str()),
                ))
                .execute(c)?,
        };
        let before = existing.map_or_else(Limits::default, ModelBudget::limits);
        limit::update(c, &LimitOwner::ModelBudget(budget.id.to_string()), &before, &budget.limits())?;
    }
    Ok(())
}

fn find<'a>(budgets: &'a [ModelBudget], id: &ModelBudgetId) -> Option<&'a ModelBudget> {
    budgets.iter().find(|budget| budget.id == *id)
}
