//! What each budget covers.

use std::collections::HashMap;

use diesel::prelude::*;
use keyward_core::authority::{Reach, Subject};
use keyward_core::budget::Budget;
use keyward_core::ids::{CustomerId, TeamId, VirtualKeyId};
use keyward_core::list::Page;
use keyward_core::model_config::EVERY_MODEL;
use keyward_core::permission::Access;
use keyward_core::usage::BudgetScope;

use super::super::search::CHUNK;
use super::super::{Conn, limit};
use crate::error::StoreError;
use crate::schema::{model_budgets, model_configs, provider_configs, teams, virtual_keys};

/// The budgets in reach, of the 10,000 oldest, each with what it covers.
pub(crate) fn budget_scopes(c: &mut Conn, reach: &Reach) -> Result<Vec<(Budget, BudgetScope)>, StoreError> {
    let budgets = limit::budgets(c, &Page::default())?.entries;
    let places = Places::of(c, &budgets)?;
    let scoped = budgets.into_iter().filter_map(|budget| {
        let scope = places.scope(&budget);
        places.is_in_reach(&scope, reach).then_some((budget, scope))
    });
    Ok(scoped.collect())
}

/// A virtual key, its provider and its model, where each is told.
type Place = (Option<String>, Option<String>, Option<String>);

/// Where the owners of budgets stand.
#[derive(Default)]
struct Places {
    provider_configs: HashMap<i64, Place>,
    model_configs: HashMap<String, Place>,
    model_budgets: HashMap<String, Place>,
    /// The team and the customer of virtual keys.
    keys: HashMap<String, (Option<String>, Option<String>)>,
    /// The customers of teams.
    teams: HashMap<String, Option<String>>,
}

macro_rules! load {
    ($c:ident, $table:ident, $ids:expr, $columns:expr) => {{
        let mut rows = Vec::new();
        for chunk in $ids.chunks(CHUNK) {
            rows.append(&mut $table::table.filter($table::id.eq_any(chunk)).select($columns).load($c)?);
        }
        rows
    }};
}

impl Places {
    fn of(c: &mut Conn, budgets: &[Budget]) -> Result<Self, StoreError> {
        let mut places = Self::default();
        let ids: Vec<String> =
            budgets.iter().filter_map(|one| one.model_budget_id.as_ref()).map(ToString::to_string).collect();
        let models: Vec<(String, i64, String)> =
            load!(c, model_budgets, ids, (model_budgets::id, model_budgets::provider_config_id, model_budgets::model));
        let own = budgets.iter().filter_map(|budget| budget.provider_config_id);
        let ids: Vec<i64> = own.chain(models.iter().map(|(_, config, _)| *config)).collect();
        let configs: Vec<(i64, String, String)> = load!(
            c,
            provider_configs,
            ids,
            (provider_configs::id, provider_configs::virtual_key_id, provider_configs::provider)
        );
        places.provider_configs =
            configs.into_iter().map(|(id, key, provider)| (id, (Some(key), Some(provider), None))).collect();
        for (id, config, model) in models {
            if let Some((key, provider, _)) = places.provider_configs.get(&config) {
                places.model_budgets.insert(id, (key.clone(), provider.clone(), Some(model)));
            }
        }
        let ids: Vec<String> =
            budgets.iter().filter_map(|one| one.model_config_id.as_ref()).map(ToString::to_string).collect();
        let configs: Vec<(String, Option<String>, Option<String>, String)> = load!(
            c,
            model_configs,
            ids,
            (model_configs::id, model_configs::virtual_key_id, model_configs::provider, model_configs::model_name)
        );
        places.model_configs = configs
            .into_iter()
            .map(|(id, key, provider, model)| (id, (key, provider, Some(model).filter(|name| name != EVERY_MODEL))))
            .collect();
        places.load_owners(c, budgets)?;
        Ok(places)
    }

    fn load_owners(&mut self, c: &mut Conn, budgets: &[Budget]) -> Result<(), StoreError> {
        let of_places =
            self.provider_configs.values().chain(self.model_configs.values()).filter_map(|(key, ..)| key.clone());
        let own = budgets.iter().filter_map(|budget| budget.virtual_key_id.as_ref()).map(ToString::to_string);
        let ids: Vec<String> = of_places.chain(own).collect();
        let keys: Vec<(String, Option<String>, Option<String>)> =
            load!(c, virtual_keys, ids, (virtual_keys::id, virtual_keys::team_id, virtual_keys::customer_id));
        let of_keys = keys.iter().filter_map(|(_, team, _)| team.clone());
        let own = budgets.iter().filter_map(|budget| budget.team_id.as_ref()).map(ToString::to_string);
        let ids: Vec<String> = of_keys.chain(own).collect();
        let teams: Vec<(String, Option<String>)> = load!(c, teams, ids, (teams::id, teams::customer_id));
        self.keys = keys.into_iter().map(|(id, team, customer)| (id, (team, customer))).collect();
        self.teams = teams.into_iter().collect();
        Ok(())
    }

    fn scope(&self, budget: &Budget) -> BudgetScope {
        let of_config = budget.provider_config_id.and_then(|id| self.provider_configs.get(&id));
        let of_model = budget.model_config_id.as_ref().and_then(|id| self.model_configs.get(id.as_str()));
        let of_model_budget = budget.model_budget_id.as_ref().and_then(|id| self.model_budgets.get(id.as_str()));
        let (key, provider, model) = of_config.or(of_model).or(of_model_budget).cloned().unwrap_or_default();
        BudgetScope {
            customer_id: budget.customer_id.clone(),
            team_id: budget.team_id.clone(),
            virtual_key_id: budget.virtual_key_id.clone().or(key.map(VirtualKeyId::from)),
            provider: provider.map(Into::into),
            model: model.map(Into::into),
        }
    }

    /// What is nobody's own is out of everybody's reach but the whole one.
    fn is_in_reach(&self, scope: &BudgetScope, reach: &Reach) -> bool {
        let customer_of = |team: &str| self.teams.get(team).cloned().flatten().map(CustomerId::from);
        let BudgetScope { customer_id, team_id, virtual_key_id, provider: _, model: _ } = scope;
        match (customer_id, team_id, virtual_key_id) {
            (Some(id), ..) => reach.permits(Access::Read, Subject::Customer(id)),
            (_, Some(id), _) => {
                reach.permits(Access::Read, Subject::Team { id, customer: customer_of(id.as_str()).as_ref() })
            }
            (_, _, Some(id)) => {
                let (team, customer) = self.keys.get(id.as_str()).cloned().unwrap_or_default();
                let above = team.as_deref().and_then(customer_of);
                let (team, customer) = (team.map(TeamId::from), customer.map(CustomerId::from).or(above));
                reach.permits(Access::Read, Subject::VirtualKey { team: team.as_ref(), customer: customer.as_ref() })
            }
            (None, None, None) => *reach == Reach::Everything,
        }
    }
}
