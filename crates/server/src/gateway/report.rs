//! What is told of a request once it is answered: to the metrics, to its trace, to the log, and in an error.

use actix_web::{HttpResponse, web};
use keyward_core::error_body::ErrorExtra;
use keyward_core::ids::{RequestId, VirtualKeyId};

use crate::error::ApiError;
use crate::state::State;
use crate::telemetry::RequestTrace;
use crate::usage::Refused;

/// What is known of a request.
#[derive(Default)]
pub(super) struct About {
    pub(super) extra: ErrorExtra,
    pub(super) virtual_key: Option<VirtualKeyId>,
}

/// The report on one request, from its beginning to its answer.
pub(super) struct Report {
    state: web::Data<State>,
    trace: RequestTrace,
    request_id: RequestId,
    pub(super) about: About,
}

impl Report {
    /// Begins a report on a request of this type.
    pub(super) fn begin(
        state: web::Data<State>,
        trace: RequestTrace,
        request_id: RequestId,
        request_type: &str,
    ) -> Self {
        let extra = ErrorExtra { request_type: request_type.to_owned(), ..ErrorExtra::default() };
        Self { state, trace, request_id, about: About { extra, virtual_key: None } }
    }

    /// Tells how the request was answered; an error then says what it was about.
    pub(super) fn on(self, answered: Result<HttpResponse, ApiError>) -> Result<HttpResponse, ApiError> {
        match answered {
            Ok(response) => {
                self.answered(response.status().as_u16());
                Ok(response)
            }
            Err(error) => {
                let About { extra, virtual_key } = &self.about;
                let (provider, model) = (extra.provider.as_str(), extra.model_requested.as_str());
                self.state.refused(&error, Refused { virtual_key: virtual_key.as_ref(), provider, model });
                self.trace.refused(&error);
                Err(error.in_gateway(self.about.extra).of_key(self.about.virtual_key))
            }
        }
    }

    fn answered(&self, status: u16) {
        self.trace.answered(status);
        if status >= 400 {
            let About { extra, virtual_key } = &self.about;
            tracing::info!(
                request_id = self.request_id.as_str(),
                virtual_key_id = virtual_key.as_ref().map(VirtualKeyId::as_str),
                operation = extra.request_type,
                provider = extra.provider,
                status,
                "the provider answered with an error"
            );
        }
    }
}
