//! Attempts: each is resolved, admitted and booked on its own. One that fails before the client has got a byte is tried again at
//! its place, as far as the provider's settings allow, and then makes way for the next place of the plan; a refusal of the virtual
//! key itself, or of an owner, ends the request.

use std::rc::Rc;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use keyward_core::error_body::ErrorExtra;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::{ModelName, ProviderName};
use keyward_core::refusal::Refusal;
use keyward_core::scope::ScopeKind;
use keyward_core::secret::KeyHash;
use keyward_engine::{Admission, Attempt};

use super::answer::Expected;
use super::asking::{ask, ready};
use super::bedrock;
use super::books::Books;
use super::dispatch::{Call, Draft};
use super::estimate::Served;
use super::objects::Keeping;
use super::resolve::Route;
use super::routing::{Lots, Place, Plan};
use super::scan::Scan;
use super::untold::Untold;
use super::upstream_client::UpstreamClient;
use super::watch::Watch;
use super::{dispatch, relay, telling};
use crate::clock;
use crate::credentials::Stamp;
use crate::error::ApiError;
use crate::pieces::Pieces;
use crate::request_id::RequestIdentity;
use crate::state::State;
use crate::telemetry::RequestTrace;
use crate::upstreams::{Choosing, Destination, Failure, Verdict};

mod tries;

use tries::Tries;

/// A request on its way through the places of its plan.
pub(super) struct Attempts<'a> {
    pub(super) request: HttpRequest,
    pub(super) identity: RequestIdentity,
    pub(super) state: web::Data<State>,
    pub(super) hash: KeyHash,
    pub(super) scan: Rc<Scan>,
    pub(super) body: Bytes,
    pub(super) extra: &'a mut ErrorExtra,
    pub(super) trace: RequestTrace,
    pub(super) lots: Lots,
    /// How many attempts were admitted.
    pub(super) admitted: i32,
}

/// How an attempt did not serve.
pub(super) enum Setback {
    /// Another place may serve.
    Passing(ApiError),
    /// It would be the same everywhere.
    Final(ApiError),
}

impl Setback {
    /// Lets the answer say what the meters read.
    fn telling(self, told: telling::Told) -> Self {
        match self {
            Self::Passing(error) => Self::Passing(error.telling(told)),
            Self::Final(error) => Self::Final(error.telling(told)),
        }
    }

    pub(super) fn into_error(self) -> ApiError {
        match self {
            Self::Passing(error) | Self::Final(error) => error,
        }
    }
}

