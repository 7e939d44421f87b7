//! Who owns limits: by name, with the way to them.

use std::collections::HashMap;

use keyward_core::ids::LimitId;
use keyward_store::{LimitHolder, Reveal, Store};
use maud::{Markup, html};

use super::list::covered;
use crate::clock;
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::error::ApiError;

/// An owner, as it is shown.
#[derive(Clone)]
struct Owner {
    name: String,
    /// What kind of thing it is, and where.
    kind: String,
    page: Link,
}

/// The owners of some limits. Whoever may see the limits of all owners may see these.
#[derive(Default)]
pub(in crate::dashboard::pages) struct Owners(HashMap<LimitId, Owner>);

impl Owners {
    /// An owner that is gone meanwhile is not shown.
    pub(in crate::dashboard::pages) async fn load(
        store: &Store,
        limits: impl Iterator<Item = LimitId>,
    ) -> Result<Self, ApiError> {
        let mut known: HashMap<LimitHolder, Option<Owner>> = HashMap::new();
        let mut owners = Self::default();
        for (limit, holder) in store.limit_holders(limits.collect()).await? {
            if !known.contains_key(&holder) {
                known.insert(holder.clone(), owner(store, &holder).await);
            }
            owners.0.extend(known.get(&holder).cloned().flatten().map(|owner| (limit, owner)));
        }
        Ok(owners)
    }

    /// The owner of a limit, with the way to it.
    pub(in crate::dashboard::pages) fn shown(&self, limit: &LimitId) -> Markup {
        html! {
            @match self.0.get(limit) {
                Some(Owner { name, kind, page }) => { a href=(page) { (name) } " " span.muted { (kind) } }
                None => span.muted { "Gone" },
            }
        }
    }
}

async fn owner(store: &Store, holder: &LimitHolder) -> Option<Owner> {
    let key_name = async |id| Some(store.virtual_key_get(id, Reveal::Redacted).await.ok()?.name);
    let (name, kind, page) = match holder {
        LimitHolder::Customer(id) => {
            let name = store.customer_get(id.clone(), clock::now()).await.ok()?.name;
            (name, "customer".to_owned(), Link::of(Section::Customers.path(), id))
        }
        LimitHolder::Team(id) => {
            let name = store.team_get(id.clone(), clock::now()).await.ok()?.name;
            (name, "team".to_owned(), Link::of(Section::Teams.path(), id))
        }
        LimitHolder::VirtualKey(id) => {
            (key_name(id.clone()).await?, "key".to_owned(), Link::of(Section::VirtualKeys.path(), id))
        }
        LimitHolder::ProviderConfig { virtual_key, provider, model } => {
            let place = model.as_ref().map_or_else(|| provider.to_string(), |model| format!("{provider}/{model}"));
            let page = Link::of(Section::VirtualKeys.path(), virtual_key);
            (key_name(virtual_key.clone()).await?, format!("key at {place}"), page)
        }
        LimitHolder::ModelConfig(id) => {
            let config = store.model_config_get(id.clone()).await.ok()?;
            let page = Link::to(Section::Limits.path())
                .with("search", if config.is_every_model() { "" } else { config.model_name.as_str() })
                .with("provider", config.provider.as_ref().map(ToString::to_string).unwrap_or_default());
            (covered(&config), "model or provider".to_owned(), page)
        }
    };
    Some(Owner { name, kind, page })
}
