//! The virtual keys of a file. What they name of provider keys and MCP clients may be ids or names, and a value of theirs is the
//! file's to say.

use jiff::Timestamp;

use super::limits::{DeclaredLimits, LimitPatches, LimitRow};
use super::{Basis, Find, definition, full, full_budget, full_rate_limit, set};
use crate::allow_list::AllowList;
use crate::budget::BudgetInput;
use crate::ids::VirtualKeyId;
use crate::invalid::{Invalid, Pointer};
use crate::limits::{Edit, Limits};
use crate::model_budget::ModelBudgetInput;
use crate::patch::Patch;
use crate::provider_config::{ProviderConfig, ProviderConfigInput};
use crate::secret::VirtualKeyValue;
use crate::virtual_key::{
    CreateVirtualKey, McpConfigInput, UpdateVirtualKey, VirtualKey, VirtualKeyDraft, with_oldest_members,
};

/// A virtual key of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredVirtualKey {
    /// Its id.
    pub id: VirtualKeyId,
    /// Where it stands in the file.
    pub at: Pointer,
    /// Everything but its limits and those of its provider configs, its value and its expiry.
    pub request: CreateVirtualKey,
    /// Its value; none: a new key gets one, an existing one keeps its own.
    pub value: Option<VirtualKeyValue>,
    /// When it expires. That may have been: a file says the same for a long time.
    pub expires_at: Option<Timestamp>,
    /// Its limits.
    pub limits: DeclaredLimits,
    /// The limits of its provider configs, in their order.
    pub config_limits: Vec<DeclaredLimits>,
    /// Where its MCP configs stand, in their order.
    pub mcp_places: Vec<McpConfigPlace>,
}

/// Where an MCP config stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpConfigPlace {
    /// The MCP config.
    pub at: Pointer,
    /// What says which client it is about.
    pub client: Pointer,
}

impl DeclaredVirtualKey {
    /// The file's definition of it, without those of its limits.
    #[must_use]
    pub fn definition(&self) -> String {
        let limits: Vec<_> =
            std::iter::once(&self.limits).chain(&self.config_limits).map(DeclaredLimits::ids).collect();
        let value = self.value.as_ref().map(VirtualKeyValue::expose);
        definition(&("virtual_key", &self.id, &self.request, value, self.expires_at, limits))
    }

    /// What the file makes of `before`; none when it changes nothing. Its value is not in it. What `find` does not know
    /// stays as it is.
    ///
    /// # Errors
    /// What cannot be carried out, and where in the file it stands.
    pub fn edit(
        &self,
        before: Option<&VirtualKey>,
        find: Find<'_>,
        basis: Basis<'_>,
        edit: &mut Edit<'_>,
    ) -> Result<Option<VirtualKeyDraft>, Invalid> {
        let request = self.resolved(find);
        let edited = match before {
            None => self.made(request, edit).map(Some),
            Some(before) => self.edited(before, request, basis, edit),
        };
        edited.map_err(|invalid| self.locate(invalid))
    }

    /// The request with the ids of the provider keys, and the names of the MCP clients, that it names.
    fn resolved(&self, find: Find<'_>) -> CreateVirtualKey {
        let mut request = self.request.clone();
        let elements = request.provider_configs.iter_mut().flatten();
        let lists = elements.filter_map(|element| element.key_ids.as_mut());
        for key in lists.chain(&mut request.key_ids).flatten() {
            if let Some(id) = (find.provider_key)(key) {
                *key = id;
            }
        }
        for name in request.mcp_configs.iter_mut().flatten().filter_map(|element| element.mcp_client_name.as_mut()) {
            if let Some(found) = (find.mcp_client)(name) {
                *name = found;
            }
        }
        request
    }

    /// Which limits of the key the file declares, those of its provider configs included.
    #[must_use]
    pub fn rows(&self, key: &VirtualKey) -> Vec<LimitRow> {
        let mut rows = self.limits.rows(&key.limits());
        for config in &key.provider_configs {
            rows.extend(self.of_config(config).map(|limits| limits.rows(&config.limits())).unwrap_or_default());
        }
        rows
    }

    /// The same, said of the file instead of the request.
    #[must_use]
    pub fn locate(&self, invalid: Invalid) -> Invalid {
        let list = Pointer::from("provider_configs");
        let mut configs = self.config_limits.iter().enumerate();
        let in_config = configs.find_map(|(index, limits)| limits.place(&invalid.pointer, &list.element(index)));
        let in_config = in_config.or_else(|| self.in_mcp_config(&invalid.pointer));
        match in_config.or_else(|| self.limits.place(&invalid.pointer, &Pointer::ROOT)) {
            Some(pointer) => Invalid { pointer, ..invalid },
            None => invalid.under(&self.at),
        }
    }

