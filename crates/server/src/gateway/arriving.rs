//! What has come in at one of the gateway's routes, and its way through the stages.

use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::ProviderName;
use keyward_core::operation::{Dialect, Operation};

use super::attempts::Attempts;
use super::credential::{Metered, MeteringClass};
use super::objects;
use super::report::{About, Report};
use super::routing::{Asked, Lots, Plan, Sight};
use super::scan::{Reading, Scan};
use crate::error::ApiError;
use crate::mcp::offered::Offering;
use crate::request_id::RequestIdentity;
use crate::state::State;
use crate::telemetry::RequestTrace;
use crate::{clock, mcp};

/// A request at a route that is metered as `C`: whose it is is known, its body is not read yet.
pub(super) struct Arriving<C> {
    pub(super) caller: Metered<C>,
    pub(super) request: HttpRequest,
    pub(super) identity: RequestIdentity,
    pub(super) state: web::Data<State>,
    pub(super) payload: Payload,
    pub(super) trace: RequestTrace,
}

/// What a route makes of a request.
pub(super) struct Wanted {
    pub(super) operation: Operation,
    /// The model, where the path has it.
    pub(super) model: Option<String>,
    /// True where the path asks for a stream.
    pub(super) streamed: bool,
}

impl From<Operation> for Wanted {
    fn from(operation: Operation) -> Self {
        Self { operation, model: None, streamed: false }
    }
}

impl<C: MeteringClass> FromRequest for Arriving<C> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let no_state = || ApiError::new(ErrorCode::Internal, "The server has no state");
        let mut arriving = || {
            let state = request.app_data::<web::Data<State>>().cloned().ok_or_else(no_state)?;
            let identity = RequestIdentity::of(request)?;
            let trace = RequestTrace::begin(&state, request, identity.id().as_str());
            let caller = Metered::of(request, &state).inspect_err(|error| trace.refused(error))?;
            Ok(Self { caller, request: request.clone(), identity, state, payload: payload.take(), trace })
        };
        ready(arriving())
    }
}

impl<C: MeteringClass> Arriving<C> {
    /// Serves the request: from here on it is all the same in every dialect.
    ///
    /// # Errors
    /// Whatever keeps it from being served.
    pub(super) async fn serve(self, wanted: impl Into<Wanted>) -> Result<HttpResponse, ApiError> {
        let wanted = wanted.into();
        let mut report = self.report(wanted.operation.request_type());
        // The way through the stages is large, and a handler's future is moved about until it runs.
        let answered = Box::pin(self.run(wanted, &mut report.about)).await;
        report.on(answered)
    }

    /// The report on this request, which is one of such a type.
    pub(super) fn report(&self, request_type: &str) -> Report {
        Report::begin(self.state.clone(), self.trace.clone(), self.identity.id().clone(), request_type)
    }

    async fn run(self, wanted: Wanted, about: &mut About) -> Result<HttpResponse, ApiError> {
        let Self { caller, request, identity, state, payload, trace } = self;
        let Wanted { operation, model, streamed } = wanted;
        let principal = match state.engine.identify(&caller.hash, clock::now()) {
            Ok(principal) => principal,
            Err(refusal) => {
                crate::body::pass_over(&request, payload).await;
                return Err(refusal.into());
            }
        };
        about.virtual_key = Some(principal.virtual_key_id().clone());
        let body = crate::body::read(&request, payload, state.settings.max_gateway_body_bytes).await?;
        // Reading took a while: what the key may do now is what counts.
        let principal = state.engine.identify(&caller.hash, clock::now())?;
        let content_type = request.headers().get(actix_web::http::header::CONTENT_TYPE);
        let reading = Reading { operation, in_path: model.as_deref(), streamed, content_type };
        let narrowing = mcp::narrowing(&request);
        let offering = Offering { mcp: &state.mcp, principal: &principal, narrowing: &narrowing };
        let scan = offering.guard(Scan::read(&reading, &body).await, |scan| scan.is_described, &body)?;
        let asked = Asked::of(&scan.model, scan.fallbacks.as_deref())?;
        about.extra.model_requested = scan.model.clone();
        trace.asks(principal.virtual_key_id(), operation, &scan.model);
        let lots = Lots::of(request.headers(), || state.engine.holder(&principal).virtual_key_id)?;
        let sight = Sight {
            headers: request.headers(),
            query: request.query_string(),
            body_bytes: body.len(),
            operation,
            is_rehearsal: false,
        };
        // What the provider keeps is only where it was made.
        let plan = match objects::place(&state, &principal, &scan, &asked.place).await? {
            Some(place) => Plan::to(place),
            None => Plan::of(&state, &principal, &sight, asked, &lots)?,
        };
        let (hash, scan, extra) = (caller.hash, Rc::new(scan), &mut about.extra);
        Attempts { request, identity, state, hash, scan, body, extra, trace, lots, admitted: 0 }.run(plan).await
    }
}

/// Whose dialect it is, when nobody else is known to offer a model and it can be called. In OpenAI's, which everybody speaks, a
/// model that nobody is known to offer is nobody's.
pub(super) fn home_of(state: &State, operation: Operation) -> Option<ProviderName> {
    let dialect = operation.dialect();
    let is_at_home = match dialect {
        // Nobody else has it.
        Dialect::OpenAi => operation == Operation::Moderations,
        Dialect::Anthropic | Dialect::Gemini => true,
    };
    let home = is_at_home.then(|| ProviderName::from(dialect.home()));
    home.filter(|home| state.upstreams.offers(home, operation))
}
