//! Upstreams: the providers and their real credentials, as the gateway needs them. Replaced whole on every edit.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use keyward_core::address::AddressClass;
use keyward_core::allow_list::AllowList;
use keyward_core::base_url::BaseUrl;
use keyward_core::ids::{ModelName, ProviderKeyId, ProviderName};
use keyward_core::operation::Operation;
use keyward_core::provider::{
    Aliases, CustomProviderConfig, KnownProvider, NetworkConfig, Provider, ProviderStatus, Setting,
};
use keyward_core::provider_config::KeyAccess;
use keyward_core::provider_object::ObjectKind;
use keyward_core::secret::SecretSource;
use keyward_store::{Store, StoreError, UpstreamKey};
use secrecy::{ExposeSecret, SecretString};

use crate::clock;
use crate::config::{KeyHealthSettings, environment};
use crate::credentials::{Auth, KeyTexts, TokenEndpoints};
use crate::metrics::KeyChanges;

mod health;
mod key_health;
mod picking;
mod retries;
mod shelf;
mod verdict;
mod waits;

pub(crate) use health::{Condition, Out, Why};
use key_health::KeyHealth;
pub(crate) use key_health::Trial;
pub(crate) use picking::{Choosing, Wanted, by_lot};
pub(crate) use retries::{Failure, Retries};
pub(crate) use shelf::Shelf;
pub(crate) use verdict::Verdict;

/// How long to wait for a provider unless it is configured.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

/// A provider that requests can be sent to.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// How long to wait for an answer to begin, and between two pieces of it.
    pub(crate) timeout: Duration,
    /// Headers that every request gets.
    pub(crate) headers: HeaderMap,
    /// Whether it is asked again when it fails.
    pub(crate) retries: Retries,
    /// What it offers.
    known: KnownProvider,
    /// Where it is; none when each of its keys says so, or when it cannot be called yet.
    base_url: Option<BaseUrl>,
    custom: Option<CustomProviderConfig>,
    keys: Vec<Credential>,
    /// How it does without a key, where none is needed.
    keyless: Arc<KeyHealth>,
}

/// A real credential.
#[derive(Debug)]
struct Credential {
    id: ProviderKeyId,
    /// What it is made of, without what names an environment variable that is not set.
    texts: KeyTexts,
    /// None when that makes no credential.
    auth: Option<Auth>,
    /// Where the provider is for this key.
    base_url: Option<BaseUrl>,
    models: AllowList,
    blacklisted_models: AllowList,
    aliases: Aliases,
    weight: f64,
    health: Arc<KeyHealth>,
}

/// Where one request goes at a provider, and with what.
#[derive(Debug)]
pub(crate) struct Destination {
    /// The provider key; empty for a provider that needs none.
    pub(crate) key_id: ProviderKeyId,
    /// What the request shows.
    pub(crate) auth: Auth,
    /// Where the operation is.
    pub(crate) url: String,
    /// The model as the provider calls it.
    pub(crate) model: ModelName,
    /// The same as a body names it.
    pub(crate) named: String,
    /// True: request and answer are translated, to Converse and back.
    pub(crate) is_converse: bool,
    /// The attempt that has begun with the key; none in a rehearsal.
    pub(crate) trial: Option<Trial>,
}

/// Why a provider cannot serve a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unserved {
    /// No key that may be used is able to.
    Key,
    /// Those that are able to are passed over; the first of them until then.
    Out(Out),
    /// Keyward cannot call this provider yet.
    Provider,
    /// The provider does not take this kind of request.
    Kind,
    /// The provider has no such operation.
    Operation,
}

impl Credential {
    /// True when the key may serve the model. What is not to be served is not served under another name either.
    fn serves(&self, model: &str) -> bool {
        let is_blocked = self.blacklisted_models.allows(model) || self.blacklisted_models.allows(self.target(model));
        self.models.allows(model) && !is_blocked
    }

    /// What the provider calls the model.
    fn target<'a>(&'a self, model: &'a str) -> &'a str {
        self.aliases.get(model).map_or(model, String::as_str)
    }

    /// True when requests can be sent with it: without a credential, only to where the key says.
    fn can_serve(&self) -> bool {
        self.auth.as_ref().is_some_and(|auth| !auth.is_open() || self.base_url.is_some())
    }
}

impl Upstream {
    /// True when requests can be sent to it.
    fn is_callable(&self) -> bool {
        let has_own = |key: &Credential| key.base_url.is_some() || (self.known.is_cloud() && key.can_serve());
        self.base_url.is_some() || self.keys.iter().any(has_own)
    }

    /// The one name by which limits, lists and prices know a model.
    pub(crate) fn bare_model(&self, model: &ModelName) -> ModelName {
        match self.known.bare_model(model.as_str()) {
            bare if bare.len() == model.as_str().len() => model.clone(),
            bare => bare.into(),
        }
    }

    /// The models that its keys name, by the names that requests use.
    pub(crate) fn named_models(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().flat_map(|key| key.models.names().chain(key.aliases.keys().map(String::as_str)))
    }