    /// What `pointer` points to, if it lies in an MCP config of the request.
    fn in_mcp_config(&self, pointer: &Pointer) -> Option<Pointer> {
        let list = Pointer::from("mcp_configs");
        self.mcp_places.iter().enumerate().find_map(|(index, place)| {
            let inner = pointer.within(&list.element(index))?;
            let names_client = inner == Pointer::from("mcp_client_name");
            Some(if names_client { place.client.clone() } else { place.at.join(&inner) })
        })
    }

    fn elements(&self) -> impl Iterator<Item = (&ProviderConfigInput, &DeclaredLimits)> {
        self.request.provider_configs.iter().flatten().zip(&self.config_limits)
    }

    fn of_config(&self, config: &ProviderConfig) -> Option<&DeclaredLimits> {
        let mut elements = self.elements();
        elements.find(|(element, _)| element.provider.as_ref() == Some(&config.provider)).map(|(_, limits)| limits)
    }

    fn made(&self, request: CreateVirtualKey, edit: &mut Edit<'_>) -> Result<VirtualKeyDraft, Invalid> {
        let (budgets, rate_limit) = self.limits.create();
        let mut request = CreateVirtualKey { budgets, rate_limit, ..request };
        if let Some(elements) = &mut request.provider_configs {
            for (element, limits) in elements.iter_mut().zip(&self.config_limits) {
                (element.budgets, element.rate_limit) = limits.create();
            }
        }
        let mut draft = VirtualKeyDraft::create(request, edit)?;
        draft.id = self.id.clone();
        draft.expires_at = self.expires_at;
        self.name(&mut draft, None);
        Ok(draft)
    }

    fn edited(
        &self,
        before: &VirtualKey,
        request: CreateVirtualKey,
        basis: Basis<'_>,
        edit: &mut Edit<'_>,
    ) -> Result<Option<VirtualKeyDraft>, Invalid> {
        let replaces = basis.differs(&self.definition(), &before.config_hash);
        let request = with_oldest_members(request)?;
        let aligned = if replaces { request.calendar_aligned.unwrap_or(false) } else { before.calendar_aligned };
        let patches = self.limits.edit(&before.limits(), replaces, aligned, basis);
        let update = if replaces {
            let elements = self.replacements(&request, before, aligned, basis);
            replacement(request, elements, patches, aligned)
        } else {
            let elements = self.changed_limits(before, aligned, basis);
            if elements.is_none() && !patches.change_something() {
                return Ok(None);
            }
            UpdateVirtualKey {
                budgets: patches.budgets,
                rate_limit: patches.rate_limit,
                allow_all_providers: Some(before.allow_all_providers),
                provider_configs: elements.map_or(Patch::Absent, Patch::Value),
                ..UpdateVirtualKey::default()
            }
        };
        let mut draft = VirtualKeyDraft::update(before, update, edit)?;
        if replaces {
            draft.expires_at = self.expires_at;
        }
        self.name(&mut draft, Some(before));
        Ok(Some(draft))
    }

    /// The provider configs in full.
    fn replacements(
        &self,
        request: &CreateVirtualKey,
        before: &VirtualKey,
        aligned: bool,
        basis: Basis<'_>,
    ) -> Vec<ProviderConfigInput> {
        let none = DeclaredLimits::default();
        let elements = request.provider_configs.iter().flatten().enumerate();
        let replaced = elements.map(|(index, element)| {
            let mut existing = before.provider_configs.iter();
            let existing = existing.find(|config| Some(&config.provider) == element.provider.as_ref());
            let existing = existing.map(ProviderConfig::limits).unwrap_or_default();
            let limits = self.config_limits.get(index).unwrap_or(&none);
            full_config(element, limits.edit(&existing, true, aligned, basis), aligned)
        });
        // Those that only keys of the virtual key itself stand for go on, so that nothing is made anew.
        let attached = before.provider_configs.iter().filter(|config| {
            let named =
                request.provider_configs.iter().flatten().any(|one| one.provider.as_ref() == Some(&config.provider));
            let listed = config.keys.iter().any(|key| request.key_ids.iter().flatten().any(|id| *id == key.key_id));
            listed && !named
        });
        let attached = attached.map(|config| {
            let bare =
                ProviderConfigInput { provider: Some(config.provider.clone()), ..ProviderConfigInput::default() };
            full_config(&bare, none.edit(&config.limits(), true, aligned, basis), aligned)
        });
        replaced.chain(attached).collect()
    }

