//! Whose limits are, so that the way to their owners can be shown.

use std::collections::HashMap;

use diesel::prelude::*;
use keyward_core::ids::LimitId;

use super::super::Conn;
use super::LimitOwner;
use super::scope::owners;
use crate::error::StoreError;
use crate::schema::{model_budgets, provider_configs};
use crate::store::LimitHolder;

/// Who holds each of these limits; one that is gone is not in the map.
pub(crate) fn holders(c: &mut Conn, limits: &[LimitId]) -> Result<HashMap<LimitId, LimitHolder>, StoreError> {
    let owned = owners(c, &Vec::from_iter(limits))?;
    owned.into_iter().map(|(id, owner)| Ok((id, holder(c, owner)?))).collect()
}

fn holder(c: &mut Conn, owner: LimitOwner) -> Result<LimitHolder, StoreError> {
    Ok(match owner {
        LimitOwner::Customer(id) => LimitHolder::Customer(id.into()),
        LimitOwner::Team(id) => LimitHolder::Team(id.into()),
        LimitOwner::VirtualKey(id) => LimitHolder::VirtualKey(id.into()),
        LimitOwner::ModelConfig(id) => LimitHolder::ModelConfig(id.into()),
        LimitOwner::ProviderConfig(id) => of_config(c, id, None)?,
        LimitOwner::ModelBudget(id) => {
            let columns = (model_budgets::provider_config_id, model_budgets::model);
            let (config, model) = model_budgets::table.find(id).select(columns).first(c)?;
            of_config(c, config, Some(model))?
        }
    })
}

fn of_config(c: &mut Conn, id: i64, model: Option<String>) -> Result<LimitHolder, StoreError> {
    let columns = (provider_configs::virtual_key_id, provider_configs::provider);
    let (key, provider): (String, String) = provider_configs::table.find(id).select(columns).first(c)?;
    Ok(LimitHolder::ProviderConfig { virtual_key: key.into(), provider: provider.into(), model: model.map(Into::into) })
}
