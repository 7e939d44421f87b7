//! What every routing rule has to be: targets that share the requests among them, fallbacks that name a place, a scope.

use std::collections::HashSet;

use super::{Fallback, MAX_FALLBACKS, RoutingScope, RoutingTarget};
use crate::ids::{ModelName, ProviderKeyId, ProviderName};
use crate::invalid::{Invalid, Pointer};

/// How far the weights may be from 1 together.
const TOLERANCE: f64 = 0.001;
/// The most targets of one rule.
const MAX_TARGETS: usize = 100;
/// The longest model name, in bytes.
const MAX_MODEL: usize = 256;

/// Where a rule names a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedAt {
    /// In the target of this index.
    Target(usize),
    /// In the fallback of this index.
    Fallback(usize),
}

impl NamedAt {
    /// Says that the provider is not known.
    #[must_use]
    pub fn unknown(self, provider: &ProviderName) -> Invalid {
        match self {
            Self::Target(index) => {
                let at = Pointer::from("targets").element(index).member("provider");
                Invalid::at(at, format!("invalid provider name: {provider}"))
            }
            Self::Fallback(index) => {
                let message = format!("fallbacks[{index}] has an unknown provider prefix: {provider}");
                Invalid::at(Pointer::from("fallbacks").element(index), message)
            }
        }
    }
}

/// Checks the targets of a rule. Empty names mean absent ones.
pub(super) fn targets(targets: Vec<RoutingTarget>, when_empty: &str) -> Result<Vec<RoutingTarget>, Invalid> {
    let all = Pointer::from("targets");
    if targets.is_empty() {
        return Err(Invalid::at(all, when_empty));
    }
    if targets.len() > MAX_TARGETS {
        return Err(Invalid::at(all, format!("a rule has at most {MAX_TARGETS} targets")));
    }
    let targets: Vec<RoutingTarget> = targets.into_iter().map(without_empty).collect();
    let mut seen = HashSet::new();
    for (index, target) in targets.iter().enumerate() {
        let at = all.element(index);
        check_target(target, &at)?;
        if !seen.insert((&target.provider, &target.model, &target.key_id)) {
            return Err(Invalid::at(at, duplicate(target)));
        }
    }
    let sum: f64 = weights(&targets);
    if !is_whole(sum) {
        return Err(Invalid::at(all, format!("target weights must sum to 1, got {sum:.4}")));
    }
    Ok(targets)
}

fn weights(targets: &[RoutingTarget]) -> f64 {
    targets.iter().map(|target| target.weight).sum()
}

#[expect(clippy::float_arithmetic, reason = "shares of requests, not money")]
fn is_whole(sum: f64) -> bool {
    (sum - 1.0).abs() <= TOLERANCE
}

fn without_empty(target: RoutingTarget) -> RoutingTarget {
    RoutingTarget {
        provider: target.provider.filter(|name| !name.as_str().is_empty()),
        model: target.model.filter(|name| !name.as_str().is_empty()),
        key_id: target.key_id.filter(|id| !id.as_str().is_empty()),
        weight: target.weight,
    }
}

fn check_target(target: &RoutingTarget, at: &Pointer) -> Result<(), Invalid> {
    if !target.weight.is_finite() || target.weight < 0.0 {
        return Err(Invalid::at(at.member("weight"), "each target weight must be positive"));
    }
    if target.key_id.is_some() && target.provider.is_none() {
        return Err(Invalid::at(at.member("key_id"), "key_id requires provider to be set"));
    }
    match &target.model {
        Some(model) => check_model(model, at.member("model")),
        None => Ok(()),
    }
}

fn check_model(model: &ModelName, at: Pointer) -> Result<(), Invalid> {
    if model.as_str().len() > MAX_MODEL || model.as_str().chars().any(char::is_control) {
        let message = format!("model must have at most {MAX_MODEL} bytes and no control characters");
        return Err(Invalid::at(at, message));
    }
    Ok(())
}

fn duplicate(target: &RoutingTarget) -> String {
    format!(
        "duplicate target entry: provider={} model={} key_id={}",
        target.provider.as_ref().map_or("", ProviderName::as_str),
        target.model.as_ref().map_or("", ModelName::as_str),
        target.key_id.as_ref().map_or("", ProviderKeyId::as_str)
    )
}

/// Checks the fallbacks of a rule.
pub(super) fn fallbacks(fallbacks: &[Fallback]) -> Result<(), Invalid> {
    let all = Pointer::from("fallbacks");
    if fallbacks.len() > MAX_FALLBACKS {
        return Err(Invalid::at(all, format!("a rule has at most {MAX_FALLBACKS} fallbacks")));
    }
    for (index, fallback) in fallbacks.iter().enumerate() {
        let at = all.element(index);
        if matches!(fallback, Fallback::Text(text) if text.trim().is_empty()) {
            return Err(Invalid::at(at, format!("fallbacks[{index}] must not be empty")));
        }
        let Some((_, model)) = fallback.place() else {
            return Err(Invalid::at(at, format!("fallbacks[{index}] must be 'provider/model' or a provider")));
        };
        if let Some(model) = model {
            check_model(&model, at)?;
        }
    }
    Ok(())
}

/// Checks a scope by its name, and that it says whose it is.
pub(super) fn scope(name: &str, id: Option<String>) -> Result<(RoutingScope, Option<String>), Invalid> {
    let scope = scope_of_name(name)?;
    let id = id.filter(|id| !id.is_empty());
    match (scope, &id) {
        (RoutingScope::Global, Some(_)) => {
            Err(Invalid::at("scope_id".into(), "scope_id must be absent when scope is global"))
        }
        (RoutingScope::VirtualKey | RoutingScope::Team | RoutingScope::Customer, None) => {
            Err(Invalid::at("scope_id".into(), "scope_id field is required when scope is not global"))
        }
        (RoutingScope::Global, None) | (RoutingScope::VirtualKey | RoutingScope::Team | RoutingScope::Customer, _) => {
            Ok((scope, id))
        }
    }
}

/// The scope of a name.
pub(super) fn scope_of_name(name: &str) -> Result<RoutingScope, Invalid> {
    RoutingScope::find(name).ok_or_else(|| {
        let message = format!("invalid scope \"{name}\": must be one of: global, team, customer, virtual_key");
        Invalid::at("scope".into(), message)
    })
}
