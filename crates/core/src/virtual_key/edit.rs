//! What a request makes of a virtual key: the checked, full desired state.

use std::num::NonZeroU32;
use std::ops::Not;

use jiff::Timestamp;

use super::mcp_config::{self, McpConfigDraft};
use super::requests::{CreateVirtualKey, UpdateVirtualKey};
use super::{Metadata, VirtualKey};
use crate::expiry::expiry;
use crate::ids::{CustomerId, ProviderKeyId, TeamId, VirtualKeyId};
use crate::invalid::{Invalid, Pointer};
use crate::limits::{Alignment, Edit, Limits, LimitsInput, ResetUsage};
use crate::name::check_name;
use crate::patch::Patch;
use crate::provider_config::{ProviderConfig, ProviderConfigDraft, ProviderConfigInput};

/// A virtual key as it shall be stored. References to other things are not checked yet.
#[derive(Debug, Clone, PartialEq)]
pub struct VirtualKeyDraft {
    /// Identifies the key.
    pub id: VirtualKeyId,
    /// A name for people.
    pub name: String,
    /// What the key is for.
    pub description: String,
    /// Whether the gateway accepts the key.
    pub is_active: bool,
    /// Whether providers without a provider config may be used.
    pub allow_all_providers: bool,
    /// The team that the key belongs to.
    pub team_id: Option<TeamId>,
    /// The customer that the key belongs to.
    pub customer_id: Option<CustomerId>,
    /// How many of the key's requests may run at the same time.
    pub max_parallel_requests: Option<NonZeroU32>,
    /// The key's own limits.
    pub limits: Limits,
    /// What the key may do at single providers.
    pub provider_configs: Vec<ProviderConfigDraft>,
    /// Which MCP clients and tools the key may use.
    pub mcp_configs: Vec<McpConfigDraft>,
    /// Provider keys to attach to the provider config of whatever provider they belong to.
    pub key_ids: Option<Vec<ProviderKeyId>>,
    /// Whether new limits follow the calendar.
    pub calendar_aligned: bool,
    /// When the key expires.
    pub expires_at: Option<Timestamp>,
    /// Whether the server deletes the key when it has expired.
    pub delete_after_expire: bool,
    /// Whether contents shall not be logged, if the request said so.
    pub disable_content_logging: Option<bool>,
    /// Labels.
    pub metadata: Metadata,
    /// Whether what the budgets have counted in their current windows is taken off.
    pub reset_budget_usage: ResetUsage,
    /// When the key was made.
    pub created_at: Timestamp,
    /// When it is edited.
    pub updated_at: Timestamp,
}

impl VirtualKeyDraft {
    /// The key that a create request asks for.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn create(request: CreateVirtualKey, edit: &mut Edit<'_>) -> Result<Self, Invalid> {
        check_name(&request.name, "Virtual key name is required")?;
        if request.team_id.is_some() && request.customer_id.is_some() {
            return Err(both_owners("customer_id"));
        }
        request.metadata.check()?;
        let request = with_oldest_members(request)?;
        let alignment = Alignment { asked: request.calendar_aligned, standing: false };
        let limits = Limits::default().edited(
            &LimitsInput {
                budget: &request.budget,
                budgets: &request.budgets,
                rate_limit: &request.rate_limit,
                alignment,
                at: &Pointer::ROOT,
            },
            edit,
        )?;
        let unrestricted = request.provider_configs.is_none() && request.key_ids.is_none();
        let elements = request.provider_configs.unwrap_or_default();
        Ok(Self {
            id: (edit.mint)().into(),
            name: request.name,
            description: request.description,
            is_active: request.is_active.unwrap_or(true),
            allow_all_providers: request.allow_all_providers.unwrap_or(unrestricted),
            team_id: request.team_id,
            customer_id: request.customer_id,
            max_parallel_requests: request.max_parallel_requests,
            limits,
            provider_configs: configs(&[], elements, alignment, edit)?,
            mcp_configs: mcp_config::drafts(&[], request.mcp_configs.unwrap_or_default().into())?,
            key_ids: request.key_ids,
            calendar_aligned: alignment.setting(),
            expires_at: request.expires_at.map(|text| expiry(&text, edit.now)).transpose()?,
            delete_after_expire: request.delete_after_expire.unwrap_or(false),
            disable_content_logging: request.disable_content_logging.value(),
            metadata: request.metadata,
            reset_budget_usage: ResetUsage::No,
            created_at: edit.now,
            updated_at: edit.now,
        })
    }

    /// What an update request makes of `existing`: absent members stay, null clears.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn update(existing: &VirtualKey, request: UpdateVirtualKey, edit: &mut Edit<'_>) -> Result<Self, Invalid> {
        let name = request.name.or_keep(Some(existing.name.clone())).unwrap_or_default();
        check_name(&name, "Virtual key name is required")?;
        request.metadata.as_ref().value().map_or(Ok(()), Metadata::check)?;
        let (team_id, customer_id) = owners(existing, request.team_id, request.customer_id)?;
        let alignment = Alignment { asked: request.calendar_aligned, standing: existing.calendar_aligned };
        let limits = existing.limits().edited(
            &LimitsInput {
                budget: &request.budget,
                budgets: &request.budgets,
                rate_limit: &request.rate_limit,
                alignment,
                at: &Pointer::ROOT,
            },
            edit,
        )?;
        let stay_open = match request.provider_configs {
            Patch::Absent => existing.allow_all_providers,
            Patch::Null | Patch::Value(_) => false,
        };
        let elements = match request.provider_configs {
            Patch::Absent => {
                existing.provider_configs.iter().map(|config| ProviderConfigInput::kept(config.id)).collect()
            }
            Patch::Null => Vec::new(),
            Patch::Value(elements) => elements,
        };
        Ok(Self {
            id: existing.id.clone(),
            name,
            description: request.description.or_keep(Some(existing.description.clone())).unwrap_or_default(),
            is_active: request.is_active.unwrap_or(existing.is_active),
            allow_all_providers: request.allow_all_providers.unwrap_or(stay_open),
            team_id,
            customer_id,
            max_parallel_requests: request.max_parallel_requests.or_keep(existing.max_parallel_requests),
            limits,
            provider_configs: configs(&existing.provider_configs, elements, alignment, edit)?,
            mcp_configs: mcp_config::drafts(&existing.mcp_configs, request.mcp_configs)?,
            key_ids: match request.key_ids {
                Patch::Absent => None,
                Patch::Null => Some(Vec::new()),
                Patch::Value(ids) => Some(ids),
            },
            calendar_aligned: alignment.setting(),
            expires_at: match request.expires_at {
                Patch::Absent => existing.expires_at,
                Patch::Null => None,
                Patch::Value(text) => text.is_empty().not().then(|| expiry(&text, edit.now)).transpose()?,
            },
            delete_after_expire: request.delete_after_expire.unwrap_or(existing.delete_after_expire),
            disable_content_logging: request.disable_content_logging.or_keep(existing.disable_content_logging),
            metadata: request.metadata.or_keep(Some(existing.metadata.clone())).unwrap_or_default(),
            reset_budget_usage: request.reset_budget_usage.into(),
            created_at: existing.created_at,
            updated_at: edit.now,
        })
    }
}