    /// True when a key that may be used is for the model.
    pub(crate) fn serves(&self, access: &KeyAccess, model: &str) -> bool {
        let is_key_less = self.custom.as_ref().is_some_and(|custom| custom.is_key_less);
        is_key_less || self.keys.iter().any(|key| key.serves(model) && access.allows(&key.id))
    }
}

impl From<Out> for Unserved {
    fn from(out: Out) -> Self {
        Self::Out(out)
    }
}

/// Every provider.
#[derive(Debug)]
pub(crate) struct Upstreams {
    providers: ArcSwap<HashMap<ProviderName, Arc<Upstream>>>,
    block_private: bool,
    tokens: TokenEndpoints,
    key_health: KeyHealthSettings,
    key_changes: KeyChanges,
}

impl Upstreams {
    pub(crate) fn new(tokens: TokenEndpoints, key_health: KeyHealthSettings) -> Self {
        let (providers, key_changes) = (ArcSwap::default(), KeyChanges::default());
        Self { providers, block_private: tokens.block_private, tokens, key_health, key_changes }
    }

    /// Counts what becomes different about keys.
    pub(crate) fn key_changes(&self) -> KeyChanges {
        self.key_changes.clone()
    }

    /// How many keys stand how.
    pub(crate) fn conditions(&self) -> BTreeMap<Condition, i64> {
        let (mut conditions, now) = (BTreeMap::new(), clock::now());
        let providers = self.providers.load();
        for key in providers.values().flat_map(|upstream| &upstream.keys) {
            *conditions.entry(key.health.condition(now)).or_default() += 1;
        }
        conditions
    }

    /// Whether a provider may be where it is configured to be. Names are checked when they are resolved.
    pub(crate) fn permits(&self, network: &NetworkConfig) -> bool {
        network.base_url.as_ref().is_none_or(|base_url| self.permits_address(base_url))
    }

    fn permits_address(&self, base_url: &BaseUrl) -> bool {
        !(self.block_private && is_private(base_url))
    }

    pub(crate) fn find(&self, name: &ProviderName) -> Option<Arc<Upstream>> {
        self.providers.load().get(name).cloned()
    }

    /// True when requests can be sent to the provider.
    pub(crate) fn is_callable(&self, name: &ProviderName) -> bool {
        self.find(name).is_some_and(|upstream| upstream.is_callable())
    }

    /// True when requests for the operation can be sent to the provider.
    pub(crate) fn offers(&self, name: &ProviderName, operation: Operation) -> bool {
        self.find(name).is_some_and(|upstream| upstream.is_callable() && upstream.known.offers(operation))
    }

    /// True when objects of this kind can be kept at the provider.
    pub(crate) fn keeps(&self, name: &ProviderName, kind: ObjectKind) -> bool {
        self.find(name).is_some_and(|upstream| upstream.keeps(kind))
    }

    /// Calls for every credential that is configured: what the log must never have.
    pub(crate) fn each_secret(&self, call: &mut dyn FnMut(&str)) {
        for upstream in self.providers.load().values() {
            upstream.keys.iter().for_each(|key| key.texts.each_secret(call));
            upstream.headers.values().filter_map(|value| value.to_str().ok()).for_each(&mut *call);
        }
    }

    /// The names of all providers, in their order.
    pub(crate) fn names(&self) -> Vec<ProviderName> {
        let mut names: Vec<ProviderName> = self.providers.load().keys().cloned().collect();
        names.sort();
        names
    }

    /// The provider as it stands here: whether it can be called is not known anywhere else.
    pub(crate) fn observed(&self, provider: Provider) -> Provider {
        let provider_status =
            if self.is_callable(&provider.name) { ProviderStatus::Active } else { ProviderStatus::Error };
        Provider { provider_status, ..provider }
    }

    /// Reads providers and keys again. Callers take turns, so that the newest state wins.
    pub(crate) async fn reload(&self, store: &Store) -> Result<(), StoreError> {
        let mut keys: HashMap<ProviderName, Vec<UpstreamKey>> = HashMap::new();
        for key in store.upstream_keys().await?.into_iter().filter(|key| key.enabled) {
            keys.entry(key.provider.clone()).or_default().push(key);
        }
        let mut headers = store.upstream_headers().await?;
        let permitted = store.provider_list().await?.into_iter().filter(|provider| {
            let permitted = self.permits(&provider.network_config);
            if !permitted {
                tracing::warn!(provider = %provider.name, "left out: its address is private, and block_private_upstreams is on");
            }
            permitted
        });
        let before = self.providers.load();
        let providers = permitted.map(|provider| {
            let base_url = effective_base_url(provider.name.as_str(), &provider.network_config);
            let before = before.get(&provider.name).map(Arc::as_ref).filter(|before| before.base_url == base_url);
            let keys = keys.remove(&provider.name).unwrap_or_default();
            let keys = keys.into_iter().map(|key| self.credential(key, before)).collect();
            let headers = headers.remove(&provider.name).unwrap_or_default();
            let keyless =
                before.map_or_else(|| self.unknown_health(&provider.name, &"".into()), |before| before.keyless.clone());
            (provider.name.clone(), Arc::new(upstream(provider, keys, keyless, headers)))
        });
        self.providers.store(Arc::new(providers.collect()));
        Ok(())
    }

