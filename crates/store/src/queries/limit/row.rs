//! How budgets and rate limits lie in their tables.

use diesel::prelude::*;
use keyward_core::budget::{Budget, ResetConfig};
use keyward_core::meter::{Enforcement, OutputClamp, Raise};
use keyward_core::money::NanoUsd;
use keyward_core::month::Month;
use keyward_core::rate_limit::RateLimit;

use super::LimitOwner;
use crate::error::StoreError;
use crate::instant::Instant;
use crate::schema::{budgets, rate_limits};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = budgets)]
pub(super) struct BudgetRow {
    pub(super) id: String,
    customer_id: Option<String>,
    team_id: Option<String>,
    virtual_key_id: Option<String>,
    provider_config_id: Option<i64>,
    model_config_id: Option<String>,
    model_budget_id: Option<String>,
    pub(super) max_limit: i64,
    pub(super) reset_duration: String,
    pub(super) calendar_aligned: bool,
    pub(super) timezone: String,
    pub(super) quarter_start_month: Option<i64>,
    pub(super) enforcement: Option<String>,
    pub(super) output_clamp: Option<String>,
    pub(super) override_amount: Option<i64>,
    pub(super) override_until: Option<Instant>,
    pub(super) config_hash: String,
    created_at: Instant,
    pub(super) updated_at: Instant,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = rate_limits)]
pub(super) struct RateLimitRow {
    pub(super) id: String,
    customer_id: Option<String>,
    team_id: Option<String>,
    virtual_key_id: Option<String>,
    provider_config_id: Option<i64>,
    model_config_id: Option<String>,
    model_budget_id: Option<String>,
    pub(super) token_max_limit: Option<i64>,
    pub(super) token_reset_duration: Option<String>,
    pub(super) request_max_limit: Option<i64>,
    pub(super) request_reset_duration: Option<String>,
    pub(super) calendar_aligned: bool,
    pub(super) enforcement: Option<String>,
    pub(super) output_clamp: Option<String>,
    pub(super) config_hash: String,
    created_at: Instant,
    pub(super) updated_at: Instant,
}

/// The owner as both tables have it: exactly one member is set.
#[derive(Default, Queryable)]
pub(super) struct OwnerColumns {
    pub(super) customer_id: Option<String>,
    pub(super) team_id: Option<String>,
    pub(super) virtual_key_id: Option<String>,
    pub(super) provider_config_id: Option<i64>,
    pub(super) model_config_id: Option<String>,
    pub(super) model_budget_id: Option<String>,
}

impl LimitOwner {
    pub(super) fn columns(&self) -> OwnerColumns {
        let none = OwnerColumns::default();
        match self.clone() {
            Self::Customer(id) => OwnerColumns { customer_id: Some(id), ..none },
            Self::Team(id) => OwnerColumns { team_id: Some(id), ..none },
            Self::VirtualKey(id) => OwnerColumns { virtual_key_id: Some(id), ..none },
            Self::ProviderConfig(id) => OwnerColumns { provider_config_id: Some(id), ..none },
            Self::ModelConfig(id) => OwnerColumns { model_config_id: Some(id), ..none },
            Self::ModelBudget(id) => OwnerColumns { model_budget_id: Some(id), ..none },
        }
    }
}

impl LimitOwner {
    /// Names the owner in a budget.
    fn show(&self, budget: &mut Budget) {
        match self {
            Self::Customer(id) => budget.customer_id = Some(id.as_str().into()),
            Self::Team(id) => budget.team_id = Some(id.as_str().into()),
            Self::VirtualKey(id) => budget.virtual_key_id = Some(id.as_str().into()),
            Self::ProviderConfig(id) => budget.provider_config_id = Some(*id),
            Self::ModelConfig(id) => budget.model_config_id = Some(id.as_str().into()),
            Self::ModelBudget(id) => budget.model_budget_id = Some(id.as_str().into()),
        }
    }
}

impl OwnerColumns {
    pub(super) fn owner(self) -> Result<LimitOwner, StoreError> {
        let Self { customer_id, team_id, virtual_key_id, provider_config_id, model_config_id, model_budget_id } = self;
        let set = [
            customer_id.map(LimitOwner::Customer),
            team_id.map(LimitOwner::Team),
            virtual_key_id.map(LimitOwner::VirtualKey),
            provider_config_id.map(LimitOwner::ProviderConfig),
            model_config_id.map(LimitOwner::ModelConfig),
            model_budget_id.map(LimitOwner::ModelBudget),
        ];
        let mut set = set.into_iter().flatten();
        match (set.next(), set.next()) {
            (Some(owner), None) => Ok(owner),
            (_, _) => Err(StoreError::unreadable("a limit", "it does not have exactly one owner")),
        }
    }
}

impl BudgetRow {
    pub(super) fn new(owner: &LimitOwner, budget: &Budget) -> Self {
        let OwnerColumns { customer_id, team_id, virtual_key_id, provider_config_id, model_config_id, model_budget_id } =
            owner.columns();
        Self {
            id: budget.id.to_string(),
            customer_id,
            team_id,
            virtual_key_id,
            provider_config_id,
            model_config_id,
            model_budget_id,
            max_limit: budget.max_limit.nanos(),
            reset_duration: budget.reset_duration.to_string(),
            calendar_aligned: budget.calendar_aligned,
            timezone: budget.timezone.name().to_owned(),
            quarter_start_month: budget.reset_config.map(|config| config.quarter_start_month.number()),
            enforcement: budget.enforcement.map(|known| known.as_str().to_owned()),
            output_clamp: budget.output_clamp.map(|known| known.as_str().to_owned()),
            override_amount: budget.raise().map(|raise| raise.amount),
            override_until: budget.raise().and_then(|raise| raise.until).map(Instant),
            config_hash: budget.config_hash.clone(),
            created_at: Instant(budget.created_at),
            updated_at: Instant(budget.updated_at),
        }
    }