    /// The provider configs as they are, with those limits that the file has changed; none when it has changed none.
    fn changed_limits(&self, before: &VirtualKey, aligned: bool, basis: Basis<'_>) -> Option<Vec<ProviderConfigInput>> {
        let mut changes = false;
        let elements = before.provider_configs.iter().map(|config| {
            let mut element = ProviderConfigInput::kept(config.id);
            if let Some(limits) = self.of_config(config) {
                let patches = limits.edit(&config.limits(), false, aligned, basis);
                changes |= patches.change_something();
                (element.budgets, element.rate_limit) = (patches.budgets, patches.rate_limit);
            }
            element
        });
        let elements: Vec<_> = elements.collect();
        changes.then_some(elements)
    }

    /// Gives new limits the ids that the file has for them.
    fn name(&self, draft: &mut VirtualKeyDraft, before: Option<&VirtualKey>) {
        let own = before.map(VirtualKey::limits).unwrap_or_default();
        self.limits.name(&mut draft.limits, &own);
        for config in &mut draft.provider_configs {
            let mut elements = self.elements();
            let declared = elements.find(|(element, _)| element.provider.as_ref() == Some(&config.provider));
            let Some((_, declared)) = declared else { continue };
            let existing = before.iter().flat_map(|key| &key.provider_configs);
            let existing = existing.filter(|known| Some(known.id) == config.id).map(ProviderConfig::limits).next();
            declared.name(&mut config.limits, &existing.unwrap_or_else(Limits::default));
        }
    }
}

/// The request that leaves nothing of what was.
fn replacement(
    request: CreateVirtualKey,
    elements: Vec<ProviderConfigInput>,
    patches: LimitPatches,
    aligned: bool,
) -> UpdateVirtualKey {
    let unrestricted = request.provider_configs.is_none() && request.key_ids.is_none();
    UpdateVirtualKey {
        name: Patch::Value(request.name),
        description: Patch::Value(request.description),
        is_active: Some(request.is_active.unwrap_or(true)),
        allow_all_providers: Some(request.allow_all_providers.unwrap_or(unrestricted)),
        provider_configs: Patch::Value(elements),
        mcp_configs: Patch::Value(request.mcp_configs.into_iter().flatten().map(full_mcp_config).collect()),
        team_id: set(request.team_id),
        customer_id: set(request.customer_id),
        budget: Patch::Absent,
        budgets: patches.budgets,
        rate_limit: patches.rate_limit,
        max_parallel_requests: set(request.max_parallel_requests),
        key_ids: request.key_ids.map_or(Patch::Absent, Patch::Value),
        calendar_aligned: Some(aligned),
        expires_at: Patch::Absent,
        delete_after_expire: Some(request.delete_after_expire.unwrap_or(false)),
        disable_content_logging: full(request.disable_content_logging),
        metadata: Patch::Value(request.metadata),
        reset_budget_usage: None,
    }
}

/// An MCP config in full: what is absent is as in a new one.
fn full_mcp_config(element: McpConfigInput) -> McpConfigInput {
    let everything = || vec!["*".to_owned()];
    McpConfigInput { tools_to_execute: Some(element.tools_to_execute.unwrap_or_else(everything)), ..element }
}

/// A provider config in full: what is absent is as in a new one.
fn full_config(element: &ProviderConfigInput, patches: LimitPatches, aligned: bool) -> ProviderConfigInput {
    let weight = match &element.weight {
        Patch::Absent => Patch::Value(1.0),
        given @ (Patch::Null | Patch::Value(_)) => given.clone(),
    };
    let models = element.model_budgets.as_ref().value().into_iter().flatten();
    ProviderConfigInput {
        id: None,
        provider: element.provider.clone(),
        weight,
        allowed_models: Some(element.allowed_models.clone().unwrap_or_else(AllowList::everything)),
        blacklisted_models: Some(element.blacklisted_models.clone().unwrap_or_else(AllowList::nothing)),
        key_ids: Some(element.key_ids.clone().unwrap_or_else(|| vec!["*".into()])),
        budget: Patch::Absent,
        budgets: patches.budgets,
        rate_limit: patches.rate_limit,
        model_budgets: Patch::Value(models.map(|model| full_model_budget(model, aligned)).collect()),
    }
}

fn full_model_budget(model: &ModelBudgetInput, aligned: bool) -> ModelBudgetInput {
    let in_full = |budget: &BudgetInput| full_budget(budget, None, aligned);
    let one = model.budget.as_ref().value().map(in_full);
    let several = model.budgets.as_ref().value().map(|list| list.iter().map(in_full).collect());
    ModelBudgetInput {
        id: None,
        model: model.model.clone(),
        budget: Patch::Absent,
        budgets: Patch::Value(several.unwrap_or_else(|| one.into_iter().collect())),
        rate_limit: full(model.rate_limit.clone()).map(|limit| full_rate_limit(&limit, aligned)),
    }
}
