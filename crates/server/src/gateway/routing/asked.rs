//! What a request asks for: a place, and where else it may go.

use keyward_core::error_code::ErrorCode;
use keyward_core::invalid::Pointer;
use keyward_core::routing_rule::{Fallback, FallbackParts, MAX_FALLBACKS};

use super::Place;
use crate::error::ApiError;
use crate::gateway::resolve::asked;

/// What a request asks for.
pub(in crate::gateway) struct Asked {
    pub(in crate::gateway) place: Place,
    /// Where it goes next when that fails; none: it does not say.
    pub(in crate::gateway) fallbacks: Option<Vec<Place>>,
}

impl Asked {
    /// Reads what the request says. A fallback is written as the model is.
    ///
    /// # Errors
    /// A name that is none, or too many fallbacks.
    pub(in crate::gateway) fn of(model: &str, fallbacks: Option<&[Fallback]>) -> Result<Self, ApiError> {
        let place = asked(model)?;
        if fallbacks.is_some_and(|fallbacks| fallbacks.len() > MAX_FALLBACKS) {
            let message = format!("a request has at most {MAX_FALLBACKS} fallbacks");
            return Err(ApiError::new(ErrorCode::InvalidRequest, message).at("/fallbacks"));
        }
        let read = |(index, fallback): (usize, &Fallback)| {
            let at = Pointer::from("fallbacks").element(index);
            match fallback {
                Fallback::Text(text) => asked(text),
                Fallback::Parts(FallbackParts { provider, model }) => asked(&format!("{provider}/{model}")),
            }
            .map_err(|error| error.at(at))
        };
        let fallbacks = fallbacks.map(|fallbacks| fallbacks.iter().enumerate().map(read).collect());
        Ok(Self { place, fallbacks: fallbacks.transpose()? })
    }
}