    pub(super) fn into_budget(self) -> Result<(LimitOwner, Budget), StoreError> {
        let Self {
            id,
            customer_id,
            team_id,
            virtual_key_id,
            provider_config_id,
            model_config_id,
            model_budget_id,
            max_limit,
            reset_duration,
            calendar_aligned,
            timezone,
            quarter_start_month,
            enforcement: strictness,
            output_clamp,
            override_amount,
            override_until,
            config_hash,
            created_at: Instant(created_at),
            updated_at: Instant(updated_at),
        } = self;
        let reset_duration = parsed("a reset duration", &reset_duration)?;
        let mut budget = Budget::new(id.into(), NanoUsd::from_nanos(max_limit), reset_duration, created_at);
        budget.calendar_aligned = calendar_aligned;
        budget.timezone = parsed("a time zone", &timezone)?;
        budget.reset_config = quarter_start_month.map(reset_config).transpose()?;
        budget.enforcement = strictness.map(enforcement).transpose()?;
        budget.output_clamp = output_clamp.map(clamp).transpose()?;
        budget.set_raise(override_amount.map(|amount| Raise { amount, until: override_until.map(|until| until.0) }));
        budget.config_hash = config_hash;
        budget.updated_at = updated_at;
        let owner =
            OwnerColumns { customer_id, team_id, virtual_key_id, provider_config_id, model_config_id, model_budget_id };
        let owner = owner.owner()?;
        owner.show(&mut budget);
        Ok((owner, budget))
    }
}

impl RateLimitRow {
    pub(super) fn new(owner: &LimitOwner, limit: &RateLimit) -> Self {
        let OwnerColumns { customer_id, team_id, virtual_key_id, provider_config_id, model_config_id, model_budget_id } =
            owner.columns();
        Self {
            id: limit.id.to_string(),
            customer_id,
            team_id,
            virtual_key_id,
            provider_config_id,
            model_config_id,
            model_budget_id,
            token_max_limit: limit.token_max_limit,
            token_reset_duration: limit.token_reset_duration.as_ref().map(ToString::to_string),
            request_max_limit: limit.request_max_limit,
            request_reset_duration: limit.request_reset_duration.as_ref().map(ToString::to_string),
            calendar_aligned: limit.calendar_aligned,
            enforcement: limit.enforcement.map(|known| known.as_str().to_owned()),
            output_clamp: limit.output_clamp.map(|known| known.as_str().to_owned()),
            config_hash: limit.config_hash.clone(),
            created_at: Instant(limit.created_at),
            updated_at: Instant(limit.updated_at),
        }
    }

    pub(super) fn into_rate_limit(self) -> Result<(LimitOwner, RateLimit), StoreError> {
        let Self {
            id,
            customer_id,
            team_id,
            virtual_key_id,
            provider_config_id,
            model_config_id,
            model_budget_id,
            token_max_limit,
            token_reset_duration,
            request_max_limit,
            request_reset_duration,
            calendar_aligned,
            enforcement: strictness,
            output_clamp,
            config_hash,
            created_at: Instant(created_at),
            updated_at: Instant(updated_at),
        } = self;
        let owner =
            OwnerColumns { customer_id, team_id, virtual_key_id, provider_config_id, model_config_id, model_budget_id };
        let owner = owner.owner()?;
        let duration = |text: Option<String>| text.map(|text| parsed("a reset duration", &text)).transpose();
        let limit = RateLimit {
            id: id.into(),
            token_max_limit,
            token_reset_duration: duration(token_reset_duration)?,
            token_current_usage: 0,
            token_last_reset: created_at,
            request_max_limit,
            request_reset_duration: duration(request_reset_duration)?,
            request_current_usage: 0,
            request_last_reset: created_at,
            calendar_aligned,
            enforcement: strictness.map(enforcement).transpose()?,
            output_clamp: output_clamp.map(clamp).transpose()?,
            config_hash,
            created_at,
            updated_at,
        };
        Ok((owner, limit))
    }
}

fn reset_config(month: i64) -> Result<ResetConfig, StoreError> {
    let month = Month::try_from(month).map_err(|error| StoreError::unreadable("a month", error))?;
    Ok(ResetConfig { quarter_start_month: month })
}

fn enforcement(name: String) -> Result<Enforcement, StoreError> {
    let mut known = Enforcement::ALL.into_iter();
    known.find(|known| known.as_str() == name).ok_or_else(|| StoreError::unreadable("an enforcement", name))
}

fn clamp(name: String) -> Result<OutputClamp, StoreError> {
    let mut known = OutputClamp::ALL.into_iter();
    known.find(|known| known.as_str() == name).ok_or_else(|| StoreError::unreadable("an output clamp", name))
}

/// Reads a stored value that has its own text form.
pub(in super::super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    what: &str,
    text: &str,
) -> Result<T, StoreError> {
    text.parse().map_err(|error| StoreError::unreadable(what, error))
}
