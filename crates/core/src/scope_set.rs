//! Scope sets: the meters that cover one attempt, in the one order in which they are checked.

use std::borrow::Borrow;

use crate::meter::{Meter, Metric};

/// The meters that cover one attempt, in the order in which they are checked.
///
/// Computed once per attempt; what is checked, held, settled and logged is this list. Rate limits come before
/// budgets, wider scopes before narrower ones, so that the first violation is always the same one.
#[derive(Debug, Clone)]
pub struct ScopeSet<M>(Vec<M>);

impl<M: Borrow<Meter>> ScopeSet<M> {
    /// Puts meters into checking order. Meters of equal rank keep the order they came in.
    #[must_use]
    pub fn new(meters: impl IntoIterator<Item = M>) -> Self {
        let mut meters: Vec<M> = meters.into_iter().collect();
        meters.sort_by_key(|meter| {
            let meter: &Meter = meter.borrow();
            (meter.id.metric == Metric::Cost, meter.scope.kind, meter.id.metric)
        });
        Self(meters)
    }

    /// The meters in checking order.
    #[must_use]
    pub fn meters(&self) -> &[M] {
        &self.0
    }

    /// The first budget that covers the attempt, if one does: then its price must be known.
    #[must_use]
    pub fn budget(&self) -> Option<&Meter> {
        self.0.iter().map(Borrow::borrow).find(|meter: &&Meter| meter.id.metric == Metric::Cost)
    }
}