impl Attempts<'_> {
    /// Tries one place after the other. When all fail, the last failure is the answer. It tells how many attempts there were.
    pub(super) async fn run(mut self, plan: Plan) -> Result<HttpResponse, ApiError> {
        let answer = self.through(&plan).await;
        let attempts = (HeaderName::from_static("x-keyward-attempts"), HeaderValue::from(self.admitted));
        match answer {
            Ok(mut response) => {
                telling::put(response.headers_mut(), [attempts]);
                Ok(response)
            }
            Err(error) => Err(error.telling([attempts])),
        }
    }

    async fn through(&mut self, plan: &Plan) -> Result<HttpResponse, ApiError> {
        let mut places = plan.places.iter().peekable();
        while let Some(place) = places.next() {
            let is_last = places.peek().is_none();
            match self.at(plan, place).await {
                Ok(response) if is_last || failure(&response).is_none() => return Ok(response),
                Err(setback @ Setback::Final(_)) => return Err(setback.into_error()),
                Err(setback @ Setback::Passing(_)) if is_last => return Err(setback.into_error()),
                Ok(_) | Err(Setback::Passing(_)) => self.state.metrics.fell_back(),
            }
        }
        Err(ApiError::new(ErrorCode::Internal, "The plan of the request has no place"))
    }

    /// Tries a place, and again as long as its provider's settings have it so. The client's going away ends it: then nobody asks
    /// for the answer.
    async fn at(&mut self, plan: &Plan, place: &Place) -> Result<HttpResponse, Setback> {
        let mut tries = Tries::begin();
        let mut outcome = self.attempt(plan, place, &mut tries).await;
        while let Some(wait) = failed(&outcome).and_then(|of| tries.wait(of, rand::random(), clock::now())) {
            tokio::time::sleep(wait).await;
            self.state.metrics.retried();
            match self.attempt(plan, place, &mut tries).await {
                // It did not come to another try: what the provider said is the answer.
                Err(Setback::Passing(_)) if !tries.was_sent() => return outcome,
                next => outcome = next,
            }
        }
        outcome
    }

    async fn attempt(&mut self, plan: &Plan, place: &Place, tries: &mut Tries) -> Result<HttpResponse, Setback> {
        tries.next();
        // What the key may do now is what counts, also after another attempt took its time.
        let principal = self.state.engine.identify(&self.hash, clock::now()).map_err(setback)?;
        let lot = |name: &str| self.lots.of_name("key", name);
        let choosing = Choosing { lot: &lot, tried: tries.keys(), now: clock::now(), is_rehearsal: false };
        let route = Route::resolve(&self.state, principal, place, self.scan.kind(), plan.patience, &choosing);
        let route = route.map_err(Setback::Passing)?;
        let coverage = self.state.engine.coverage(&route.permit);
        match self.serve(plan, place, route, tries).await {
            Ok(mut response) => {
                telling::put(response.headers_mut(), telling::limits(&coverage, clock::now()));
                Ok(response)
            }
            Err(setback) => Err(setback.telling(telling::limits(&coverage, clock::now()))),
        }
    }

    async fn serve(
        &mut self,
        plan: &Plan,
        place: &Place,
        mut route: Route,
        tries: &mut Tries,
    ) -> Result<HttpResponse, Setback> {
        let (provider, model) = (route.permit.provider().clone(), route.permit.model().clone());
        self.extra.provider = provider.to_string();
        ready(&self.state).map_err(Setback::Final)?;
        let stamp = self.stamp(&mut route).await?;
        let (admission, output_cap) = self.admit(&route)?;
        let about = ErrorExtra { model_requested: format!("{provider}/{model}"), ..self.extra.clone() };
        let watched = (&route, self.scan.as_ref(), &self.body);
        let watch = Watch::begin(&self.state, &self.trace, watched, (&admission, self.admitted - 1));
        let mut books = Books::open(self.state.clone(), admission, about, watch);
        let draft = dispatch::prepare(&self.request, &route, &self.scan);
        let call = match self.written(&route, (draft, stamp), output_cap, &mut books).await {
            Ok(call) => call,
            Err(error) => {
                books.release();
                return Err(Setback::Final(error));
            }
        };
        tries.sent(&route, place, self.scan.kind());
        let relayed = relay::relay(&self.request, books, call, route.destination.trial.take()).await;
        relayed
            .map(|response| labelled(response, plan, &provider, &model, output_cap))
            .map_err(|error| if is_of_upstream(error.code()) { Setback::Passing(error) } else { Setback::Final(error) })
    }

    /// What the request shows. A key without a valid credential makes way for another place, before anything is held.
    async fn stamp(&self, route: &mut Route) -> Result<Stamp, Setback> {
        let lost = || ApiError::new(ErrorCode::Internal, "The worker has no client for providers");
        let client = self.request.app_data::<UpstreamClient>().ok_or_else(|| Setback::Final(lost()))?;
        let (scheme, now) = (dispatch::scheme(self.scan.operation.dialect()), clock::now());
        let ready = route.destination.auth.ready(&scheme, client, now).await;
        ready.map_err(|error| {
            if let Some(trial) = route.destination.trial.take() {
                trial.end(Verdict::Failed, clock::now());
            }
            Setback::Passing(error.into())
        })
    }

    /// The request as it leaves, once what it holds is as durable as it shall be.
    async fn written(
        &self,
        route: &Route,
        (draft, stamp): (Draft, Stamp),
        output_cap: Option<u64>,
        books: &mut Books,
    ) -> Result<Call, ApiError> {
        let Destination { named, model, is_converse, .. } = &route.destination;
        let spliced = self.scan.splice(&self.body, &Served { model: named, ..route.served() }, output_cap)?;
        let body = match is_converse {
            true => Pieces::whole(bedrock::request(&spliced.joined(), model.as_str())?),
            false => spliced,
        };
        let mut call = draft.with_body(body, self.expected(route), &stamp, clock::now())?;
        // Behind the signature, which does not cover it: it is no part of what is asked.
        books.watch().write_trace(call.request.headers_mut());
        if let Some(admission) = books.admission() {
            self.state.held_durably(admission).await?;
        }
        Ok(call)
    }

    fn expected(&self, route: &Route) -> Expected {
        Expected {
            operation: self.scan.operation,
            streamed: self.scan.stream,
            answers: self.scan.answers.saturating_mul(self.scan.prompts),
            relay_usage: self.scan.wants_usage,
            timeout: route.upstream.timeout,
            keeping: Keeping::of(&self.scan, route, self.identity.id()),
            untold: Untold::of(&self.scan, &self.body, route, &self.state.tokenizers),
            of_converse: route.destination.is_converse.then(|| route.destination.model.clone()),
        }
    }

    fn admit(&mut self, route: &Route) -> Result<(Admission, Option<u64>), Setback> {
        let (engine, now) = (&self.state.engine, clock::now());
        let name = (self.identity.id().clone(), self.admitted);
        let admit = |attempt: Attempt<'_>| engine.admit(&route.permit, attempt, now);
        let (admitted, open_cap) = ask(&self.state, &self.scan, &self.body, route, name, admit);
        let admission = admitted.map_err(setback)?;
        self.admitted = self.admitted.saturating_add(1);
        let output_cap = admission.output_cap().or(open_cap);
        Ok((admission, output_cap))
    }
}

