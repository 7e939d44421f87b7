//! Resolving: which provider, model and real key a request goes to, and whether the virtual key may use them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use keyward_core::catalogue::ModelCard;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::{ModelName, ProviderName};
use keyward_core::operation::Operation;
use keyward_core::price::{Price, VersionedPrice};
use keyward_core::pricing_override::{PriceList, Priced, RequestType};
use keyward_engine::{Permit, Principal};

use super::arriving::home_of;
use super::estimate::Served;
use super::routing::Place;
use crate::error::ApiError;
use crate::state::State;
use crate::upstreams::{Choosing, Destination, Out, Unserved, Upstream, Wanted, Why};
use crate::usage::{LONGEST_NAME, is_recordable};

/// Where a request goes.
pub(super) struct Route {
    pub(super) permit: Permit,
    pub(super) upstream: Arc<Upstream>,
    /// How long to wait for an answer to begin.
    pub(super) patience: Duration,
    pub(super) destination: Destination,
    pub(super) card: Option<ModelCard>,
    pub(super) price: Option<VersionedPrice>,
}

impl Route {
    /// Finds the way of a request of this kind to a place. The first byte of an answer is waited for no longer than `patience`.
    ///
    /// # Errors
    /// When nobody offers the model, the virtual key may not use it, or no key can serve.
    pub(super) fn resolve(
        state: &State,
        principal: Principal,
        place: &Place,
        kind: (Operation, bool),
        patience: Option<Duration>,
        choosing: &Choosing<'_>,
    ) -> Result<Self, ApiError> {
        let (operation, _) = kind;
        let provider = place.provider.clone().or_else(|| home_of(state, operation));
        let provider = provider.ok_or_else(|| nobody_offers(&place.model))?;
        let upstream = state.upstreams.find(&provider);
        let model = upstream.as_ref().map_or_else(|| place.model.clone(), |upstream| upstream.bare_model(&place.model));
        let permit = principal
            .permit(provider.clone(), model.clone())
            .map_err(|refusal| ApiError::from(refusal).at("/model"))?;
        let upstream = upstream.ok_or_else(|| {
            let message = format!("Provider '{provider}' is not configured");
            ApiError::new(ErrorCode::ProviderNotFound, message).at("/model")
        })?;
        let (access, pinned) = (permit.key_access(), place.key_id.as_ref());
        let destination = upstream
            .pick(&Wanted { access, pinned, model: model.as_str(), kind }, choosing)
            .map_err(|why| unserved(why, &provider, &model, (operation, choosing.now)))?;
        // An alias has the limits of the model that it stands for, if those are known.
        let card = state.catalogue.find(provider.as_str(), destination.model.as_str());
        let card = card.or_else(|| state.catalogue.find(provider.as_str(), model.as_str())).cloned();
        let priced = Priced {
            virtual_key: permit.virtual_key_id(),
            provider: permit.provider(),
            provider_key: &destination.key_id,
            model: destination.model.as_str(),
            request_type: RequestType::find(operation.request_type()).unwrap_or(RequestType::ChatCompletion),
        };
        let overrides = state.pricing.load();
        let otherwise = state.settings.unpriced_models.price();
        let prices = PriceList { catalogue: &state.catalogue, overrides: &overrides, otherwise };
        let price = match operation.is_free() {
            true => Some(VersionedPrice { price: Price::FREE, version: state.catalogue.version().into() }),
            false => prices.price(&priced, model.as_str()),
        };
        let patience = patience.map_or(upstream.timeout, |patience| patience.min(upstream.timeout));
        Ok(Self { permit, upstream, patience, destination, card, price })
    }

    /// Who serves the request.
    pub(super) fn served(&self) -> Served<'_> {
        Served {
            provider: self.permit.provider().as_str(),
            model: self.destination.model.as_str(),
            card: self.card.as_ref(),
        }
    }
}

/// The answer when the provider cannot serve the request.
pub(super) fn unserved(
    why: Unserved,
    provider: &ProviderName,
    model: &ModelName,
    (operation, now): (Operation, Timestamp),
) -> ApiError {
    match why {
        Unserved::Out(Out { why, until }) => {
            let (code, what) = match why {
                Why::Limited => (ErrorCode::ProviderKeyLimited, "is limited by the provider"),
                Why::Rejected => (ErrorCode::ProviderKeyUnavailable, "was not accepted by the provider"),
                Why::Failing => (ErrorCode::ProviderKeyUnavailable, "failed too often of late"),
            };
            let message =
                format!("Each key of provider '{provider}' that can serve '{model}' is passed over: one {what}");
            ApiError::new(code, message).retry_after(until.duration_since(now))
        }
        Unserved::Key => {
            let message = format!("No key of provider '{provider}' that this virtual key may use can serve '{model}'");
            ApiError::new(ErrorCode::ProviderKeyUnavailable, message)
        }
        Unserved::Provider => {
            let message = format!("Keyward cannot call provider '{provider}' yet: its settings are only stored");
            ApiError::new(ErrorCode::ProviderNotSupported, message).at("/model")
        }
        Unserved::Operation => {
            let kind = operation.request_type();
            let message = format!("Provider '{provider}' has no such endpoint ({kind} in this dialect)");
            ApiError::new(ErrorCode::InvalidRequest, message).at("/model")
        }
        Unserved::Kind => {
            let message = format!("Provider '{provider}' does not take this kind of request (allowed_requests)");
            ApiError::new(ErrorCode::InvalidRequest, message).at("/model")
        }
    }
}

/// What a request asks for: `provider/model`, where the model may have slashes of its own, or a model alone. It is recorded,
/// so it has to be a short text without control characters.
pub(super) fn asked(model: &str) -> Result<Place, ApiError> {
    let refuse = |message: String| Err(ApiError::new(ErrorCode::InvalidRequest, message).at("/model"));
    if !is_recordable(model) {
        return refuse(format!("model must have at most {LONGEST_NAME} bytes and no control characters"));
    }
    let (provider, model) = match model.split_once('/') {
        Some((provider, rest)) if !provider.is_empty() && !rest.is_empty() => (Some(provider.into()), rest),
        None if !model.is_empty() => (None, model),
        Some(_) | None => {
            let message = "must be 'provider/model', such as 'openai/gpt-4o-mini', or a model alone";
            return refuse(format!("model {message}, not '{model}'"));
        }
    };
    Ok(Place { provider, model: model.into(), key_id: None })
}

pub(super) fn nobody_offers(model: &ModelName) -> ApiError {
    let message = format!(
        "No provider is known to offer '{model}' to this virtual key; name one: 'provider/model', such as \
         'openai/gpt-4o-mini'"
    );
    ApiError::new(ErrorCode::InvalidRequest, message).at("/model")
}
