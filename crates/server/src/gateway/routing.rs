//! Routing: what the rules and the weights make of the model that a request names. They choose; whether the virtual key may use
//! what they chose is asked afterwards.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use keyward_core::ids::{ModelName, ProviderName, RoutingRuleId};
use keyward_core::operation::Operation;
use keyward_engine::{Choice, Principal};

use crate::clock;
use crate::error::ApiError;
use crate::state::State;

mod decision;
mod expression;
mod facts;
mod table;

use decision::{Decision, decide};
pub(super) use decision::{Draw, Place, by_weight};
pub(crate) use expression::Expression;
use facts::Facts;
use table::CompiledRule;
pub(crate) use table::RoutingRules;

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
        asked: Place,
        draw: Draw<'_>,
    ) -> Result<Self, ApiError> {
        let table = state.routing_rules.table();
        if table.is_empty() {
            return Ok(Self::to(asked));
        }
        let holder = state.engine.holder(principal);
        let rules: Vec<&Arc<CompiledRule>> = table.about(&holder).collect();
        if rules.is_empty() {
            return Ok(Self::to(asked));
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
        Ok(match decide(asked.clone(), first, draw)? {
            Some(decision) => Self::by(decision),
            None => Self::to(asked),
        })
    }

    /// One place and no other.
    pub(super) fn to(place: Place) -> Self {
        Self { rule: None, places: vec![place], patience: None }
    }

    fn by(decision: Decision) -> Self {
        let fallbacks = decision.fallbacks.iter().filter_map(|fallback| {
            let (provider, model) = fallback.place()?;
            let model = model.unwrap_or_else(|| decision.place.model.clone());
            Some(Place { provider: Some(provider), model, key_id: None })
        });
        Self {
            rule: Some(decision.rule),
            places: std::iter::once(decision.place.clone()).chain(fallbacks).collect(),
            patience: decision.ttft_timeout_ms.map(|milliseconds| Duration::from_millis(milliseconds.into())),
        }
    }
}

/// A rule that cannot be evaluated is passed over, and never silently.
fn report(state: &State, compiled: &CompiledRule, message: &str) {
    compiled.failed(message, clock::now());
    state.metrics.routing_rule_failed();
    tracing::warn!(rule = %compiled.rule.id, "a routing rule could not be evaluated: {message}");
}

/// The provider for a model that was named without one, by the weights of the virtual key's provider configs; none when
/// nobody offers it.
pub(super) fn provider_for(
    state: &State,
    principal: &Principal,
    model: &str,
    operation: Operation,
    draw: Draw<'_>,
) -> Option<ProviderName> {
    let is_known = |provider: &ProviderName| state.catalogue.find(provider.as_str(), model).is_some();
    let mut choices = match principal.choices(model) {
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
    };
    // One whose own limits are used up is passed over while another can serve.
    let (named, now) = (ModelName::from(model), clock::now());
    let has_room = |choice: &Choice| state.engine.has_room(principal, &choice.provider, &named, now);
    if choices.iter().any(has_room) {
        choices.retain(has_room);
    }
    by_weight(&choices, |choice| choice.weight, draw).map(|choice| choice.provider.clone())
}
