//! Shelves: where a provider keeps objects, for the key that made them, or for any that may make new ones.

use keyward_core::base_url::BaseUrl;
use keyward_core::ids::ProviderKeyId;
use keyward_core::provider_config::KeyAccess;
use keyward_core::provider_object::ObjectKind;

use super::{Credential, Upstream, by_lot};
use crate::credentials::Auth;

/// Where a provider keeps objects, and the credential for it.
#[derive(Debug)]
pub(crate) struct Shelf {
    /// The provider key; empty for a provider that needs none.
    pub(crate) key_id: ProviderKeyId,
    /// How requests show whose they are.
    pub(crate) auth: Auth,
    /// Where objects of the kind are.
    pub(crate) url: String,
}

impl Upstream {
    /// True when objects of this kind can be kept there.
    pub(crate) fn keeps(&self, kind: ObjectKind) -> bool {
        self.is_callable() && self.known.keeps(kind)
    }

    /// Where objects of a kind are kept, with the key that is meant; without one, with any that may be used, by weight.
    pub(crate) fn shelf(&self, kind: ObjectKind, meant: Option<&ProviderKeyId>, access: &KeyAccess) -> Option<Shelf> {
        let at = |base_url: &BaseUrl| base_url.join(&self.known.object_path(kind));
        let is_key_less = self.custom.as_ref().is_some_and(|custom| custom.is_key_less);
        if is_key_less && meant.is_none_or(|meant| meant.as_str().is_empty()) {
            return Some(Shelf { key_id: "".into(), auth: Auth::Open, url: at(self.base_url.as_ref()?) });
        }
        let usable = |key: &&Credential| {
            let is_meant = meant.is_none_or(|meant| key.id == *meant);
            is_meant && access.allows(&key.id) && key.can_serve()
        };
        let usable: Vec<&Credential> = self.keys.iter().filter(usable).collect();
        let chance = |_: &str| 1.0 - rand::random::<f64>();
        let key = *by_lot(usable, |key| (key.id.as_str(), key.weight), &chance).first()?;
        let url = at(key.base_url.as_ref().or(self.base_url.as_ref())?);
        Some(Shelf { key_id: key.id.clone(), auth: key.auth.clone()?, url })
    }
}
