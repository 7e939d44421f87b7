//! The limits of models and providers of a file. One without an id is known by what it covers.

use super::limits::DeclaredLimits;
use super::{Basis, definition, set};
use crate::ids::{ModelConfigId, VirtualKeyId};
use crate::invalid::{Invalid, Pointer};
use crate::limits::{Edit, Limits};
use crate::model_config::{CreateModelConfig, ModelConfig, ModelConfigScope, ScopedKey, UpdateModelConfig};
use crate::patch::Patch;

/// A model config of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredModelConfig {
    /// Its id; none: it is known by what it covers.
    pub id: Option<ModelConfigId>,
    /// Where it stands in the file.
    pub at: Pointer,
    /// Everything but its limits.
    pub request: CreateModelConfig,
    /// Its limits.
    pub limits: DeclaredLimits,
}

impl DeclaredModelConfig {
    /// The file's definition of it, without those of its limits.
    #[must_use]
    pub fn definition(&self) -> String {
        definition(&("model_config", &self.id, &self.request, self.limits.ids()))
    }

    /// The virtual key that it is for, if it is for one.
    ///
    /// # Errors
    /// A scope that does not exist, or one that does not fit its id.
    pub fn virtual_key(&self) -> Result<Option<VirtualKeyId>, Invalid> {
        self.request.virtual_key().map_err(|invalid| self.locate(invalid))
    }

    /// Whether this is the model config that it declares.
    #[must_use]
    pub fn is(&self, config: &ModelConfig) -> bool {
        match &self.id {
            Some(id) => config.id == *id,
            None => {
                let provider = self.request.provider.as_ref().filter(|name| !name.as_str().is_empty());
                config.model_name.as_str() == self.request.model_name
                    && config.provider.as_ref() == provider
                    && self.request.virtual_key().is_ok_and(|key| key == config.scope_id)
            }
        }
    }

    /// What is wrong with it, taken for a new one.
    pub(super) fn fault(&self, edit: &mut Edit<'_>) -> Result<(), Invalid> {
        let key = self.virtual_key()?;
        let key = key.map(|id| ScopedKey { id, name: String::new(), calendar_aligned: false });
        self.made(key.as_ref(), edit).map(drop)
    }

    /// The model config that the file makes, for `key` if it is for one.
    ///
    /// # Errors
    /// What cannot be carried out, and where in the file it stands.
    pub fn made(&self, key: Option<&ScopedKey>, edit: &mut Edit<'_>) -> Result<ModelConfig, Invalid> {
        let (budgets, rate_limit) = self.limits.create();
        let request = CreateModelConfig { budgets, rate_limit, ..self.request.clone() };
        let made = request.build(key, edit).map_err(|invalid| self.locate(invalid))?;
        let mut limits = made.limits();
        self.limits.name(&mut limits, &Limits::default());
        let id = self.id.clone().unwrap_or_else(|| made.id.clone());
        Ok(ModelConfig { id, ..made }.with_limits(limits))
    }

    /// What the file makes of `before`; none when it changes nothing.
    ///
    /// # Errors
    /// What cannot be carried out, and where in the file it stands.
    pub fn edited(
        &self,
        before: &ModelConfig,
        basis: Basis<'_>,
        edit: &mut Edit<'_>,
    ) -> Result<Option<ModelConfig>, Invalid> {
        let replaces = basis.differs(&self.definition(), &before.config_hash);
        let aligned = match (replaces, before.scope) {
            (true, ModelConfigScope::Global) => self.request.calendar_aligned.unwrap_or(false),
            (true, ModelConfigScope::VirtualKey) => self.request.calendar_aligned.unwrap_or(before.calendar_aligned),
            (false, _) => before.calendar_aligned,
        };
        let patches = self.limits.edit(&before.limits(), replaces, aligned, basis);
        if !replaces && !patches.change_something() {
            return Ok(None);
        }
        let mut update = UpdateModelConfig {
            budgets: patches.budgets,
            rate_limit: patches.rate_limit,
            ..UpdateModelConfig::default()
        };
        if replaces {
            update.model_name = Patch::Value(self.request.model_name.clone());
            update.provider = set(self.request.provider.clone());
            update.scope = Some(self.request.scope.clone().unwrap_or_else(|| "global".to_owned()));
            update.scope_id = self.request.scope_id.clone();
            update.calendar_aligned = Some(aligned);
        }
        let edited = update.apply(before, edit).map_err(|invalid| self.locate(invalid))?;
        let mut limits = edited.limits();
        self.limits.name(&mut limits, &before.limits());
        Ok(Some(edited.with_limits(limits)))
    }

    /// The same, said of the file instead of the request.
    #[must_use]
    pub fn locate(&self, invalid: Invalid) -> Invalid {
        match self.limits.place(&invalid.pointer, &Pointer::ROOT) {
            Some(pointer) => Invalid { pointer, ..invalid },
            None => invalid.under(&self.at),
        }
    }
}
