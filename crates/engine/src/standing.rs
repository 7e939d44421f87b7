//! Where a virtual key stands: who is above it, how much of its limits is used, and which providers it offers a model at.
//!
//! This is what routing looks at. Nothing here admits anything, or holds.

use std::sync::Arc;

use jiff::Timestamp;
use keyward_core::ids::{CustomerId, ModelName, ProviderName, TeamId, VirtualKeyId};
use keyward_core::meter::Metric;

use crate::admit::Engine;
use crate::identity::Principal;
use crate::plan::LiveMeter;
use crate::policies::Owners;
use crate::policy::ConfigPolicy;

/// A virtual key and the owners above it, as far as they exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The virtual key.
    pub virtual_key_id: VirtualKeyId,
    /// Its name.
    pub virtual_key_name: Arc<str>,
    /// The team that it belongs to.
    pub team_id: Option<TeamId>,
    /// The team's name; empty without one.
    pub team_name: Arc<str>,
    /// The customer that it, or its team, belongs to.
    pub customer_id: Option<CustomerId>,
    /// The customer's name; empty without one.
    pub customer_name: Arc<str>,
}

/// What one meter reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// What it counts.
    pub metric: Metric,
    /// What is used in the current window.
    pub used: i64,
    /// The cap.
    pub cap: i64,
}

/// A provider that a virtual key may use a model at.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The provider.
    pub provider: ProviderName,
    /// Its share of the requests that name no provider; above zero.
    pub weight: f64,
    /// True when the provider config has the model by its name.
    pub names_model: bool,
}

impl Principal {
    /// The providers that may serve a model when the request names none; none: any provider may.
    #[must_use]
    pub fn choices(&self, model: &str) -> Option<Vec<Choice>> {
        self.choose(|config| config.allows(model), |config| config.names(model))
    }

    /// The providers that may serve what is about no model; none: any provider may.
    #[must_use]
    pub fn provider_choices(&self) -> Option<Vec<Choice>> {
        self.choose(|_| true, |_| false)
    }

    fn choose(
        &self,
        allows: impl Fn(&ConfigPolicy) -> bool,
        names: impl Fn(&ConfigPolicy) -> bool,
    ) -> Option<Vec<Choice>> {
        if self.policy.configs.is_empty() && self.policy.allow_all_providers {
            return None;
        }
        let allowing = self.policy.configs.iter().filter(|config| allows(config));
        let choices = allowing.filter_map(|config| {
            let weight = config.weight.filter(|weight| *weight > 0.0)?;
            Some(Choice { provider: config.provider.clone(), weight, names_model: names(config) })
        });
        Some(choices.collect())
    }
}

impl Engine {
    /// Who asks, and who is above.
    #[must_use]
    pub fn holder(&self, principal: &Principal) -> Holder {
        let Owners { team, customer } = self.core.policies.owners(&principal.policy);
        Holder {
            virtual_key_id: principal.policy.id.clone(),
            virtual_key_name: principal.policy.name.clone(),
            team_name: team.as_ref().map_or_else(|| "".into(), |(_, team)| team.name.clone()),
            team_id: team.map(|(id, _)| id),
            customer_name: customer.as_ref().map_or_else(|| "".into(), |(_, customer)| customer.name.clone()),
            customer_id: customer.map(|(id, _)| id),
        }
    }

    /// What every meter reads that covers a request of the virtual key for the model at the provider.
    #[must_use]
    pub fn readings(
        &self,
        principal: &Principal,
        provider: &ProviderName,
        model: &ModelName,
        now: Timestamp,
    ) -> Vec<Reading> {
        let owners = self.core.policies.owners(&principal.policy);
        let above = owners.meters().chain(&principal.policy.meters).map(|live| reading(live, now));
        let mut all: Vec<Reading> = above.collect();
        self.of_place(principal, provider, model, |live| all.push(reading(live, now)));
        all
    }

    /// True unless a limit of the model or of the provider is used up: one that another provider may not be under.
    #[must_use]
    pub fn has_room(&self, principal: &Principal, provider: &ProviderName, model: &ModelName, now: Timestamp) -> bool {
        let mut has_room = true;
        self.of_place(principal, provider, model, |live| {
            let Reading { used, cap, metric: _ } = reading(live, now);
            has_room &= used < cap;
        });
        has_room
    }

    /// The meters that cover the model at the provider, beside those of the virtual key and of the owners above.
    fn of_place(
        &self,
        principal: &Principal,
        provider: &ProviderName,
        model: &ModelName,
        mut each: impl FnMut(&LiveMeter),
    ) {
        let policy = &principal.policy;
        self.core.policies.of_models(&policy.id, provider, model).iter().for_each(&mut each);
        let configs = policy.configs.iter().filter(|config| config.provider == *provider);
        configs.flat_map(|config| config.covering(model)).for_each(each);
    }
}

fn reading(live: &LiveMeter, now: Timestamp) -> Reading {
    let level = live.level(now);
    Reading { metric: live.meter.id.metric, used: level.used, cap: level.cap }
}
