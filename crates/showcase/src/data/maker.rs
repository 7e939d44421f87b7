//! What the management API would make of requests, made at some instant in the past.

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use keyward_core::authority::Authority;
use keyward_core::change::{Actor, ActorKind, Author, Change, Grounds, Precondition};
use keyward_core::limits::Edit;
use keyward_core::management_key::CreateManagementKey;
use keyward_core::model_config::{CreateModelConfig, ModelConfig, ScopedKey};
use keyward_core::owner::{CreateCustomer, CreateTeam, Customer, Team};
use keyward_core::pricing_override::CreatePricingOverride;
use keyward_core::provider::{CreateProvider, Provider};
use keyward_core::routing_rule::CreateRoutingRule;
use keyward_core::secret::{ManagementKeyValue, VirtualKeyValue};
use keyward_core::virtual_key::{CreateVirtualKey, UpdateVirtualKey, VirtualKey, VirtualKeyDraft};
use keyward_store::{Reveal, Store};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::chance::Chance;

/// How long before the end the first thing is made.
const BEGIN: SignedDuration = SignedDuration::from_hours(100 * 24);
/// How long after one thing the next is made.
const STEP: SignedDuration = SignedDuration::from_mins(57);

/// Makes things, one a while after the other.
pub(super) struct Maker<'a> {
    pub(super) store: &'a Store,
    pub(super) chance: Chance,
    /// Where the data set ends.
    pub(super) now: Timestamp,
    /// When the next thing is made.
    at: Timestamp,
}

impl<'a> Maker<'a> {
    pub(super) fn new(store: &'a Store, now: Timestamp, chance: Chance) -> Result<Self> {
        Ok(Self { store, chance, now, at: now.checked_sub(BEGIN)? })
    }

    /// An instant so long before the end.
    pub(super) fn ago(&self, duration: SignedDuration) -> Result<Timestamp> {
        Ok(self.now.checked_sub(duration)?)
    }

    pub(super) async fn provider(&mut self, request: Value) -> Result<Provider> {
        let request: CreateProvider = read(request)?;
        let change = self.change("provider_create")?;
        let draft = request.check(&mut || self.chance.uuid())?;
        Ok(self.store.provider_create(change, draft).await?)
    }

    pub(super) async fn customer(&mut self, request: Value) -> Result<Customer> {
        let (change, request) = (self.change("customer_create")?, read::<CreateCustomer>(request)?);
        let customer = request.build(&mut Edit { now: change.at, mint: &mut || self.chance.uuid() })?;
        Ok(self.store.customer_create(change, customer).await?)
    }

    pub(super) async fn team(&mut self, request: Value) -> Result<Team> {
        let (change, request) = (self.change("team_create")?, read::<CreateTeam>(request)?);
        let team = request.build(&mut Edit { now: change.at, mint: &mut || self.chance.uuid() })?;
        Ok(self.store.team_create(change, team).await?)
    }

    pub(super) async fn virtual_key(&mut self, request: Value) -> Result<VirtualKey> {
        let (change, request) = (self.change("virtual_key_create")?, read::<CreateVirtualKey>(request)?);
        let mut edit = Edit { now: change.at, mint: &mut || self.chance.uuid() };
        let draft = VirtualKeyDraft::create(request, &mut edit)?;
        let value = VirtualKeyValue::from_uuid(self.chance.uuid());
        Ok(self.store.virtual_key_create(change, draft, value).await?.1)
    }

    pub(super) async fn edit_virtual_key(&mut self, key: &VirtualKey, request: Value) -> Result<()> {
        let (change, request) = (self.change("virtual_key_update")?, read::<UpdateVirtualKey>(request)?);
        let mut ids = [self.chance.uuid(), self.chance.uuid()].into_iter();
        let edit = move |existing: &VirtualKey, now| {
            let mut mint = || ids.next().unwrap_or_else(Uuid::nil);
            VirtualKeyDraft::update(existing, request, &mut Edit { now, mint: &mut mint })
        };
        self.store.virtual_key_update(change, key.id.clone(), Reveal::Redacted, edit).await?;
        Ok(())
    }

    pub(super) async fn model_config(&mut self, request: Value) -> Result<ModelConfig> {
        let (change, request) = (self.change("model_config_create")?, read::<CreateModelConfig>(request)?);
        let (now, key) = (change.at, request.virtual_key()?);
        // For itself, its budgets and its rate limit.
        let ids: Vec<Uuid> = (0..4).map(|_| self.chance.uuid()).collect();
        let build = move |key: Option<&ScopedKey>| {
            let mut ids = ids.into_iter();
            request.build(key, &mut Edit { now, mint: &mut || ids.next().unwrap_or_else(Uuid::nil) })
        };
        Ok(self.store.model_config_create(change, key, build).await?)
    }

    pub(super) async fn routing_rule(&mut self, request: Value) -> Result<()> {
        let (change, request) = (self.change("routing_rule_create")?, read::<CreateRoutingRule>(request)?);
        let rule = request.build(&mut Edit { now: change.at, mint: &mut || self.chance.uuid() })?;
        self.store.routing_rule_create(change, rule).await?;
        Ok(())
    }

    pub(super) async fn pricing_override(&mut self, request: Value) -> Result<()> {
        let (change, request) = (self.change("pricing_override_create")?, read::<CreatePricingOverride>(request)?);
        let entry = request.build(&mut Edit { now: change.at, mint: &mut || self.chance.uuid() })?;
        self.store.pricing_override_create(change, entry).await?;
        Ok(())
    }

    pub(super) async fn management_key(&mut self, request: Value) -> Result<()> {
        let (change, request) = (self.change("management_key_create")?, read::<CreateManagementKey>(request)?);
        let key = request.build(&mut Edit { now: change.at, mint: &mut || self.chance.uuid() })?;
        let value = ManagementKeyValue::from_uuid(self.chance.uuid());
        self.store.management_key_create(change, key, &value).await?;
        Ok(())
    }

    /// A change by the administrator, a while after the one before.
    fn change(&mut self, operation: &'static str) -> Result<Change> {
        let at = self.at;
        self.at = at.checked_add(STEP)?;
        Ok(Change {
            operation,
            author: Author {
                actor: Actor::named(ActorKind::Admin, "admin".to_owned()),
                authority: Authority::FULL,
                grounds: Grounds::Server,
                source: "192.0.2.17".to_owned(),
                request_id: self.chance.uuid().to_string().as_str().into(),
            },
            at,
            precondition: Precondition::None,
            idempotency: None,
        })
    }
}

/// A request, as its JSON has it.
fn read<T: DeserializeOwned>(request: Value) -> Result<T> {
    let said = request.to_string();
    serde_json::from_value(request).context(said)
}
