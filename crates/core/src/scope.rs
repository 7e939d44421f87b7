//! Scopes: what a limit covers, and the ordered set of meters that cover one attempt.

use std::borrow::Borrow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::meter::{Meter, Metric};

/// What kind of thing owns a limit. The order is the order of checking: widest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScopeKind {
    /// A customer, with all its teams and keys.
    Customer,
    /// A team, with all its keys.
    Team,
    /// One virtual key.
    VirtualKey,
    /// One virtual key at one provider.
    ProviderConfig,
}

impl ScopeKind {
    /// The kind in plain words, for messages.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Team => "team",
            Self::VirtualKey => "virtual key",
            Self::ProviderConfig => "provider config",
        }
    }
}

/// The owner of a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Scope {
    /// What kind of thing the owner is.
    pub kind: ScopeKind,
    /// The owner's id.
    #[schema(value_type = String)]
    pub id: Arc<str>,
}

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

    /// True when a budget covers the attempt: then its price must be known.
    #[must_use]
    pub fn has_budget(&self) -> bool {
        self.0.iter().any(|meter| meter.borrow().id.metric == Metric::Cost)
    }
}
