//! Explaining: the way of a request, gone up to where something would be held. It is the gateway's own way: the same identity,
//! routes, estimates and terms. Nothing is held, written down or counted.

use actix_web::http::header::HeaderMap;
use bytes::Bytes;
use keyward_core::error_body::ErrorExtra;
use keyward_core::error_code::ErrorCode;
use keyward_core::explanation::{
    ExplainRequest, ExplainedDestination, ExplainedHold, ExplainedMeter, Explanation, RequestDialect,
};
use keyward_core::ids::{RequestId, RoutingRuleId};
use keyward_core::mcp_tools::Narrowing;
use keyward_core::operation::Operation;
use keyward_core::refusal::Quantity;
use keyward_engine::{Attempt, MeterLevel};

use super::asking::{ask, ready};
use super::attempts::{Setback, setback};
use super::resolve::Route;
use super::routing::{Asked, Lots, Place, Plan, Sight};
use super::scan::Scan;
use crate::clock;
use crate::error::ApiError;
use crate::mcp::offered::Offering;
use crate::state::State;
use crate::upstreams::Choosing;

/// A request that is not sent.
struct Rehearsal<'a> {
    state: &'a State,
    asked: &'a ExplainRequest,
    body: Bytes,
    request_id: RequestId,
    /// What it is about, in errors.
    extra: ErrorExtra,
}

/// How far a request comes at one place.
enum Arrival {
    Admitted(Explanation),
    Refused(Explanation, Setback),
}

/// Says what would become of a request if it were sent now.
pub(crate) fn explain(state: &State, asked: &ExplainRequest, request_id: RequestId) -> Explanation {
    let extra =
        ErrorExtra { request_type: operation(asked.dialect).request_type().to_owned(), ..ErrorExtra::default() };
    let body = Bytes::copy_from_slice(asked.body.get().as_bytes());
    let mut rehearsal = Rehearsal { state, asked, body, request_id, extra };
    match rehearsal.run() {
        Ok(Arrival::Admitted(explanation)) => explanation,
        Ok(Arrival::Refused(explanation, setback)) => rehearsal.refused(explanation, setback.into_error()),
        Err(error) => rehearsal.refused(nothing(), error),
    }
}

