//! What a request makes of a provider config: the checked, full desired state.

use super::{ProviderConfig, ProviderConfigInput};
use crate::allow_list::AllowList;
use crate::ids::{ProviderKeyId, ProviderName};
use crate::invalid::{Invalid, Pointer};
use crate::limits::{Alignment, Edit, Limits, LimitsInput};
use crate::model_budget::{self, ModelBudget, ModelBudgetInput};
use crate::name::check_bare_model;
use crate::patch::Patch;

/// Which keys of a provider may serve a virtual key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyAccess {
    /// Every key of the provider.
    All,
    /// These keys; none when empty.
    Only(Vec<ProviderKeyId>),
}

impl KeyAccess {
    /// Whether this key may serve.
    #[must_use]
    pub fn allows(&self, id: &ProviderKeyId) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(id),
        }
    }
}

/// A provider config as it shall be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderConfigDraft {
    /// The existing provider config that it continues.
    pub id: Option<i64>,
    /// The provider.
    pub provider: ProviderName,
    /// The share of requests that name no provider.
    pub weight: Option<f64>,
    /// The models that may be used.
    pub allowed_models: AllowList,
    /// The models that may not be used.
    pub blacklisted_models: AllowList,
    /// Which provider keys may serve.
    pub keys: KeyAccess,
    /// The provider config's own limits.
    pub limits: Limits,
    /// The limits of single models.
    pub model_budgets: Vec<ModelBudget>,
}

impl ProviderConfigDraft {
    /// A config for `provider` that restricts nothing but the keys that may serve.
    #[must_use]
    pub fn for_keys(provider: ProviderName, keys: Vec<ProviderKeyId>) -> Self {
        Self {
            id: None,
            provider,
            weight: Some(1.0),
            allowed_models: AllowList::everything(),
            blacklisted_models: AllowList::nothing(),
            keys: KeyAccess::Only(keys),
            limits: Limits::default(),
            model_budgets: Vec::new(),
        }
    }

    pub(crate) fn new(
        existing: &[ProviderConfig],
        named: &[i64],
        element: ProviderConfigInput,
        alignment: Alignment,
        at: &Pointer,
        edit: &mut Edit<'_>,
    ) -> Result<Self, Invalid> {
        let existing = continued(existing, named, &element, at)?;
        let provider = element
            .provider
            .filter(|name| !name.as_str().is_empty())
            .or(existing.map(|config| config.provider.clone()))
            .ok_or_else(|| Invalid::at(at.member("provider"), "provider name is required"))?;
        let limits = existing.map(ProviderConfig::limits).unwrap_or_default().edited(
            &LimitsInput {
                budget: &element.budget,
                budgets: &element.budgets,
                rate_limit: &element.rate_limit,
                alignment,
                at,
            },
            edit,
        )?;
        let draft = Self {
            id: existing.map(|config| config.id),
            provider,
            weight: weight(&element.weight, existing, at)?,
            allowed_models: element
                .allowed_models
                .or(existing.map(|config| config.allowed_models.clone()))
                .unwrap_or_else(AllowList::everything),
            blacklisted_models: element
                .blacklisted_models
                .or(existing.map(|config| config.blacklisted_models.clone()))
                .unwrap_or_else(AllowList::nothing),
            keys: element
                .key_ids
                .map(|ids| key_access(ids, at))
                .transpose()?
                .or(existing.map(ProviderConfig::key_access))
                .unwrap_or(KeyAccess::All),
            limits,
            model_budgets: model_budgets(existing, &element.model_budgets, alignment, at, edit)?,
        };
        draft.check_models(at)?;
        Ok(draft)
    }

    /// Makes sure that each model is named as requests are asked about it.
    fn check_models(&self, at: &Pointer) -> Result<(), Invalid> {
        let allowed = self.allowed_models.names().map(|model| ("allowed_models", model));
        let blocked = self.blacklisted_models.names().map(|model| ("blacklisted_models", model));
        let limited = self.model_budgets.iter().map(|budget| ("model_budgets", budget.model.as_str()));
        let mut all = allowed.chain(blocked).chain(limited);
        all.try_for_each(|(member, model)| check_bare_model(&at.member(member), &self.provider, model))
    }
}

/// The limits of single models after the request; a setting of the owner's calendar reaches those that it does not mention.
fn model_budgets(
    existing: Option<&ProviderConfig>,
    patch: &Patch<Vec<ModelBudgetInput>>,
    alignment: Alignment,
    at: &Pointer,
    edit: &mut Edit<'_>,
) -> Result<Vec<ModelBudget>, Invalid> {
    let existing = existing.map(|config| config.model_budgets.as_slice()).unwrap_or_default();
    let at = at.member("model_budgets");
    let kept: Vec<ModelBudgetInput>;
    let elements = match patch {
        Patch::Absent => {
            kept = existing.iter().map(|budget| ModelBudgetInput::kept(budget.id.clone())).collect();
            &kept
        }
        Patch::Null => return Ok(Vec::new()),
        Patch::Value(elements) => elements,
    };
    model_budget::edited(existing, elements, alignment, &at, edit)
}

/// The existing config that an element means: by its id, else by its provider, so that sending the same set again refills
/// nothing. A config that another element names by its id is that one's.
fn continued<'a>(
    existing: &'a [ProviderConfig],
    named: &[i64],
    element: &ProviderConfigInput,
    at: &Pointer,
) -> Result<Option<&'a ProviderConfig>, Invalid> {
    let Some(id) = element.id else {
        let free = existing.iter().filter(|config| !named.contains(&config.id));
        return Ok(free.into_iter().find(|config| Some(&config.provider) == element.provider.as_ref()));
    };
    let found = existing.iter().find(|config| config.id == id);
    found.map(Some).ok_or_else(|| {
        let message = format!("provider config {id} does not belong to this virtual key");
        Invalid::at(at.member("id"), message)
    })
}

impl ProviderConfigInput {
    /// An element that changes nothing of the provider config `id`.
    pub(crate) fn kept(id: i64) -> Self {
        Self { id: Some(id), ..Self::default() }
    }
}

fn weight(patch: &Patch<f64>, existing: Option<&ProviderConfig>, at: &Pointer) -> Result<Option<f64>, Invalid> {
    match patch {
        Patch::Absent => Ok(existing.map_or(Some(1.0), |config| config.weight)),
        Patch::Null => Ok(None),
        Patch::Value(weight) if weight.is_finite() && !weight.is_sign_negative() => Ok(Some(*weight)),
        Patch::Value(_) => Err(Invalid::at(at.member("weight"), "weight cannot be negative")),
    }
}

fn key_access(ids: Vec<ProviderKeyId>, at: &Pointer) -> Result<KeyAccess, Invalid> {
    let wildcard = ids.iter().any(|id| id.as_str() == "*");
    match (wildcard, ids.len()) {
        (true, 1) => Ok(KeyAccess::All),
        (true, _) => {
            Err(Invalid::at(at.member("key_ids"), "wildcard '*' cannot be used with other values in the whitelist"))
        }
        (false, _) => Ok(KeyAccess::Only(distinct(ids))),
    }
}

fn distinct(ids: Vec<ProviderKeyId>) -> Vec<ProviderKeyId> {
    let mut distinct = Vec::with_capacity(ids.len());
    for id in ids {
        if !distinct.contains(&id) {
            distinct.push(id);
        }
    }
    distinct
}
