//! Model configs as admission asks for them: by what they cover, with a fixed number of look-ups whatever their number.

use std::sync::Arc;

use keyward_core::ids::{ModelConfigId, ModelName, ProviderName, VirtualKeyId};
use keyward_core::model_config::ModelConfig;
use papaya::HashMap;

use crate::policy::Meters;

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
pub(crate) struct ModelPolicies {
    meters: HashMap<Covered, Arc<Meters>>,
    covered: HashMap<ModelConfigId, Covered>,
}

impl ModelPolicies {
    /// The meters of every model config that covers a request: a cap holds however much more specific another one is.
    pub(crate) fn covering(&self, key: &VirtualKeyId, provider: &ProviderName, model: &ModelName) -> Meters {
        let all = self.meters.pin();
        let mut found = Meters::new();
        if all.is_empty() {
            return found;
        }
        for virtual_key in [None, Some(key)] {
            for (model, provider) in
                [(Some(model), Some(provider)), (Some(model), None), (None, Some(provider)), (None, None)]
            {
                let covered =
                    Covered { virtual_key: virtual_key.cloned(), model: model.cloned(), provider: provider.cloned() };
                found.extend(all.get(&covered).into_iter().flat_map(|meters| meters.iter()).cloned());
            }
        }
        found
    }

    /// Sets the meters of a model config, and gives those that it had.
    pub(crate) fn put(&self, config: &ModelConfig, meters: Meters) -> Option<Arc<Meters>> {
        let covered = Covered::of(config);
        let before = self.covered.pin().insert(config.id.clone(), covered.clone()).cloned();
        let replaced = self.meters.pin().insert(covered.clone(), Arc::new(meters)).cloned();
        // The new place is taken before the old one is left, so that no request slips through in between.
        match before.filter(|before| *before != covered) {
            Some(left) => self.meters.pin().remove(&left).cloned(),
            None => replaced,
        }
    }

    /// Removes a model config, and gives the meters that it had.
    pub(crate) fn remove(&self, id: &ModelConfigId) -> Option<Arc<Meters>> {
        let covered = self.covered.pin().remove(id).cloned()?;
        self.meters.pin().remove(&covered).cloned()
    }

    /// Removes the model configs that are for a virtual key, and gives the meters that they had.
    pub(crate) fn remove_of_key(&self, key: &VirtualKeyId) -> Vec<Arc<Meters>> {
        let covered = self.covered.pin();
        let theirs = covered.iter().filter(|(_, covered)| covered.virtual_key.as_ref() == Some(key));
        let ids: Vec<ModelConfigId> = theirs.map(|(id, _)| id.clone()).collect();
        ids.iter().filter_map(|id| self.remove(id)).collect()
    }
}