impl Rehearsal<'_> {
    fn run(&mut self) -> Result<Arrival, ApiError> {
        let principal = self.state.engine.principal_of(&self.asked.virtual_key_id, clock::now())?;
        let operation = operation(self.asked.dialect);
        let narrowing = Narrowing::default();
        let offering = Offering { mcp: &self.state.mcp, principal: &principal, narrowing: &narrowing };
        let scan = Scan::of(operation, self.in_path()?, &self.body);
        let scan = offering.guard(scan, |scan| scan.is_described, &self.body)?;
        self.extra.model_requested = scan.model.clone();
        let asked = Asked::of(&scan.model, scan.fallbacks.as_deref())?;
        let headers = HeaderMap::new();
        let sight = Sight { headers: &headers, query: "", body_bytes: self.body.len(), operation, is_rehearsal: true };
        let plan = Plan::of(self.state, &principal, &sight, asked, &Lots::of_chance())?;
        let mut places = plan.places.iter().peekable();
        while let Some(place) = places.next() {
            match self.at(&scan, &plan, place) {
                Arrival::Refused(_, Setback::Passing(_)) if places.peek().is_some() => {}
                arrival @ (Arrival::Admitted(_) | Arrival::Refused(..)) => return Ok(arrival),
            }
        }
        Err(ApiError::new(ErrorCode::Internal, "The plan of the request has no place"))
    }

    /// The model, in a dialect that has it in the path.
    fn in_path(&self) -> Result<Option<&str>, ApiError> {
        let invalid = |message| ApiError::new(ErrorCode::InvalidRequest, message).at("/model");
        match (self.asked.model.as_deref(), self.asked.dialect == RequestDialect::GenerateContent) {
            (Some(model), true) => Ok(Some(model)),
            (None, true) => Err(invalid("model is required: this dialect has it in the path")),
            (None, false) => Ok(None),
            (Some(_), false) => Err(invalid("the body names the model: leave this out")),
        }
    }

    /// How far it comes at a place of its plan.
    fn at(&mut self, scan: &Scan, plan: &Plan, place: &Place) -> Arrival {
        let (lots, now) = (Lots::of_chance(), clock::now());
        let lot = |name: &str| lots.of_name("key", name);
        let choosing = Choosing { lot: &lot, tried: &[], now, is_rehearsal: true };
        let route = self.state.engine.principal_of(&self.asked.virtual_key_id, clock::now()).map_err(setback);
        let route = route.and_then(|principal| {
            let route = Route::resolve(self.state, principal, place, scan.kind(), plan.patience, &choosing);
            route.map_err(Setback::Passing)
        });
        let route = match route {
            Ok(route) => route,
            Err(setback) => return Arrival::Refused(nothing(), setback),
        };
        self.extra.provider = route.permit.provider().to_string();
        let unheld = Explanation { destination: Some(destination(&route, plan.rule.as_ref())), ..nothing() };
        if let Err(error) = ready(self.state) {
            return Arrival::Refused(unheld, Setback::Final(error));
        }
        let name = (self.request_id.clone(), 0);
        let (engine, now) = (&self.state.engine, clock::now());
        let explained = |attempt: Attempt<'_>| engine.explain(&route.permit, &attempt, now);
        let (explained, open_cap) = ask(self.state, scan, &self.body, &route, name, explained);
        let meters = explained.meters.into_iter().map(|(level, requested)| meter(level, requested)).collect();
        match explained.verdict {
            Ok(granted) => {
                let (input_tokens, output_tokens) = (granted.input_tokens, granted.output_tokens);
                let hold = Some(ExplainedHold { input_tokens, output_tokens, cost: granted.cost });
                let output_cap = granted.output_cap.or(open_cap);
                Arrival::Admitted(Explanation { admitted: true, hold, output_cap, meters, ..unheld })
            }
            Err(refusal) => Arrival::Refused(Explanation { meters, ..unheld }, setback(refusal)),
        }
    }

    fn refused(&self, explanation: Explanation, error: ApiError) -> Explanation {
        let refusal = error.in_gateway(self.extra.clone()).body(self.request_id.as_str());
        Explanation { refusal: Some(refusal), ..explanation }
    }
}

const fn operation(asked: RequestDialect) -> Operation {
    match asked {
        RequestDialect::ChatCompletions => Operation::ChatCompletions,
        RequestDialect::Completions => Operation::Completions,
        RequestDialect::Responses => Operation::Responses,
        RequestDialect::Embeddings => Operation::Embeddings,
        RequestDialect::Messages => Operation::Messages,
        RequestDialect::GenerateContent => Operation::GenerateContent,
    }
}

/// What there is to say of a request that comes nowhere.
const fn nothing() -> Explanation {
    Explanation { admitted: false, destination: None, hold: None, output_cap: None, refusal: None, meters: Vec::new() }
}

fn destination(route: &Route, rule: Option<&RoutingRuleId>) -> ExplainedDestination {
    ExplainedDestination {
        provider: route.permit.provider().clone(),
        model: route.permit.model().clone(),
        model_served: route.destination.model.clone(),
        provider_key_id: route.destination.key_id.clone(),
        routing_rule: rule.cloned(),
        price_version: route.price.as_ref().map(|price| price.version.as_str().to_owned()),
    }
}

fn meter(level: MeterLevel, requested: i64) -> ExplainedMeter {
    let quantity = |amount| Quantity::of(level.metric, amount);
    ExplainedMeter {
        limit_value: quantity(level.cap),
        used: quantity(level.used),
        held: quantity(level.held),
        requested: quantity(requested),
        would_refuse: level.would_refuse(requested),
        metric: level.metric,
        enforcement: level.enforcement,
        output_clamp: level.clamp,
        window_start: level.window.start,
        window_end: level.resets_at,
        scope: level.scope,
        limit: level.limit,
    }
}
