//! Model budgets: limits of one model inside one provider config.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::{Budget, BudgetInput};
use crate::ids::{LimitId, ModelBudgetId, ModelName};
use crate::invalid::{Invalid, Pointer};
use crate::limits::{Alignment, Edit, Limits, LimitsInput};
use crate::model_config::EVERY_MODEL;
use crate::name::check_model_name;
use crate::patch::Patch;
use crate::rate_limit::{RateLimit, RateLimitInput};
use crate::scope::{Scope, ScopeKind};

/// Limits of one model inside one provider config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelBudget {
    /// Identifies the model budget.
    #[schema(value_type = String)]
    pub id: ModelBudgetId,
    /// The model as the provider calls it.
    #[schema(value_type = String)]
    pub model: ModelName,
    /// The id of `budget`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub budget_id: Option<LimitId>,
    /// The budget with the shortest window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub budget: Option<Budget>,
    /// All budgets, shortest window first.
    pub budgets: Vec<Budget>,
    /// The id of `rate_limit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rate_limit_id: Option<LimitId>,
    /// Caps on tokens and requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rate_limit: Option<RateLimit>,
}

impl ModelBudget {
    /// A model budget with these limits.
    #[must_use]
    pub fn new(id: ModelBudgetId, model: ModelName, limits: Limits) -> Self {
        let none = Self {
            id,
            model,
            budget_id: None,
            budget: None,
            budgets: Vec::new(),
            rate_limit_id: None,
            rate_limit: None,
        };
        none.with_limits(limits)
    }

    /// Its own limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { budgets: self.budgets.clone(), rate_limit: self.rate_limit.clone() }
    }

    /// What its limits cover, as refusals name it.
    #[must_use]
    pub fn limit_scope(&self) -> Scope {
        Scope { kind: ScopeKind::ModelBudget, id: self.id.as_str().into() }
    }

    /// The same with these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.budget = limits.budgets.first().cloned();
        self.budget_id = self.budget.as_ref().map(|budget| budget.id.clone());
        self.rate_limit_id = limits.rate_limit.as_ref().map(|rate_limit| rate_limit.id.clone());
        self.budgets = limits.budgets;
        self.rate_limit = limits.rate_limit;
        self
    }
}

/// A model budget as requests give it. One with the `id` or the model of an existing one edits that: what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelBudgetInput {
    /// The existing model budget that is meant, on update.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub id: Option<ModelBudgetId>,
    /// The model as the provider calls it. Required in a new model budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub model: Option<ModelName>,
    /// One budget; excludes `budgets`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<BudgetInput>)]
    pub budget: Patch<BudgetInput>,
    /// Budgets with different durations; excludes `budget`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<BudgetInput>>)]
    pub budgets: Patch<Vec<BudgetInput>>,
    /// Caps on tokens and requests.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<RateLimitInput>)]
    pub rate_limit: Patch<RateLimitInput>,
}

impl ModelBudgetInput {
    /// An element that changes nothing of the model budget `id`.
    pub(crate) fn kept(id: ModelBudgetId) -> Self {
        Self { id: Some(id), ..Self::default() }
    }
}

/// The model budgets that `elements` ask for, given those that exist. Those that no element means are gone.
pub(crate) fn edited(
    existing: &[ModelBudget],
    elements: &[ModelBudgetInput],
    alignment: Alignment,
    at: &Pointer,
    edit: &mut Edit<'_>,
) -> Result<Vec<ModelBudget>, Invalid> {
    let named: Vec<&ModelBudgetId> = elements.iter().filter_map(|element| element.id.as_ref()).collect();
    let mut budgets: Vec<ModelBudget> = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let at = at.element(index);
        let continued = continued(existing, &named, element, &at)?;
        let budget = edited_one(continued, element, alignment, &at, edit)?;
        if budgets.iter().any(|other| other.model == budget.model) {
            return Err(Invalid::at(at.member("model"), format!("duplicate model budget for model {}", budget.model)));
        }
        if budgets.iter().any(|other| other.id == budget.id) {
            return Err(Invalid::at(at.member("id"), format!("model budget {} stands in the list twice", budget.id)));
        }
        budgets.push(budget);
    }
    budgets.sort_by(|one, other| one.model.cmp(&other.model));
    Ok(budgets)
}

