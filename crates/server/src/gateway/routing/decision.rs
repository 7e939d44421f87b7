//! Deciding: the first rule that applies chooses, one target is drawn, and a chained rule lets all rules look again.

use keyward_core::error_code::ErrorCode;
use keyward_core::ids::{ModelName, ProviderKeyId, ProviderName, RoutingRuleId};
use keyward_core::routing_rule::{Fallback, RoutingRule, RoutingTarget};

use super::table::CompiledRule;
use crate::error::ApiError;

/// How many rules may follow one another.
const MAX_CHAIN: usize = 10;

/// A number at least 0 and below 1: the random source, passed in.
pub(super) type Draw<'a> = &'a mut dyn FnMut() -> f64;

/// Where a request is to go, as far as it has been said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::gateway) struct Place {
    /// None: whoever offers the model, by weight.
    pub(in crate::gateway) provider: Option<ProviderName>,
    pub(in crate::gateway) model: ModelName,
    /// The one key of the provider that shall serve.
    pub(in crate::gateway) key_id: Option<ProviderKeyId>,
}

/// What the rules chose.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::gateway) struct Decision {
    /// The rule that decided, the last one of a chain.
    pub(in crate::gateway) rule: RoutingRuleId,
    pub(in crate::gateway) place: Place,
    pub(in crate::gateway) fallbacks: Vec<Fallback>,
    pub(in crate::gateway) ttft_timeout_ms: Option<u32>,
}

impl Decision {
    /// Where the rule says to go next. A provider alone is asked for the model that was chosen.
    pub(super) fn fallback_places(&self) -> Vec<Place> {
        let place = |fallback: &Fallback| {
            let (provider, model) = fallback.place()?;
            let model = model.unwrap_or_else(|| self.place.model.clone());
            Some(Place { provider: Some(provider), model, key_id: None })
        };
        self.fallbacks.iter().filter_map(place).collect()
    }
}

/// Evaluates the rules on a request for `asked`. `first` finds the first rule that applies to a place.
///
/// # Errors
/// When chained rules go round in a circle, or do not come to an end.
pub(super) fn decide<'a>(
    asked: Place,
    mut first: impl FnMut(&Place) -> Option<&'a CompiledRule>,
    draw: Draw<'_>,
) -> Result<Option<Decision>, ApiError> {
    let (mut decision, mut names, mut seen): (Option<Decision>, Vec<&str>, _) = (None, Vec::new(), vec![asked.clone()]);
    let mut place = asked;
    while let Some(CompiledRule { rule, .. }) = first(&place) {
        names.push(&rule.name);
        let next = drawn(&rule.targets, draw).map_or_else(|| place.clone(), |target| moved(&place, target));
        decision = Some(followed(rule, next.clone(), decision));
        if !rule.chain_rule || next.is_same_model(&place) {
            break;
        }
        if seen.iter().any(|earlier| earlier.is_same_model(&next)) {
            return Err(endless("go round in a circle", &names));
        }
        if names.len() >= MAX_CHAIN {
            return Err(endless("do not come to an end", &names));
        }
        seen.push(next.clone());
        place = next;
    }
    Ok(decision)
}

impl Place {
    fn is_same_model(&self, other: &Self) -> bool {
        (&self.provider, &self.model) == (&other.provider, &other.model)
    }
}

/// The decision of a rule; what it leaves open stays as an earlier one of the chain has it.
fn followed(rule: &RoutingRule, place: Place, earlier: Option<Decision>) -> Decision {
    let (fallbacks, ttft) = earlier.map_or((Vec::new(), None), |earlier| (earlier.fallbacks, earlier.ttft_timeout_ms));
    Decision {
        rule: rule.id.clone(),
        place,
        fallbacks: if rule.fallbacks.is_empty() { fallbacks } else { rule.fallbacks.clone() },
        ttft_timeout_ms: rule.ttft_timeout_ms.or(ttft),
    }
}

/// The place with what the target says of it. A pinned key belongs to its provider.
fn moved(place: &Place, target: &RoutingTarget) -> Place {
    Place {
        provider: target.provider.clone().or_else(|| place.provider.clone()),
        model: target.model.clone().unwrap_or_else(|| place.model.clone()),
        key_id: if target.provider.is_some() { target.key_id.clone() } else { place.key_id.clone() },
    }
}

/// One of the targets, by weight.
fn drawn<'a>(targets: &'a [RoutingTarget], draw: Draw<'_>) -> Option<&'a RoutingTarget> {
    by_weight(targets, |target| target.weight, draw)
}

/// One of several, with a chance that is its share of all weights. One without a weight is never drawn.
fn by_weight<'a, T>(all: &'a [T], weight: impl Fn(&T) -> f64, draw: Draw<'_>) -> Option<&'a T> {
    let mut point = draw() * all.iter().map(&weight).sum::<f64>();
    let weighty = || all.iter().filter(|one| weight(one) > 0.0);
    let hit = weighty().find(|one| {
        point -= weight(one);
        point < 0.0
    });
    // Sums of fractions may leave a crumb at the end.
    hit.or_else(|| weighty().last())
}

fn endless(what: &str, names: &[&str]) -> ApiError {
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    ApiError::new(ErrorCode::RoutingLoop, format!("The routing rules {what}: {}", names.join(", ")))
}

#[cfg(test)]
mod tests;
