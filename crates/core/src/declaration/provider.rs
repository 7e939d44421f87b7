//! The providers of a file, and their keys. A key without an id is known by its name.

use super::{Basis, definition, full, set};
use crate::ids::{Mint, ProviderKeyId, ProviderName};
use crate::invalid::{Invalid, Pointer};
use crate::patch::Patch;
use crate::provider::{
    CreateProvider, CreateProviderKey, NetworkConfigInput, Provider, ProviderDraft, ProviderKey, ProviderKeyDraft,
    UpdateProvider, UpdateProviderKey,
};

/// A provider of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredProvider {
    /// Its name.
    pub name: ProviderName,
    /// Where it stands in the file.
    pub at: Pointer,
    /// Everything but its keys.
    pub request: CreateProvider,
    /// Its keys; none: the file does not speak of them.
    pub keys: Option<Vec<DeclaredKey>>,
}

/// A provider key of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredKey {
    /// Its id; none: it is known by its name.
    pub id: Option<ProviderKeyId>,
    /// Everything else.
    pub request: CreateProviderKey,
}

impl DeclaredKey {
    /// The file's definition of it.
    #[must_use]
    pub fn definition(&self) -> String {
        definition(&("provider_key", &self.id, &self.request))
    }

    /// Whether this is the key that it declares.
    #[must_use]
    pub fn is(&self, key: &ProviderKey) -> bool {
        self.id.as_ref().map_or(key.name == self.request.name, |id| key.id == *id)
    }
}

impl DeclaredProvider {
    /// The file's definition of it, without those of its keys.
    #[must_use]
    pub fn definition(&self) -> String {
        definition(&("provider", &self.name, &self.request))
    }

    /// What the file makes of `before`; none when it changes nothing.
    ///
    /// # Errors
    /// What cannot be carried out, and where in the file it stands.
    pub fn edit(
        &self,
        before: Option<&Provider>,
        basis: Basis<'_>,
        mint: Mint<'_>,
    ) -> Result<Option<ProviderDraft>, Invalid> {
        let edited = match before {
            None => self.made(mint).map(Some),
            Some(before) => self.edited(before, basis, mint),
        };
        edited.map_err(|invalid| self.locate(invalid))
    }

    /// The same, said of the file instead of the request.
    #[must_use]
    pub fn locate(&self, invalid: Invalid) -> Invalid {
        // The name is the member's own name, not one of its members.
        match invalid.pointer.within(&"name".into()) {
            Some(_) => Invalid { pointer: self.at.clone(), ..invalid },
            None => invalid.under(&self.at),
        }
    }

    fn made(&self, mint: Mint<'_>) -> Result<ProviderDraft, Invalid> {
        let mut draft = CreateProvider { keys: Vec::new(), ..self.request.clone() }.check(&mut *mint)?;
        let mut keys = Vec::new();
        for (declared, at) in self.placed() {
            keys.push(new_key(declared, &at, &mut *mint)?);
        }
        draft.keys = Some(keys);
        Ok(draft)
    }

    fn edited(&self, before: &Provider, basis: Basis<'_>, mint: Mint<'_>) -> Result<Option<ProviderDraft>, Invalid> {
        let replaces = basis.differs(&self.definition(), &before.config_hash);
        let mut changes = replaces;
        let mut keys = Vec::new();
        for (declared, at) in self.placed() {
            let draft = match before.keys.iter().find(|key| declared.is(key)) {
                Some(key) if !basis.differs(&declared.definition(), &key.config_hash) => ProviderKeyDraft::kept(key),
                found => {
                    changes = true;
                    match found {
                        Some(key) => UpdateProviderKey::from(declared.request.clone()).replace(key, &at)?,
                        None => new_key(declared, &at, &mut *mint)?,
                    }
                }
            };
            keys.push(draft);
        }
        let declared = |key: &&ProviderKey| self.keys.iter().flatten().any(|declared| declared.is(key));
        for key in before.keys.iter().filter(|key| !declared(key)) {
            match basis.is_authoritative && self.keys.is_some() {
                true => changes = true,
                false => keys.push(ProviderKeyDraft::kept(key)),
            }
        }
        if !changes {
            return Ok(None);
        }
        let update = if replaces { self.replacement() } else { UpdateProvider::default() };
        let draft = update.apply(before, mint)?;
        Ok(Some(ProviderDraft { keys: Some(keys), ..draft }))
    }

    fn placed(&self) -> impl Iterator<Item = (&DeclaredKey, Pointer)> {
        let at = Pointer::from("keys");
        self.keys.iter().flatten().enumerate().map(move |(index, key)| (key, at.element(index)))
    }

    /// The request that leaves nothing of what was, but the keys.
    fn replacement(&self) -> UpdateProvider {
        let request = self.request.clone();
        let network = request.network_config;
        UpdateProvider {
            network_config: Patch::Value(NetworkConfigInput {
                base_url: full(network.base_url),
                extra_headers: full(network.extra_headers),
                default_request_timeout_in_seconds: full(network.default_request_timeout_in_seconds),
                max_retries: full(network.max_retries),
                retry_backoff_initial: full(network.retry_backoff_initial),
                retry_backoff_max: full(network.retry_backoff_max),
                insecure_skip_verify: network.insecure_skip_verify,
                ca_cert_pem: network.ca_cert_pem,
            }),
            concurrency_and_buffer_size: set(request.concurrency_and_buffer_size),
            proxy_config: request.proxy_config,
            send_back_raw_request: Some(request.send_back_raw_request.unwrap_or(false)),
            send_back_raw_response: Some(request.send_back_raw_response.unwrap_or(false)),
            store_raw_request_response: Some(request.store_raw_request_response.unwrap_or(false)),
            custom_provider_config: set(request.custom_provider_config),
            description: Patch::Value(request.description),
            ..UpdateProvider::default()
        }
    }
}

fn new_key(declared: &DeclaredKey, at: &Pointer, mint: Mint<'_>) -> Result<ProviderKeyDraft, Invalid> {
    let draft = declared.request.clone().check(at, mint)?;
    Ok(ProviderKeyDraft { id: declared.id.clone().unwrap_or_else(|| draft.id.clone()), ..draft })
}
