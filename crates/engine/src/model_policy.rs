//! Model configs as admission asks for them: by what they cover, with a fixed number of look-ups whatever their number.

use std::collections::HashMap;
use std::sync::PoisonError;

use keyward_core::ids::{ModelConfigId, ModelName, ProviderName, VirtualKeyId};
use keyward_core::model_config::ModelConfig;

use crate::plan::LiveMeter;
use crate::policy::Meters;
use crate::sync::{RwLock, RwLockWriteGuard};

/// What a model config covers; none is any.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Covered {
    virtual_key: Option<VirtualKeyId>,
    model: Option<ModelName>,
    provider: Option<ProviderName>,
}

impl Covered {
    fn of(config: &ModelConfig) -> Self {
        Self {
            virtual_key: config.scope_id.clone(),
            model: (!config.is_every_model()).then(|| config.model_name.clone()),
            provider: config.provider.clone(),
        }
    }
}

/// The meters of every model config. Edits happen one at a time: the caller sees to that.
#[derive(Debug, Default)]
pub(crate) struct ModelPolicies(RwLock<Index>);

/// Both ways to find a model config. Under one lock: a request sees each in exactly one place, also while one moves.
#[derive(Debug, Default)]
struct Index {
    meters: HashMap<Covered, Meters>,
    covered: HashMap<ModelConfigId, Covered>,
}

impl ModelPolicies {
    /// The meters of every model config that covers a request: a cap holds however much more specific another one is.
    pub(crate) fn covering(&self, key: &VirtualKeyId, provider: &ProviderName, model: &ModelName) -> Vec<LiveMeter> {
        let index = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        if index.meters.is_empty() {
            return found;
        }
        for virtual_key in [None, Some(key)] {
            for (model, provider) in
                [(Some(model), Some(provider)), (Some(model), None), (None, Some(provider)), (None, None)]
            {
                let covered =
                    Covered { virtual_key: virtual_key.cloned(), model: model.cloned(), provider: provider.cloned() };
                found.extend(index.meters.get(&covered).into_iter().flat_map(|meters| meters.iter()).cloned());
            }
        }
        found
    }

    /// Sets the meters of a model config, and gives those that it had.
    pub(crate) fn put(&self, config: &ModelConfig, meters: Meters) -> Option<Meters> {
        let mut index = self.edit();
        let covered = Covered::of(config);
        let before = index.covered.insert(config.id.clone(), covered.clone());
        let left = before.and_then(|before| index.meters.remove(&before));
        let replaced = index.meters.insert(covered, meters);
        left.or(replaced)
    }

    /// Removes a model config, and gives the meters that it had.
    pub(crate) fn remove(&self, id: &ModelConfigId) -> Option<Meters> {
        self.edit().remove(id)
    }

    /// Removes the model configs that are for a virtual key, and gives the meters that they had.
    pub(crate) fn remove_of_key(&self, key: &VirtualKeyId) -> Vec<Meters> {
        let mut index = self.edit();
        let theirs = index.covered.iter().filter(|(_, covered)| covered.virtual_key.as_ref() == Some(key));
        let ids: Vec<ModelConfigId> = theirs.map(|(id, _)| id.clone()).collect();
        ids.iter().filter_map(|id| index.remove(id)).collect()
    }

    fn edit(&self) -> RwLockWriteGuard<'_, Index> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn remove(&mut self, id: &ModelConfigId) -> Option<Meters> {
        let covered = self.covered.remove(id)?;
        self.meters.remove(&covered)
    }
}
