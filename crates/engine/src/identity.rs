//! Identity before money: who asks, and what they may ask for. Nothing here looks at a meter.

use std::sync::Arc;

use jiff::Timestamp;
use keyward_core::ids::{ModelName, ProviderName, VirtualKeyId};
use keyward_core::provider_config::KeyAccess;
use keyward_core::refusal::Refusal;

use crate::policy::{ConfigPolicy, KeyPolicy};

/// A known, active, unexpired virtual key.
#[derive(Debug, Clone)]
pub struct Principal {
    pub(crate) policy: Arc<KeyPolicy>,
}

impl Principal {
    /// The virtual key, as far as it may ask at all.
    pub(crate) fn of(policy: Option<Arc<KeyPolicy>>, now: Timestamp) -> Result<Self, Refusal> {
        let policy = policy.ok_or(Refusal::UnknownKey)?;
        if !policy.is_active {
            return Err(Refusal::KeyInactive);
        }
        if policy.has_expired(now) {
            return Err(Refusal::KeyExpired);
        }
        Ok(Self { policy })
    }

    /// True when the virtual key itself wants what it sends and gets to be logged.
    #[must_use]
    pub fn logs_content(&self) -> bool {
        self.policy.logs_content
    }

    /// Asks to use a model of a provider.
    ///
    /// # Errors
    /// When the virtual key may not use the provider or the model.
    pub fn permit(self, provider: ProviderName, model: ModelName) -> Result<Permit, Refusal> {
        let config = self.config(&provider);
        match &config {
            None if !self.policy.allow_all_providers => Err(Refusal::ProviderBlocked(provider)),
            Some(config) if !config.allows(model.as_str()) => Err(Refusal::ModelBlocked { provider, model }),
            None | Some(_) => Ok(Permit { principal: self, config, provider, model }),
        }
    }

    /// Asks to use a provider for what is about no model, such as a file. Limits on all models cover it, limits on one do not.
    ///
    /// # Errors
    /// When the virtual key may not use the provider.
    pub fn permit_provider(self, provider: ProviderName) -> Result<Permit, Refusal> {
        let config = self.config(&provider);
        if config.is_none() && !self.policy.allow_all_providers {
            return Err(Refusal::ProviderBlocked(provider));
        }
        Ok(Permit { principal: self, config, provider, model: "".into() })
    }

    /// The virtual key.
    #[must_use]
    pub fn virtual_key_id(&self) -> &VirtualKeyId {
        &self.policy.id
    }

    pub(crate) fn config(&self, provider: &ProviderName) -> Option<Arc<ConfigPolicy>> {
        self.policy.configs.iter().find(|config| config.provider == *provider).cloned()
    }
}

/// The right of a virtual key to use one model of one provider, as far as limits allow.
#[derive(Debug)]
pub struct Permit {
    pub(crate) principal: Principal,
    pub(crate) config: Option<Arc<ConfigPolicy>>,
    pub(crate) provider: ProviderName,
    pub(crate) model: ModelName,
}

impl Permit {
    /// Which keys of the provider may serve.
    #[must_use]
    pub fn key_access(&self) -> &KeyAccess {
        self.config.as_ref().map_or(&KeyAccess::All, |config| &config.keys)
    }

    /// The virtual key that has the right.
    #[must_use]
    pub fn virtual_key_id(&self) -> &VirtualKeyId {
        &self.principal.policy.id
    }

    /// True when the virtual key itself wants what it sends and gets to be logged.
    #[must_use]
    pub fn logs_content(&self) -> bool {
        self.principal.logs_content()
    }

    /// The provider.
    #[must_use]
    pub const fn provider(&self) -> &ProviderName {
        &self.provider
    }

    /// The model.
    #[must_use]
    pub const fn model(&self) -> &ModelName {
        &self.model
    }
}