    /// The key. What is known of it stays known, and its token stays its own, while its texts and its address are the same.
    fn credential(&self, key: UpstreamKey, before: Option<&Upstream>) -> Credential {
        let (texts, provider) = (key_texts(&key), key.provider.as_str());
        let url = server_url(provider).and_then(|setting| texts.settings.get(&setting));
        let base_url: Option<BaseUrl> = url.and_then(|url| url.expose_secret().parse().ok());
        let base_url = base_url.filter(|base_url| self.permits_address(base_url));
        let is_same = |other: &&Credential| {
            other.id == key.id && other.texts.digest() == texts.digest() && other.base_url == base_url
        };
        let known = before.and_then(|before| before.keys.iter().find(is_same));
        let auth = texts.auth(provider, &self.tokens).inspect_err(|error| {
            tracing::warn!(provider, of = key.name, %error, "not usable: the key has no credential");
        });
        let auth = auth.ok().map(|auth| match known.and_then(|known| known.auth.as_ref()) {
            Some(before) => auth.keeping(before),
            None => auth,
        });
        let health = known.map(|known| known.health.clone());
        Credential {
            health: health.unwrap_or_else(|| self.unknown_health(&key.provider, &key.id)),
            base_url,
            id: key.id,
            texts,
            auth,
            models: key.models,
            blacklisted_models: key.blacklisted_models,
            aliases: key.aliases,
            weight: key.weight,
        }
    }

    fn unknown_health(&self, provider: &ProviderName, key: &ProviderKeyId) -> Arc<KeyHealth> {
        let (provider, key) = (provider.clone(), key.clone());
        Arc::new(KeyHealth::new(provider, key, self.key_health, self.key_changes.clone()))
    }
}

/// True for a URL with an address in it that is not public.
pub(crate) fn is_private(base_url: &BaseUrl) -> bool {
    base_url.literal_address().is_some_and(|address| AddressClass::of(address) != AddressClass::Public)
}

/// The setting that says where a key's server is, at providers that are servers or resources of one's own.
fn server_url(provider: &str) -> Option<Setting> {
    match provider {
        "vllm" => Some(Setting::VllmUrl),
        "ollama" => Some(Setting::OllamaUrl),
        "sgl" => Some(Setting::SglUrl),
        "azure" => Some(Setting::AzureEndpoint),
        _ => None,
    }
}

/// The texts of a key themselves.
fn key_texts(key: &UpstreamKey) -> KeyTexts {
    let itself = |source: &SecretSource| resolved(source.clone(), key.provider.as_str(), &key.name);
    let settings = key.settings.iter().filter_map(|(setting, source)| Some((*setting, itself(source)?)));
    KeyTexts {
        secret: key.secret.as_ref().and_then(itself),
        settings: settings.collect(),
        scopes: key.options.azure_scopes.clone(),
    }
}

/// The text itself; none for a variable that is not set, which the log then names.
pub(crate) fn resolved(source: SecretSource, provider: &str, of: &str) -> Option<SecretString> {
    match source {
        SecretSource::Literal(text) => Some(text.into()),
        SecretSource::Environment(name) => {
            let found = environment(&name);
            if found.is_none() {
                tracing::warn!(provider, of, "not usable: environment variable {name} is not set");
            }
            found
        }
    }
}

fn upstream(
    provider: Provider,
    keys: Vec<Credential>,
    keyless: Arc<KeyHealth>,
    headers: BTreeMap<String, SecretSource>,
) -> Upstream {
    let name = provider.name.as_str();
    let timeout = provider.network_config.default_request_timeout_in_seconds;
    let dialect = provider.custom_provider_config.as_ref().map_or(name, |custom| &custom.base_provider_type);
    Upstream {
        timeout: timeout.map_or(DEFAULT_TIMEOUT, |seconds| Duration::from_secs(seconds.into())),
        headers: headers.into_iter().filter_map(|(header, source)| extra_header(name, header, source)).collect(),
        known: KnownProvider::like(dialect),
        base_url: effective_base_url(name, &provider.network_config),
        retries: Retries::of(&provider.network_config),
        custom: provider.custom_provider_config,
        keys,
        keyless,
    }
}

pub(crate) fn extra_header(provider: &str, name: String, source: SecretSource) -> Option<(HeaderName, HeaderValue)> {
    let text = resolved(source, provider, &name)?;
    let value = HeaderValue::from_str(text.expose_secret()).ok().map(|mut value| {
        value.set_sensitive(true);
        value
    });
    if value.is_none() {
        tracing::warn!(provider, of = name, "not sent: the variable's text cannot be sent in a header");
    }
    Some((HeaderName::try_from(name).ok()?, value?))
}

/// The configured base URL, else the one that is built in for a known provider.
fn effective_base_url(name: &str, network: &NetworkConfig) -> Option<BaseUrl> {
    let known = || KnownProvider::find(name)?.base_url?.parse().ok();
    network.base_url.clone().or_else(known)
}
