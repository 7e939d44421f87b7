//! Whether a batch may be begun: what it will cost is not known, so that it cannot be held. Hard limits on money and tokens refuse it;
//! soft limits let it through as long as they are not used up, shadow limits always, and both are charged afterwards.

use keyward_core::error_code::ErrorCode;
use keyward_core::ids::{ProviderKeyId, ProviderName, RequestId};
use keyward_core::meter::{Enforcement, Metric};
use keyward_core::provider_object::{ObjectKind, ObjectModel};
use keyward_core::refusal::Refusal;
use keyward_engine::{MeterLevel, Principal};

use super::tally::{Subject, price};
use super::way::one_request;
use crate::clock;
use crate::error::ApiError;
use crate::state::State;

/// What a batch will be made of.
pub(super) struct Intent<'a> {
    pub(super) request_id: &'a RequestId,
    pub(super) kind: ObjectKind,
    pub(super) provider: &'a ProviderName,
    pub(super) key_id: &'a ProviderKeyId,
    pub(super) endpoint: Option<&'a str>,
    pub(super) models: &'a [ObjectModel],
}

/// Makes sure that a batch may be begun, with each of its models.
pub(super) fn check(state: &State, principal: &Principal, intent: &Intent<'_>) -> Result<(), ApiError> {
    let Intent { request_id, kind, provider, key_id, endpoint, models } = *intent;
    for model in models {
        let permit = principal.clone().permit(provider.clone(), model.asked.clone())?;
        let subject = Subject { virtual_key: principal.virtual_key_id(), provider, key_id, kind, endpoint };
        let has_price = price(state, &subject, model).is_some();
        for level in state.engine.coverage(&permit).levels(clock::now()) {
            match (level.metric, level.enforcement) {
                (Metric::Cost | Metric::Tokens, Enforcement::Hard) => return Err(not_bounded(&level)),
                (Metric::Cost, Enforcement::Soft | Enforcement::Shadow) if !has_price => {
                    let (provider, model) = (provider.clone(), model.asked.clone());
                    return Err(Refusal::PriceUnknown { scope: level.scope, provider, model }.into());
                }
                (
                    Metric::Cost | Metric::Tokens | Metric::Requests | Metric::ParallelRequests,
                    Enforcement::Hard | Enforcement::Soft | Enforcement::Shadow,
                ) => {}
            }
        }
        // The batch is admitted as one request for its first model: the limits of the others are asked here.
        let attempt = one_request(state, &permit, key_id, request_id.clone());
        state.engine.explain(&permit, &attempt, clock::now()).verdict?;
    }
    Ok(())
}

fn not_bounded(level: &MeterLevel) -> ApiError {
    let what = match level.metric {
        Metric::Cost => "budget",
        Metric::Tokens => "token limit",
        Metric::Requests | Metric::ParallelRequests => "request limit",
    };
    let (scope, id) = (level.scope.kind.words(), &level.scope.id);
    let message = format!(
        "A hard {what} covers the batch ({scope} '{id}', limit '{}'), and what a batch will cost cannot be held: send the requests \
         one by one, or let the limit be soft",
        level.limit
    );
    ApiError::new(ErrorCode::BatchNotBounded, message)
}
