//! The requests of a batch, collected one by one: each is read as it would be on its own, may use what it could use on its own, and
//! all go to one provider with one provider key.

use bytes::Bytes;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::{ModelName, ProviderKeyId, ProviderName};
use keyward_core::operation::Operation;
use keyward_core::provider_object::{ObjectKind, ObjectModel};
use keyward_engine::Principal;

use crate::clock;
use crate::error::ApiError;
use crate::gateway::arriving::home_of;
use crate::gateway::estimate::Served;
use crate::gateway::resolve::{asked, nobody_offers, unserved};
use crate::gateway::routing::{Lots, Place, providers_for};
use crate::gateway::scan::Scan;
use crate::pieces::Pieces;
use crate::state::State;
use crate::upstreams::{Choosing, Wanted};

/// What was found out about the requests so far.
pub(super) struct Collected<'a> {
    state: &'a State,
    principal: &'a Principal,
    kind: ObjectKind,
    /// Where they go; none: nobody has said yet.
    pub(super) provider: Option<ProviderName>,
    /// The key of the first; none: the provider needs none, or nothing was collected.
    key_id: Option<ProviderKeyId>,
    pub(super) models: Vec<ObjectModel>,
}

impl<'a> Collected<'a> {
    pub(super) const fn new(
        state: &'a State,
        principal: &'a Principal,
        kind: ObjectKind,
        provider: Option<ProviderName>,
    ) -> Self {
        Self { state, principal, kind, provider, key_id: None, models: Vec::new() }
    }

    /// The key that serves all of them; empty at a provider that needs none.
    pub(super) fn key_id(&self) -> ProviderKeyId {
        self.key_id.clone().unwrap_or_else(|| "".into())
    }

    /// Takes one request, and returns its body as the provider shall get it.
    ///
    /// # Errors
    /// What would be refused on its own is refused here.
    pub(super) fn take(&mut self, operation: Operation, body: &Bytes) -> Result<Pieces, ApiError> {
        let scan = Scan::of(operation, None, body)?;
        if scan.stream {
            return Err(ApiError::new(ErrorCode::InvalidRequest, "a batch answers nothing in pieces").at("/stream"));
        }
        if scan.fallbacks.is_some() {
            let message = "a request in a batch has no fallbacks: all go to one provider";
            return Err(ApiError::new(ErrorCode::InvalidRequest, message).at("/fallbacks"));
        }
        if !scan.kept.is_empty() {
            let message = "a request in a batch cannot refer to what a provider keeps";
            return Err(ApiError::new(ErrorCode::InvalidRequest, message));
        }
        let Place { provider, model, .. } = asked(&scan.model)?;
        let provider = self.provider_of(operation, provider, &model)?;
        let served = self.served(operation, &provider, model)?;
        scan.splice(body, &Served { provider: provider.as_str(), model: served.as_str(), card: None }, None)
    }

    /// Who serves the request: the same as all before.
    fn provider_of(
        &mut self,
        operation: Operation,
        named: Option<ProviderName>,
        model: &ModelName,
    ) -> Result<ProviderName, ApiError> {
        if let Some(provider) = &self.provider {
            return match named {
                Some(other) if other != *provider => {
                    let message = format!("it names provider '{other}', and the batch goes to '{provider}'");
                    Err(ApiError::new(ErrorCode::InvalidRequest, message).at("/model"))
                }
                Some(_) | None => Ok(provider.clone()),
            };
        }
        let (state, principal) = (self.state, self.principal);
        let drawn = || providers_for(state, principal, model, operation, &Lots::of_chance()).into_iter().next();
        let provider = named.or_else(drawn).or_else(|| home_of(state, operation));
        let provider = provider.ok_or_else(|| nobody_offers(model))?;
        if state.upstreams.find(&provider).is_some() && !state.upstreams.keeps(&provider, self.kind) {
            let message = format!("Provider '{provider}' has no such endpoint ({})", self.kind.words());
            return Err(ApiError::new(ErrorCode::InvalidRequest, message).at("/model"));
        }
        self.provider = Some(provider.clone());
        Ok(provider)
    }

    /// What the provider calls the model, which the virtual key must be allowed to use.
    fn served(
        &mut self,
        operation: Operation,
        provider: &ProviderName,
        model: ModelName,
    ) -> Result<ModelName, ApiError> {
        if let Some(known) = self.models.iter().find(|known| known.asked == model) {
            return Ok(known.served.clone());
        }
        let permit = self.principal.clone().permit(provider.clone(), model.clone());
        let permit = permit.map_err(|refusal| ApiError::from(refusal).at("/model"))?;
        let upstream = self.state.upstreams.find(provider).ok_or_else(|| {
            let message = format!("Provider '{provider}' is not configured");
            ApiError::new(ErrorCode::ProviderNotFound, message).at("/model")
        })?;
        let (access, pinned, lots) = (permit.key_access(), self.key_id.as_ref(), Lots::of_chance());
        let lot = |name: &str| lots.of_name("key", name);
        // Nothing is sent to the model now.
        let choosing = Choosing { lot: &lot, tried: &[], now: clock::now(), is_rehearsal: true };
        let destination = upstream
            .pick(&Wanted { access, pinned, model: model.as_str(), kind: (operation, false) }, &choosing)
            .map_err(|why| unserved(why, provider, &model, (operation, choosing.now)))?;
        self.key_id = Some(destination.key_id).filter(|id| !id.as_str().is_empty());
        self.models.push(ObjectModel { asked: model, served: destination.model.clone() });
        Ok(destination.model)
    }
}
