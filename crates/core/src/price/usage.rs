//! What was used: counts in disjoint classes, the tier that served, and the bill where the provider sends one.

use super::class::{Class, ClassKind, PerClass};
use crate::money::NanoUsd;

/// Counts in disjoint classes: together they are everything the provider counted.
pub type TokenUsage = PerClass<u64>;

/// How quickly a provider serves a request, which has its own price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ServiceTier {
    /// As usual.
    #[default]
    Standard,
    /// When there is room, for less.
    Flex,
    /// Before others, for more.
    Priority,
    /// Within a day, for less.
    Batch,
}

impl ServiceTier {
    /// Every tier.
    pub const ALL: [Self; 4] = [Self::Standard, Self::Flex, Self::Priority, Self::Batch];

    /// The tier's name in the books and in catalogues.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Batch => "batch",
        }
    }

    /// The tier of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == name)
    }
}

/// True for providers that bill what their answers say: their own figure wins over any list of prices.
#[must_use]
pub fn bills_as_reported(provider: &str) -> bool {
    matches!(provider, "openrouter" | "perplexity")
}

/// What one attempt used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// How much of each class.
    pub counts: TokenUsage,
    /// The tier that served.
    pub tier: ServiceTier,
    /// What the provider says that it bills, where it does.
    pub reported: Option<NanoUsd>,
}

impl From<TokenUsage> for Usage {
    fn from(counts: TokenUsage) -> Self {
        Self { counts, ..Self::default() }
    }
}

impl PerClass<u64> {
    /// Input tokens of all classes.
    #[must_use]
    pub fn total_input(&self) -> u64 {
        self.sum_of(ClassKind::Input)
    }

    /// Output tokens of all classes.
    #[must_use]
    pub fn total_output(&self) -> u64 {
        self.sum_of(ClassKind::Output)
    }

    /// Tokens of all classes.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total_input().saturating_add(self.total_output())
    }

    /// What of it is no tokens.
    #[must_use]
    pub fn units(&self) -> Self {
        self.map(|class, count| if class.kind() == ClassKind::Unit { count } else { 0 })
    }

    fn sum_of(&self, kind: ClassKind) -> u64 {
        let of_kind = self.iter().filter(|(class, _)| class.kind() == kind);
        of_kind.fold(0, |sum, (_, count)| sum.saturating_add(count))
    }

    /// Moves up to `count` from one class into another: what of a class is also of a closer one. Returns how many it has moved.
    pub fn take(&mut self, from: Class, to: Class, count: u64) -> u64 {
        let moved = count.min(*self.get(from));
        *self.get_mut(from) -= moved;
        let there = self.get_mut(to);
        *there = there.saturating_add(moved);
        moved
    }
}
