//! By what usage is told apart.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::authority::Reach;

/// By what usage can be grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// The customer that the virtual key, or its team, belonged to then.
    Customer,
    /// The team that the virtual key belonged to then.
    Team,
    /// The virtual key.
    VirtualKey,
    /// The provider.
    Provider,
    /// The model as it was asked for.
    Model,
    /// How attempts ended; for refusals, the code of their error.
    Outcome,
}

impl Dimension {
    /// Every dimension, in the order of [`Series`].
    pub const ALL: [Self; 6] =
        [Self::Customer, Self::Team, Self::VirtualKey, Self::Provider, Self::Model, Self::Outcome];

    /// The dimension's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Team => "team",
            Self::VirtualKey => "virtual_key",
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Outcome => "outcome",
        }
    }

    /// The dimension of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.as_str() == name)
    }
}

/// Something for each dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Series<T> {
    /// The customer.
    pub customer: T,
    /// The team.
    pub team: T,
    /// The virtual key.
    pub virtual_key: T,
    /// The provider.
    pub provider: T,
    /// The model.
    pub model: T,
    /// The outcome.
    pub outcome: T,
}

/// What stands in a dimension: an id or a name; empty where there is none.
pub type Attribute = String;

impl<T> Series<T> {
    /// What stands in a dimension.
    pub const fn get(&self, dimension: Dimension) -> &T {
        match dimension {
            Dimension::Customer => &self.customer,
            Dimension::Team => &self.team,
            Dimension::VirtualKey => &self.virtual_key,
            Dimension::Provider => &self.provider,
            Dimension::Model => &self.model,
            Dimension::Outcome => &self.outcome,
        }
    }
}

/// Which usage is asked for: in each dimension this, or whatever.
pub type Filters = Series<Option<Attribute>>;

impl Filters {
    /// The same, of what is in reach alone. None: nothing can be in both.
    #[must_use]
    pub fn within(mut self, reach: &Reach) -> Option<Self> {
        let (asked, own) = match reach {
            Reach::Everything => return Some(self),
            Reach::Team(id) => (&mut self.team, id.as_str()),
            Reach::Customer(id) => (&mut self.customer, id.as_str()),
        };
        match asked {
            Some(other) if other != own => None,
            Some(_) | None => {
                *asked = Some(own.to_owned());
                Some(self)
            }
        }
    }

    /// What a series is in these dimensions.
    #[must_use]
    pub fn of(series: &Series<Attribute>, dimensions: &[Dimension]) -> Self {
        let wanted = |dimension| dimensions.contains(&dimension).then(|| series.get(dimension).clone());
        Self {
            customer: wanted(Dimension::Customer),
            team: wanted(Dimension::Team),
            virtual_key: wanted(Dimension::VirtualKey),
            provider: wanted(Dimension::Provider),
            model: wanted(Dimension::Model),
            outcome: wanted(Dimension::Outcome),
        }
    }

    /// The dimensions that it says something about.
    pub fn dimensions(&self) -> impl Iterator<Item = Dimension> {
        Dimension::ALL.into_iter().filter(|dimension| self.get(*dimension).is_some())
    }
}
