//! Resolving: which provider, model and real key a request goes to, and whether the virtual key may use them.

use std::sync::Arc;

use keyward_core::catalogue::ModelCard;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::{ModelName, ProviderName};
use keyward_core::price::Price;
use keyward_engine::{Permit, Principal};

use super::scan::ChatScan;
use crate::config::UnpricedModels;
use crate::error::ApiError;
use crate::state::State;
use crate::upstreams::{Destination, Unserved, Upstream};

/// Where a request goes.
pub(super) struct Route {
    pub(super) permit: Permit,
    pub(super) upstream: Arc<Upstream>,
    pub(super) destination: Destination,
    pub(super) card: Option<ModelCard>,
    pub(super) price: Option<Price>,
}

impl Route {
    pub(super) fn resolve(state: &State, principal: Principal, scan: &ChatScan) -> Result<Self, ApiError> {
        let (provider, model) = split(&scan.model)?;
        let permit = principal
            .permit(provider.clone(), model.clone())
            .map_err(|refusal| ApiError::from(refusal).at("/model"))?;
        let upstream = state.upstreams.find(&provider).ok_or_else(|| {
            let message = format!("Provider '{provider}' is not configured");
            ApiError::new(ErrorCode::ProviderNotFound, message).at("/model")
        })?;
        let destination = upstream
            .pick(permit.key_access(), model.as_str(), scan.kind())
            .map_err(|why| unserved(why, &provider, &model))?;
        // An alias has the price of the model that it stands for, if that is known.
        let card = state.catalogue.find(provider.as_str(), destination.model.as_str());
        let card = card.or_else(|| state.catalogue.find(provider.as_str(), model.as_str()));
        let price = card.map(|card| card.price).or(match state.settings.unpriced_models {
            UnpricedModels::Refuse => None,
            UnpricedModels::Free => Some(Price::FREE),
        });
        Ok(Self { permit, upstream, destination, card, price })
    }
}

/// The answer when the provider cannot serve the request.
fn unserved(why: Unserved, provider: &ProviderName, model: &ModelName) -> ApiError {
    match why {
        Unserved::Key => {
            let message = format!("No key of provider '{provider}' that this virtual key may use can serve '{model}'");
            ApiError::new(ErrorCode::ProviderKeyUnavailable, message)
        }
        Unserved::Provider => {
            let message = format!("Keyward cannot call provider '{provider}' yet: its settings are only stored");
            ApiError::new(ErrorCode::ProviderNotSupported, message).at("/model")
        }
        Unserved::Kind => {
            let message = format!("Provider '{provider}' does not take this kind of request (allowed_requests)");
            ApiError::new(ErrorCode::InvalidRequest, message).at("/model")
        }
    }
}

/// The longest model name that is recorded, in bytes.
const MAX_MODEL: usize = 256;

/// `provider/model`; the model may have slashes of its own. It is recorded, so it has to be a short text without control
/// characters.
fn split(model: &str) -> Result<(ProviderName, ModelName), ApiError> {
    let refuse = |message: String| Err(ApiError::new(ErrorCode::InvalidRequest, message).at("/model"));
    if model.len() > MAX_MODEL || model.chars().any(char::is_control) {
        return refuse(format!("model must have at most {MAX_MODEL} bytes and no control characters"));
    }
    match model.split_once('/') {
        Some((provider, model)) if !provider.is_empty() && !model.is_empty() => Ok((provider.into(), model.into())),
        Some(_) | None => {
            refuse(format!("model must be 'provider/model', such as 'openai/gpt-4o-mini', not '{model}'"))
        }
    }
}