/// The request without the members of the oldest API: what they say is said by provider configs.
pub(crate) fn with_oldest_members(mut request: CreateVirtualKey) -> Result<CreateVirtualKey, Invalid> {
    if let Some(providers) = request.allowed_providers.take() {
        if request.allow_all_providers == Some(true) {
            let message = "allowed_providers and allow_all_providers exclude each other";
            return Err(Invalid::at("allowed_providers".into(), message));
        }
        let elements = request.provider_configs.get_or_insert_default();
        for provider in providers {
            if elements.iter().all(|element| element.provider.as_ref() != Some(&provider)) {
                elements.push(ProviderConfigInput { provider: Some(provider), ..ProviderConfigInput::default() });
            }
        }
    }
    if let Some(models) = request.allowed_models.take() {
        let Some(elements) = &mut request.provider_configs else {
            let message = "allowed_models needs provider_configs or allowed_providers";
            return Err(Invalid::at("allowed_models".into(), message));
        };
        for element in elements {
            element.allowed_models.get_or_insert_with(|| models.clone());
        }
    }
    Ok(request)
}

/// The provider configs that `elements` ask for, given those that exist.
fn configs(
    existing: &[ProviderConfig],
    elements: Vec<ProviderConfigInput>,
    alignment: Alignment,
    edit: &mut Edit<'_>,
) -> Result<Vec<ProviderConfigDraft>, Invalid> {
    let at = Pointer::from("provider_configs");
    let named: Vec<i64> = elements.iter().filter_map(|element| element.id).collect();
    let mut drafts: Vec<ProviderConfigDraft> = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        let at = at.element(index);
        let draft = ProviderConfigDraft::new(existing, &named, element, alignment, &at, edit)?;
        if let Some(id) = draft.id.filter(|id| drafts.iter().any(|other| other.id == Some(*id))) {
            return Err(Invalid::at(at.member("id"), format!("provider config {id} stands in the list twice")));
        }
        if drafts.iter().any(|other| other.provider == draft.provider) {
            let message = format!("duplicate provider config for provider {}", draft.provider);
            return Err(Invalid::at(at.member("provider"), message));
        }
        drafts.push(draft);
    }
    Ok(drafts)
}

/// Absent keeps; null or empty detaches; a value sets that owner and takes the key from the other one.
fn owners(
    existing: &VirtualKey,
    team: Patch<TeamId>,
    customer: Patch<CustomerId>,
) -> Result<(Option<TeamId>, Option<CustomerId>), Invalid> {
    let team = team.null_if(|id| id.as_str().is_empty());
    let customer = customer.null_if(|id| id.as_str().is_empty());
    match (team, customer) {
        (Patch::Value(_), Patch::Value(_)) => Err(both_owners("customer_id")),
        (Patch::Value(team), Patch::Absent | Patch::Null) => Ok((Some(team), None)),
        (Patch::Absent | Patch::Null, Patch::Value(customer)) => Ok((None, Some(customer))),
        (team, customer) => {
            Ok((team.or_keep(existing.team_id.clone()), customer.or_keep(existing.customer_id.clone())))
        }
    }
}

fn both_owners(member: &str) -> Invalid {
    Invalid::at(member.into(), "VirtualKey cannot be attached to both Team and Customer")
}
