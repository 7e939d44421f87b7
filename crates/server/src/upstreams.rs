//! Upstreams: the providers and their real credentials, as the gateway needs them. Replaced whole on every edit.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use keyward_core::address::AddressClass;
use keyward_core::allow_list::AllowList;
use keyward_core::base_url::BaseUrl;
use keyward_core::ids::{ProviderKeyId, ProviderName};
use keyward_core::provider::{KnownProvider, NetworkConfig, Provider};
use keyward_core::provider_config::KeyAccess;
use keyward_core::secret::SecretSource;
use keyward_store::{Store, StoreError};
use rand::seq::IndexedRandom;
use secrecy::SecretString;

use crate::config::environment;

/// How long to wait for a provider unless it is configured.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

/// A provider that requests can be sent to.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// Where its chat completions are.
    pub(crate) chat_completions: String,
    /// How long to wait for an answer to begin, and between two pieces of it.
    pub(crate) timeout: Duration,
    keys: Vec<Credential>,
}

/// A real credential.
#[derive(Debug)]
pub(crate) struct Credential {
    pub(crate) id: ProviderKeyId,
    /// None when it names an environment variable that is not set.
    secret: Option<SecretString>,
    models: AllowList,
    weight: f64,
}

impl Upstream {
    /// Picks a key that may and can serve the model, by weight; `pinned` and no other, if there is one.
    pub(crate) fn pick(
        &self,
        access: &KeyAccess,
        pinned: Option<&ProviderKeyId>,
        model: &str,
    ) -> Option<(&ProviderKeyId, &SecretString)> {
        let usable = |key: &&Credential| {
            let permitted = match access {
                KeyAccess::All => true,
                KeyAccess::Only(ids) => ids.contains(&key.id),
            };
            let meant = pinned.is_none_or(|pinned| key.id == *pinned);
            permitted && meant && key.models.allows(model) && key.secret.is_some()
        };
        let usable: Vec<&Credential> = self.keys.iter().filter(usable).collect();
        let by_weight = usable.choose_weighted(&mut rand::rng(), |key| key.weight).ok();
        let picked = by_weight.or_else(|| usable.first())?;
        Some((&picked.id, picked.secret.as_ref()?))
    }
}

/// Every provider.
#[derive(Debug)]
pub(crate) struct Upstreams {
    providers: ArcSwap<HashMap<ProviderName, Arc<Upstream>>>,
    block_private: bool,
}

impl Upstreams {
    pub(crate) fn new(block_private: bool) -> Self {
        Self { providers: ArcSwap::default(), block_private }
    }

    /// Whether a provider may be where it is configured to be. Names are checked when they are resolved.
    pub(crate) fn permits(&self, network: &NetworkConfig) -> bool {
        let address = network.base_url.as_ref().and_then(BaseUrl::literal_address);
        let is_private = address.is_some_and(|address| AddressClass::of(address) != AddressClass::Public);
        !(self.block_private && is_private)
    }

    pub(crate) fn find(&self, name: &ProviderName) -> Option<Arc<Upstream>> {
        self.providers.load().get(name).cloned()
    }

    /// The names of all providers, in their order.
    pub(crate) fn names(&self) -> Vec<ProviderName> {
        let mut names: Vec<ProviderName> = self.providers.load().keys().cloned().collect();
        names.sort();
        names
    }

    /// Reads providers and keys again. Callers take turns, so that the newest state wins.
    pub(crate) async fn reload(&self, store: &Store) -> Result<(), StoreError> {
        let mut keys: HashMap<ProviderName, Vec<Credential>> = HashMap::new();
        for key in store.upstream_keys().await?.into_iter().filter(|key| key.enabled) {
            let secret = match key.secret {
                SecretSource::Literal(secret) => Some(secret.into()),
                SecretSource::Environment(name) => environment(&name),
            };
            let credential = Credential { id: key.id, secret, models: key.models, weight: key.weight };
            keys.entry(key.provider).or_default().push(credential);
        }
        let permitted = store.provider_list().await?.into_iter().filter(|provider| {
            let permitted = self.permits(&provider.network_config);
            if !permitted {
                tracing::warn!(provider = %provider.name, "left out: its address is private, and block_private_upstreams is on");
            }
            permitted
        });
        let providers = permitted.filter_map(|provider| {
            let keys = keys.remove(&provider.name).unwrap_or_default();
            Some((provider.name.clone(), Arc::new(upstream(&provider, keys)?)))
        });
        self.providers.store(Arc::new(providers.collect()));
        Ok(())
    }
}

fn upstream(provider: &Provider, keys: Vec<Credential>) -> Option<Upstream> {
    let name = provider.name.as_str();
    let base_url = effective_base_url(name, &provider.network_config)?;
    let timeout = provider.network_config.default_request_timeout_in_seconds;
    Some(Upstream {
        chat_completions: base_url.join(KnownProvider::chat_completions_path(name)),
        timeout: timeout.map_or(DEFAULT_TIMEOUT, |seconds| Duration::from_secs(seconds.into())),
        keys,
    })
}

/// The configured base URL, else the one that is built in for a known provider.
fn effective_base_url(name: &str, network: &NetworkConfig) -> Option<BaseUrl> {
    let known = || KnownProvider::find(name)?.base_url.parse().ok();
    network.base_url.clone().or_else(known)
}