/// Whether a refusal is about the place or about the one who asks.
pub(super) fn setback(refusal: Refusal) -> Setback {
    let is_passing = match &refusal {
        Refusal::ProviderBlocked(_) | Refusal::ModelBlocked { .. } | Refusal::PriceUnknown { .. } => true,
        Refusal::UnknownKey
        | Refusal::KeyInactive
        | Refusal::KeyExpired
        | Refusal::ToolBlocked(_)
        | Refusal::BooksUnavailable => false,
        Refusal::Limit(limit) => match limit.scope.kind {
            ScopeKind::ModelConfig
            | ScopeKind::Provider
            | ScopeKind::VirtualKeyModelConfig
            | ScopeKind::ProviderConfig
            | ScopeKind::ModelBudget => true,
            ScopeKind::Customer | ScopeKind::Team | ScopeKind::VirtualKey => false,
        },
    };
    let error = ApiError::from(refusal);
    if is_passing { Setback::Passing(error) } else { Setback::Final(error) }
}

/// True for what the provider failed at.
const fn is_of_upstream(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::UpstreamUnreachable | ErrorCode::UpstreamTimeout | ErrorCode::UpstreamInvalid)
}

/// What failed, if the provider did and nobody has got a byte of its answer yet.
fn failed(outcome: &Result<HttpResponse, Setback>) -> Option<Failure> {
    match outcome {
        Ok(response) => failure(response),
        Err(Setback::Passing(error)) if is_of_upstream(error.code()) => Some(Failure::Provider),
        Err(Setback::Passing(_) | Setback::Final(_)) => None,
    }
}

/// What failed, by an error of the provider's own that another key or another provider may not have.
fn failure(response: &HttpResponse) -> Option<Failure> {
    match response.status().as_u16() {
        401..=403 | 429 => Some(Failure::Key),
        501 | 505 => Some(Failure::Place),
        408 | 500.. => Some(Failure::Provider),
        _ => None,
    }
}

/// Says where the answer came from.
fn labelled(
    mut response: HttpResponse,
    plan: &Plan,
    provider: &ProviderName,
    model: &ModelName,
    output_cap: Option<u64>,
) -> HttpResponse {
    if let Some(cap) = output_cap {
        response.headers_mut().insert(HeaderName::from_static("x-keyward-output-cap"), HeaderValue::from(cap));
    }
    let rule = plan.rule.as_ref().map(|rule| ("x-keyward-routing-rule", rule.as_str()));
    let labels = [("x-keyward-provider", provider.as_str()), ("x-keyward-model", model.as_str())];
    for (name, value) in labels.into_iter().chain(rule) {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
