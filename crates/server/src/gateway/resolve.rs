//! Resolving: which provider, model and real key a request goes to, and whether the virtual key may use them.

use std::sync::Arc;

use keyward_core::catalogue::ModelCard;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::{ModelName, ProviderKeyId, ProviderName};
use keyward_core::price::Price;
use keyward_core::pricing_override::{Priced, RequestType};
use keyward_engine::{Permit, Principal};
use secrecy::SecretString;

use super::scan::ChatScan;
use crate::config::UnpricedModels;
use crate::error::ApiError;
use crate::state::State;
use crate::upstreams::Upstream;

/// Where a request goes.
pub(super) struct Route {
    pub(super) permit: Permit,
    pub(super) upstream: Arc<Upstream>,
    pub(super) key_id: ProviderKeyId,
    pub(super) secret: SecretString,
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
        let picked = upstream.pick(permit.key_access(), model.as_str()).ok_or_else(|| {
            let message = format!("No key of provider '{provider}' that this virtual key may use can serve '{model}'");
            ApiError::new(ErrorCode::ProviderKeyUnavailable, message)
        })?;
        let (key_id, secret) = (picked.0.clone(), picked.1.clone());
        let card = state.catalogue.find(provider.as_str(), model.as_str());
        let own = card.map(|card| card.price).or(match state.settings.unpriced_models {
            UnpricedModels::Refuse => None,
            UnpricedModels::Free => Some(Price::FREE),
        });
        let priced = Priced {
            virtual_key: permit.virtual_key_id(),
            provider: permit.provider(),
            provider_key: &key_id,
            model: permit.model().as_str(),
            request_type: RequestType::ChatCompletion,
        };
        let price = state.pricing.load().price(&priced, own);
        Ok(Self { permit, upstream, key_id, secret, card, price })
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
