//! Who owns limits, by name.

use std::collections::HashMap;

use keyward_core::ids::{CustomerId, ModelConfigId, TeamId, VirtualKeyId};
use keyward_store::{Reveal, Store};
use maud::{Markup, html};

use super::list::covered;
use crate::clock;
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;

/// The owner of a limit, as the limit names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Customer(CustomerId),
    Team(TeamId),
    VirtualKey(VirtualKeyId),
    ModelConfig(ModelConfigId),
    /// A provider config of a virtual key, or a model of one.
    ProviderConfig(Option<i64>),
}

/// Their names. Whoever may see the limits of all owners may see these.
#[derive(Default)]
pub(super) struct Names(HashMap<Owner, String>);

impl Names {
    /// An owner that is gone meanwhile has none.
    pub(super) async fn load(store: &Store, owners: impl Iterator<Item = Owner>) -> Self {
        let mut names = Self::default();
        for owner in owners {
            if !names.0.contains_key(&owner)
                && let Some(name) = name(store, &owner).await
            {
                names.0.insert(owner, name);
            }
        }
        names
    }

    /// The owner, with the way to it.
    pub(super) fn shown(&self, owner: &Owner) -> Markup {
        let (link, kind) = match owner {
            Owner::Customer(id) => (Some(Link::of(Section::Customers.path(), id)), "customer"),
            Owner::Team(id) => (Some(Link::of(Section::Teams.path(), id)), "team"),
            Owner::VirtualKey(id) => (Some(Link::of(Section::VirtualKeys.path(), id)), "key"),
            Owner::ModelConfig(id) => (Some(Link::of(Section::Limits.path(), id).then("edit")), "model or provider"),
            Owner::ProviderConfig(_) => (None, "of a key at a provider"),
        };
        let name = self.0.get(owner).map_or("–", String::as_str);
        html! {
            @match link { Some(link) => a href=(link) { (name) }, None => span { (name) } }
            " " span.muted { (kind) }
        }
    }
}

async fn name(store: &Store, owner: &Owner) -> Option<String> {
    match owner {
        Owner::Customer(id) => Some(store.customer_get(id.clone(), clock::now()).await.ok()?.name),
        Owner::Team(id) => Some(store.team_get(id.clone(), clock::now()).await.ok()?.name),
        Owner::VirtualKey(id) => Some(store.virtual_key_get(id.clone(), Reveal::Redacted).await.ok()?.name),
        Owner::ModelConfig(id) => Some(covered(&store.model_config_get(id.clone()).await.ok()?)),
        Owner::ProviderConfig(id) => id.map(|id| format!("Provider config {id}")),
    }
}