/// The existing model budget that an element means: by its id, else by its model, so that sending the same set again refills
/// nothing. One that another element names by its id is that one's.
fn continued<'a>(
    existing: &'a [ModelBudget],
    named: &[&ModelBudgetId],
    element: &ModelBudgetInput,
    at: &Pointer,
) -> Result<Option<&'a ModelBudget>, Invalid> {
    let Some(id) = &element.id else {
        let mut free = existing.iter().filter(|budget| !named.contains(&&budget.id));
        return Ok(free.find(|budget| Some(&budget.model) == element.model.as_ref()));
    };
    let found = existing.iter().find(|budget| budget.id == *id);
    found.map(Some).ok_or_else(|| {
        let message = format!("model budget {id} does not belong to this provider config");
        Invalid::at(at.member("id"), message)
    })
}

fn edited_one(
    existing: Option<&ModelBudget>,
    element: &ModelBudgetInput,
    alignment: Alignment,
    at: &Pointer,
    edit: &mut Edit<'_>,
) -> Result<ModelBudget, Invalid> {
    let model = element.model.clone().or(existing.map(|budget| budget.model.clone())).unwrap_or_else(|| "".into());
    check_model_name(&at.member("model"), model.as_str())?;
    if model.as_str() == EVERY_MODEL {
        let message = "a model budget is for one model; limits of every model belong to the provider config";
        return Err(Invalid::at(at.member("model"), message));
    }
    let limits = existing.map(ModelBudget::limits).unwrap_or_default().edited(
        &LimitsInput {
            budget: &element.budget,
            budgets: &element.budgets,
            rate_limit: &element.rate_limit,
            alignment,
            at,
        },
        edit,
    )?;
    let id = existing.map_or_else(|| (edit.mint)().into(), |budget| budget.id.clone());
    Ok(ModelBudget::new(id, model, limits))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn edit(existing: &[ModelBudget], json: &str) -> Result<Vec<ModelBudget>, (String, String)> {
        let elements: Vec<ModelBudgetInput> = serde_json::from_str(json).unwrap();
        let mut next = u128::try_from(existing.len()).unwrap() * 100;
        let mint = &mut || {
            next += 1;
            Uuid::from_u128(next)
        };
        let edit = &mut Edit { now: Timestamp::UNIX_EPOCH, mint };
        edited(existing, &elements, Alignment::default(), &"model_budgets".into(), edit)
            .map_err(|invalid| (invalid.pointer.to_string(), invalid.message))
    }

    fn limits(budgets: &[ModelBudget]) -> Vec<(&str, &str)> {
        budgets.iter().map(|budget| (budget.model.as_str(), budget.budgets[0].id.as_str())).collect()
    }

    const TWO: &str = r#"[{"model":"b","budget":{"max_limit":1,"reset_duration":"1d"}},
                          {"model":"a","budget":{"max_limit":2,"reset_duration":"1d"}}]"#;

    #[test]
    fn an_element_continues_by_its_id_else_by_its_model() {
        let two = edit(&[], TWO).unwrap();
        assert_eq!(edit(&two, TWO).unwrap(), two, "the same set again changes nothing");
        let before = limits(&two);
        let renamed = edit(&two, &format!(r#"[{{"id":"{}","model":"c"}},{{"model":"b"}}]"#, two[0].id)).unwrap();
        assert_eq!(limits(&renamed), [("b", before[1].1), ("c", before[0].1)]);
        assert_eq!(edit(&two, "[]").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let two = edit(&[], TWO).unwrap();
        for (json, at) in [
            (r#"[{}]"#, "/model_budgets/0/model"),
            (r#"[{"model":"*"}]"#, "/model_budgets/0/model"),
            (r#"[{"model":"gpt-*"}]"#, "/model_budgets/0/model"),
            (r#"[{"model":"a"},{"model":"a"}]"#, "/model_budgets/1/model"),
            (r#"[{"id":"nobody's"}]"#, "/model_budgets/0/id"),
            (r#"[{"model":"a","budget":{"max_limit":0}}]"#, "/model_budgets/0/budget/max_limit"),
        ] {
            assert_eq!(edit(&two, json).unwrap_err().0, at, "{json}");
        }
    }
}
