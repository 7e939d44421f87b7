//! Asking the engine: what a request asks for at its route, said in one way for admission and for its explanation.

use bytes::Bytes;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::RequestId;
use keyward_core::pricing_override::RequestType;
use keyward_engine::Attempt;

use super::estimate::Estimate;
use super::resolve::Route;
use super::scan::Scan;
use crate::error::ApiError;
use crate::state::State;

/// Makes sure that the server may admit at all.
pub(crate) fn ready(state: &State) -> Result<(), ApiError> {
    if state.is_draining() {
        return Err(ApiError::new(ErrorCode::ShuttingDown, "The server is about to stop"));
    }
    state.freshness.check()
}

/// Asks with the estimate of a scanned body. Returns what came of it, and the output cap that has to be set in any case: what
/// nothing bounds is bounded by the cap that it was held for.
pub(super) fn ask<T>(
    state: &State,
    scan: &Scan,
    body: &Bytes,
    route: &Route,
    (request_id, attempt): (RequestId, i32),
    engine: impl FnOnce(Attempt<'_>) -> T,
) -> (T, Option<u64>) {
    let served = route.served();
    let estimate = Estimate::of(scan, &served, body.len());
    let possible = scan.possible(route.price.as_ref().map(|known| &known.price), body.len());
    let counted = || scan.counted_input(body, &state.tokenizers, &served);
    let attempt = Attempt {
        request_id,
        attempt,
        request_type: RequestType::find(scan.operation.request_type()),
        provider_key_id: route.destination.key_id.clone(),
        model_served: route.destination.model.clone(),
        price: route.price.clone(),
        demand: estimate.demand(&counted, state.settings.min_output_tokens, possible),
    };
    (engine(attempt), estimate.open_cap)
}
