//! What limits cover, found by their ids alone.

use std::collections::HashMap;

use diesel::prelude::*;
use keyward_core::ids::LimitId;
use keyward_core::scope::{Scope, ScopeKind};

use super::super::search::CHUNK;
use super::super::{Conn, model_config};
use super::{LimitOwner, OwnerColumns};
use crate::error::StoreError;
use crate::schema::{budgets, rate_limits};

/// What each of these limits covers; one that is gone is not in the map.
pub(in super::super) fn scopes(c: &mut Conn, limits: &[&LimitId]) -> Result<HashMap<LimitId, Scope>, StoreError> {
    owners(c, limits)?.into_iter().map(|(id, owner)| Ok((id, scope(c, owner)?))).collect()
}

/// The owner of each of these limits.
pub(super) fn owners(c: &mut Conn, limits: &[&LimitId]) -> Result<Vec<(LimitId, LimitOwner)>, StoreError> {
    let mut owned: Vec<(String, OwnerColumns)> = Vec::new();
    for chunk in limits.chunks(CHUNK) {
        let ids: Vec<&str> = chunk.iter().map(|id| id.as_str()).collect();
        macro_rules! owners {
            ($table:ident) => {{
                let columns = (
                    $table::customer_id,
                    $table::team_id,
                    $table::virtual_key_id,
                    $table::provider_config_id,
                    $table::model_config_id,
                    $table::model_budget_id,
                );
                let theirs = $table::table.filter($table::id.eq_any(&ids)).select(($table::id, columns));
                owned.extend(theirs.load::<(String, OwnerColumns)>(c)?);
            }};
        }
        owners!(budgets);
        owners!(rate_limits);
    }
    owned.into_iter().map(|(id, columns)| Ok((id.into(), columns.owner()?))).collect()
}

fn scope(c: &mut Conn, owner: LimitOwner) -> Result<Scope, StoreError> {
    let (kind, id) = match owner {
        LimitOwner::Customer(id) => (ScopeKind::Customer, id),
        LimitOwner::Team(id) => (ScopeKind::Team, id),
        LimitOwner::VirtualKey(id) => (ScopeKind::VirtualKey, id),
        LimitOwner::ProviderConfig(id) => (ScopeKind::ProviderConfig, id.to_string()),
        LimitOwner::ModelBudget(id) => (ScopeKind::ModelBudget, id),
        // What a model config covers is for itself to say.
        LimitOwner::ModelConfig(id) => return Ok(model_config::get(c, &id.into())?.limit_scope()),
    };
    Ok(Scope { kind, id: id.into() })
}
