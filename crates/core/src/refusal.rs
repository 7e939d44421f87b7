//! Refusals: structured answers of "no" from admission.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::error_code::ErrorCode;
use crate::ids::{LimitId, ModelName, ProviderName};
use crate::meter::Metric;
use crate::money::NanoUsd;
use crate::scope::Scope;

/// Why an attempt was not admitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No virtual key has this secret.
    #[error("Virtual key not found")]
    UnknownKey,
    /// The virtual key is switched off.
    #[error("Virtual key is not active")]
    KeyInactive,
    /// The virtual key's time is over.
    #[error("Virtual key has expired")]
    KeyExpired,
    /// The virtual key may not use the provider.
    #[error("Virtual key may not use provider '{0}'")]
    ProviderBlocked(ProviderName),
    /// The virtual key may not use the model at this provider.
    #[error("Virtual key may not use model '{model}' of provider '{provider}'")]
    ModelBlocked {
        /// The provider asked for.
        provider: ProviderName,
        /// The model asked for.
        model: ModelName,
    },
    /// The virtual key may not use this tool. Whether there is one of this name is not said.
    #[error("Virtual key may not use tool '{0}'")]
    ToolBlocked(String),
    /// A budget covers the attempt, and without a price it could not be held.
    #[error(
        "The price of model '{model}' of provider '{provider}' is not known, and a budget of {} '{}' covers this request",
        scope.kind.words(), scope.id
    )]
    PriceUnknown {
        /// Whose budget it is.
        scope: Scope,
        /// The provider asked for.
        provider: ProviderName,
        /// The model asked for.
        model: ModelName,
    },
    /// A limit has no room.
    #[error("{0}")]
    Limit(Box<LimitRefusal>),
    /// The books cannot be kept, so nothing is spent.
    #[error("Usage cannot be recorded at the moment, so nothing is admitted")]
    BooksUnavailable,
}

impl Refusal {
    /// The error code that the caller gets.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownKey => ErrorCode::InvalidVirtualKey,
            Self::KeyInactive => ErrorCode::VirtualKeyBlocked,
            Self::KeyExpired => ErrorCode::VirtualKeyExpired,
            Self::ProviderBlocked(_) => ErrorCode::ProviderBlocked,
            Self::ModelBlocked { .. } => ErrorCode::ModelBlocked,
            Self::ToolBlocked(_) => ErrorCode::McpToolBlocked,
            Self::PriceUnknown { .. } => ErrorCode::ModelPriceUnknown,
            Self::BooksUnavailable => ErrorCode::GovernanceUnavailable,
            Self::Limit(refusal) => match refusal.metric {
                Metric::Cost => ErrorCode::BudgetExceeded,
                Metric::Tokens => ErrorCode::TokenLimited,
                Metric::Requests => ErrorCode::RequestLimited,
                Metric::ParallelRequests => ErrorCode::ConcurrencyLimited,
            },
        }
    }
}

/// The limit that has no room: the first one in checking order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitRefusal {
    /// Whose limit it is.
    pub scope: Scope,
    /// The budget or rate limit.
    pub limit: LimitId,
    /// What it counts.
    pub metric: Metric,
    /// The cap: US dollars, tokens or requests.
    pub limit_value: Quantity,
    /// What is used in the current window: US dollars, tokens or requests, as the cap.
    pub used: Quantity,
    /// What running attempts have reserved: US dollars, tokens or requests, as the cap.
    pub held: Quantity,
    /// What this attempt would have reserved: US dollars, tokens or requests, as the cap.
    pub requested: Quantity,
    /// When the current window ends; null: it does not.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub resets_at: Option<Timestamp>,
}

/// How long to wait for another request to end, where the limit is on how many run at the same time.
const ANOTHER_ENDS: SignedDuration = SignedDuration::from_secs(1);

impl LimitRefusal {
    /// How long to wait at `now` until the same request may be admitted. None: waiting does not help, because it is money that is
    /// missing, because the window does not end, or because the request is larger than the whole limit.
    #[must_use]
    pub fn wait(&self, now: Timestamp) -> Option<SignedDuration> {
        let is_too_large = self.requested > self.limit_value && self.used < self.limit_value;
        match self.metric {
            Metric::Cost => None,
            Metric::ParallelRequests => Some(ANOTHER_ENDS).filter(|_| !is_too_large),
            Metric::Requests | Metric::Tokens => {
                let resets_at = self.resets_at.filter(|_| !is_too_large)?;
                Some(resets_at.duration_since(now).max(SignedDuration::ZERO))
            }
        }
    }
}

impl fmt::Display for LimitRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.metric {
            Metric::Cost => " USD",
            Metric::Tokens => " tokens",
            Metric::Requests | Metric::ParallelRequests => " requests",
        };
        write!(
            f,
            "{} limit of {} '{}' exceeded: {} of {}{unit} used, {} held, {} requested",
            match self.metric {
                Metric::Cost => "budget",
                Metric::Tokens => "token",
                Metric::Requests => "request",
                Metric::ParallelRequests => "parallel request",
            },
            self.scope.kind.words(),
            self.scope.id,
            self.used,
            self.limit_value,
            self.held,
            self.requested
        )?;
        self.resets_at.map_or(Ok(()), |instant| write!(f, "; resets at {instant}"))
    }
}

/// An amount on a meter in the unit that people read: US dollars, tokens or requests. An exact plain JSON number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = f64)]
pub struct Quantity(Decimal);

impl Quantity {
    /// An amount that a meter of this metric counts.
    #[must_use]
    pub fn of(metric: Metric, amount: i64) -> Self {
        Self(match metric {
            Metric::Cost => Decimal::new(amount, 9).normalize(),
            Metric::Tokens | Metric::Requests | Metric::ParallelRequests => Decimal::from(amount),
        })
    }

    /// The amount as money, when it is some.
    #[must_use]
    pub fn usd(self) -> Option<NanoUsd> {
        self.0.to_string().parse().ok()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let literal = Box::<RawValue>::deserialize(deserializer)?;
        Decimal::from_str(literal.get()).map(Self).map_err(serde::de::Error::custom)
    }
}
