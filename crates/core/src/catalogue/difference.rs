//! What differs between two catalogues, model by model and price by price.

use std::collections::BTreeSet;
use std::fmt;

use super::{Catalogue, ModelCard, row};
use crate::price::{Class, PicoUsd, PriceSheet, ServiceTier};

/// What one catalogue has otherwise than another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CatalogueDifference {
    /// Models that only the new one has: provider and model.
    pub added: Vec<(String, String)>,
    /// Models that only the old one has.
    pub removed: Vec<(String, String)>,
    /// Models that both have, and of which something is otherwise.
    pub changed: Vec<Changed>,
}

/// What is otherwise of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The provider.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Each price or limit.
    pub changes: Vec<PriceChange>,
}

/// One price or limit: before and after, in the unit that catalogues have it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceChange {
    /// What it is: a class, with tier and length where the price has a condition; or a limit.
    pub what: String,
    /// Before; none: there was none.
    pub old: Option<String>,
    /// After; none: there is none.
    pub new: Option<String>,
}

impl Catalogue {
    /// What is otherwise in `new`.
    #[must_use]
    pub fn difference(&self, new: &Self) -> CatalogueDifference {
        let mut found = CatalogueDifference::default();
        for (provider, model, card) in self.cards() {
            let name = (provider.to_owned(), model.to_owned());
            match new.find(provider, model) {
                None => found.removed.push(name),
                Some(other) if card == other => {}
                Some(other) => {
                    found.changed.push(Changed { provider: name.0, model: name.1, changes: changes(card, other) });
                }
            }
        }
        let added = new.cards().into_iter().filter(|(provider, model, _)| self.find(provider, model).is_none());
        found.added = added.map(|(provider, model, _)| (provider.to_owned(), model.to_owned())).collect();
        found
    }
}

impl ModelCard {
    /// Every price and limit, as text: what an empty card would be changed by.
    #[must_use]
    pub fn figures(&self) -> Vec<PriceChange> {
        changes(&Self::default(), self)
    }
}

fn changes(old: &ModelCard, new: &ModelCard) -> Vec<PriceChange> {
    let conditions = |card: &ModelCard| -> Vec<(ServiceTier, u64)> {
        card.price.variants().iter().map(|one| (one.tier, one.above_input_tokens)).collect()
    };
    let all = [(ServiceTier::Standard, 0)].into_iter().chain(conditions(old)).chain(conditions(new));
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (tier, above) in all.filter(|(tier, above)| seen.insert((tier.as_str(), *above))) {
        let (before, after) = (sheet(old, tier, above), sheet(new, tier, above));
        for class in Class::ALL.iter().copied() {
            let text = |price: Option<PicoUsd>| price.map(|price| row::written(class, price));
            note(&mut found, label(class, tier, above), text(*before.get(class)), text(*after.get(class)));
        }
    }
    let text = |limit: Option<u64>| limit.map(|limit| limit.to_string());
    note(&mut found, "context_tokens".to_owned(), text(old.context_tokens), text(new.context_tokens));
    note(&mut found, "max_output_tokens".to_owned(), text(old.max_output_tokens), text(new.max_output_tokens));
    found
}

fn note(found: &mut Vec<PriceChange>, what: String, old: Option<String>, new: Option<String>) {
    if old != new {
        found.push(PriceChange { what, old, new });
    }
}

fn sheet(card: &ModelCard, tier: ServiceTier, above: u64) -> PriceSheet {
    if (tier, above) == (ServiceTier::Standard, 0) {
        return card.price.base;
    }
    let found = card.price.variants().iter().find(|one| (one.tier, one.above_input_tokens) == (tier, above));
    found.map(|one| one.sheet).unwrap_or_default()
}

fn label(class: Class, tier: ServiceTier, above: u64) -> String {
    let tier = if tier == ServiceTier::Standard { String::new() } else { format!(" {}", tier.as_str()) };
    let above = if above == 0 { String::new() } else { format!(" above {above}") };
    format!("{class}{tier}{above}")
}

impl fmt::Display for PriceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, old, new } = self;
        let text = |figure: &Option<String>| figure.clone().unwrap_or_else(|| "none".to_owned());
        write!(f, "{what}: {} -> {}", text(old), text(new))
    }
}
