//! Routing: what the rules and the weights make of the model that a request names. They choose; whether the virtual key may use
//! what they chose is asked afterwards.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use keyward_core::ids::{ModelName, ProviderName, RoutingRuleId};
use keyward_core::operation::Operation;
use keyward_core::routing_rule::MAX_FALLBACKS;
use keyward_engine::{Choice, Principal};

use crate::clock;
use crate::error::ApiError;
use crate::state::State;
use crate::upstreams::by_lot;

mod asked;
mod decision;
mod expression;
mod facts;
mod lots;
mod table;
mod trial;

pub(super) use asked::Asked;
pub(super) use decision::Place;
use decision::{Decision, decide};
pub(crate) use expression::Expression;
use facts::Facts;
pub(super) use lots::Lots;
use table::CompiledRule;
pub(crate) use table::RoutingRules;
pub(crate) use trial::{Sample, trial};

/// Where a request goes: the first place, and where it goes next when that fails.
pub(super) struct Plan {
    /// The rule that decided.
    pub(super) rule: Option<RoutingRuleId>,
    pub(super) places: Vec<Place>,
    /// How long to wait for the first byte of an answer, when that is shorter than the provider's timeout.
    pub(super) patience: Option<Duration>,
}

/// What rules get to see of a request, beside who sends it and what it asks for.
pub(super) struct Sight<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) query: &'a str,
    pub(super) body_bytes: usize,
    pub(super) operation: Operation,
    /// True: nothing is sent, and nothing that happens is remembered.
    pub(super) is_rehearsal: bool,
}

impl Plan {
    /// Asks the rules.
    ///
    /// # Errors
    /// When the rules do not come to an end.
    pub(super) fn of(
        state: &State,
        principal: &Principal,
        sight: &Sight<'_>,
        asked: Asked,
        lots: &Lots,
    ) -> Result<Self, ApiError> {
        let decision = decision(state, principal, sight, &asked.place, lots)?;
        let offering = |model: &ModelName| providers_for(state, principal, model, sight.operation, lots);
        Ok(Self::by(decision, asked, offering))
    }

    /// One place and no other.
    pub(super) fn to(place: Place) -> Self {
        Self { rule: None, places: vec![place], patience: None }
    }

    /// The place that was chosen, and then the fallbacks of the rule; without any, those of the request; and when neither says
    /// anything of fallbacks, whoever else offers a model that was named without a provider.
    fn by(decision: Option<Decision>, asked: Asked, offering: impl Fn(&ModelName) -> Vec<ProviderName>) -> Self {
        let spread = |place: Place| match place.provider {
            Some(_) => vec![place],
            None => {
                let at = |provider| Place { provider: Some(provider), ..place.clone() };
                let all: Vec<Place> = offering(&place.model).into_iter().map(at).collect();
                if all.is_empty() { vec![place] } else { all }
            }
        };
        let (rule, patience) = decision.as_ref().map_or((None, None), |decision| {
            let patience = decision.ttft_timeout_ms.map(|milliseconds| Duration::from_millis(milliseconds.into()));
            (Some(decision.rule.clone()), patience)
        });
        let of_rule = decision.as_ref().map(Decision::fallback_places).filter(|places| !places.is_empty());
        let mut places = spread(decision.map_or(asked.place, |decision| decision.place));
        if let Some(fallbacks) = of_rule.or(asked.fallbacks) {
            places.truncate(1);
            for fallback in fallbacks {
                let others = spread(fallback).into_iter().find(|place| !places.contains(place));
                places.extend(others);
            }
        }
        places.truncate(1 + MAX_FALLBACKS);
        Self { rule, places, patience }
    }
}

/// What the rules decide; none when no rule applies.
fn decision(
    state: &State,
    principal: &Principal,
    sight: &Sight<'_>,
    asked: &Place,
    lots: &Lots,
) -> Result<Option<Decision>, ApiError> {
    let table = state.routing_rules.table();
    if table.is_empty() {
        return Ok(None);
    }
    let holder = state.engine.holder(principal);
    let rules: Vec<&Arc<CompiledRule>> = table.about(&holder).collect();
    if rules.is_empty() {
        return Ok(None);
    }
    let facts = Facts::of(sight, holder);
    let first = |place: &Place| {
        let provider = place.provider.clone().unwrap_or_else(|| "".into());
        let readings = state.engine.readings(principal, &provider, &place.model, clock::now());
        let variables = facts.variables(provider.as_str(), place.model.as_str(), &readings);
        let applies = |compiled: &CompiledRule| {
            let holds = compiled.expression.as_ref().map_err(Clone::clone);
            holds.and_then(|expression| expression.holds(&variables)).unwrap_or_else(|message| {
                if !sight.is_rehearsal {
                    report(state, compiled, &message);
                }
                false
            })
        };
        rules.iter().map(|rule| rule.as_ref()).find(|rule| applies(rule))
    };
    decide(asked.clone(), first, &mut || lots.next())
}

/// A rule that cannot be evaluated is passed over, and never silently.
fn report(state: &State, compiled: &CompiledRule, message: &str) {
    compiled.failed(message, clock::now());
    state.metrics.routing_rule_failed();
    tracing::warn!(rule = %compiled.rule.id, "a routing rule could not be evaluated: {message}");
}

/// The providers for a model that was named without one, in an order of chance by the weights of the virtual key's provider
/// configs. Those that would refuse now come last.
pub(super) fn providers_for(
    state: &State,
    principal: &Principal,
    model: &ModelName,
    operation: Operation,
    lots: &Lots,
) -> Vec<ProviderName> {
    let (choices, now) = (choices(state, principal, model.as_str(), operation), clock::now());
    let ordered =
        by_lot(choices, |choice| (choice.provider.as_str(), choice.weight), &|name| lots.of_name("provider", name));
    let mut ordered: Vec<ProviderName> = ordered.into_iter().map(|choice| choice.provider).collect();
    let would_serve = |provider: &ProviderName| {
        let is_well = state.upstreams.find(provider).is_some_and(|upstream| upstream.is_well(model.as_str(), now));
        is_well && state.engine.has_room(principal, provider, model, now)
    };
    ordered.sort_by_cached_key(|provider| !would_serve(provider));
    ordered
}

/// Who offers a model, each with a weight above 0.
fn choices(state: &State, principal: &Principal, model: &str, operation: Operation) -> Vec<Choice> {
    let is_known = |provider: &ProviderName| state.catalogue.find(provider.as_str(), model).is_some();
    match principal.choices(model) {
        Some(choices) => {
            let there = choices.into_iter().filter(|choice| state.upstreams.offers(&choice.provider, operation));
            let mut there: Vec<Choice> = there.collect();
            if there.len() > 1 {
                there.retain(|choice| choice.names_model || is_known(&choice.provider));
            }
            there
        }
        None => {
            let callable = state.upstreams.names().into_iter().filter(|name| state.upstreams.offers(name, operation));
            let known = callable.filter(is_known);
            known.map(|provider| Choice { provider, weight: 1.0, names_model: false }).collect()
        }
    }
}

#[cfg(test)]
mod tests;
