//! Ledger entries: the durable record of one attempt, from which every counter can be derived.

use jiff::Timestamp;

use crate::ids::{CustomerId, ModelName, ProviderKeyId, ProviderName, RequestId, TeamId, VirtualKeyId};
use crate::meter::MeterId;
use crate::money::NanoUsd;
use crate::price::{PriceVersion, Rates, Usage};
use crate::pricing_override::RequestType;
use crate::window::Window;

mod listing;
mod reconciliation;
mod rerating;

pub use listing::{
    LedgerFilter, LedgerFormat, LedgerList, LedgerOrder, LedgerPlace, LedgerQuery, LedgerRecord, UnknownPlace,
};
pub use reconciliation::{Difference, EntryFault, FaultKind, Reconciliation};
pub use rerating::{Rerated, Rerating};

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The provider answered in full, and so was the client.
    Completed,
    /// The client went away; the provider's answer was read to its end or given up.
    ClientCancelled,
    /// The provider did not answer, or fell silent, in time.
    TimedOut,
    /// The provider answered with an error or broke off.
    UpstreamError,
    /// Nobody settled the attempt: the process failed in between.
    Abandoned,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] =
        [Self::Completed, Self::ClientCancelled, Self::TimedOut, Self::UpstreamError, Self::Abandoned];

    /// The outcome's name in the database and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ClientCancelled => "client_cancelled",
            Self::TimedOut => "timed_out",
            Self::UpstreamError => "upstream_error",
            Self::Abandoned => "abandoned",
        }
    }
}

/// Where the token counts of an entry come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UsageSource {
    /// The provider reported them.
    Provider,
    /// Keyward counted what was read of the answer: the provider did not say.
    Counted,
    /// Nobody did: the bounds that were held are charged.
    Estimated,
}

impl UsageSource {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Provider, Self::Counted, Self::Estimated];

    /// The source's name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Counted => "counted",
            Self::Estimated => "estimated",
        }
    }
}

/// Who and what an attempt was, frozen when it was admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// The request.
    pub request_id: RequestId,
    /// Which attempt of the request, from 0.
    pub attempt: i32,
    /// The virtual key.
    pub virtual_key_id: VirtualKeyId,
    /// The key's team.
    pub team_id: Option<TeamId>,
    /// The key's or its team's customer.
    pub customer_id: Option<CustomerId>,
    /// What kind of request it is: each has prices of its own. None: one that is free by declaration.
    pub request_type: Option<RequestType>,
    /// The provider.
    pub provider: ProviderName,
    /// The real credential that served it.
    pub provider_key_id: ProviderKeyId,
    /// The model as the client named it, without the provider: what limits and prices know.
    pub model: ModelName,
    /// The model as it was sent to the provider; another one where the provider key has an alias.
    pub model_served: ModelName,
}

/// What one attempt did to one meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The meter.
    pub meter: MeterId,
    /// The window that was current when the attempt was admitted.
    pub window: Window,
    /// The cap that was in force when the attempt was admitted.
    pub cap: i64,
    /// What the attempt had reserved.
    pub held: i64,
    /// What it used: nano-dollars, tokens or requests.
    pub amount: i64,
    /// True when the limit only watches (`shadow`), and would have refused the attempt.
    pub would_refuse: bool,
}

/// What one attempt did to each meter of its scope set, in checking order.
pub type Postings = Vec<Posting>;

/// What a cost was computed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pricing {
    /// Which prices those were.
    pub version: PriceVersion,
    /// The rates that held for the attempt.
    pub rates: Rates,
}

/// What was taken off or added to a meter by hand, such as when usage is reset. Counters are the sum of postings and
/// adjustments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// The meter.
    pub meter: MeterId,
    /// The window that it is about.
    pub window: Window,
    /// What is added; negative where usage is taken off.
    pub amount: i64,
}

/// The durable record of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Who and what.
    pub attribution: Attribution,
    /// What was used. What the provider reports as its bill is there only where that is what is charged.
    pub usage: Usage,
    /// Where `usage` comes from.
    pub usage_source: UsageSource,
    /// What it cost.
    pub cost: NanoUsd,
    /// What the cost was computed by; none: the model has no price.
    pub pricing: Option<Pricing>,
    /// The money that was held.
    pub held: NanoUsd,
    /// How it ended.
    pub outcome: Outcome,
    /// When it was admitted.
    pub admitted_at: Timestamp,
    /// When the provider's answer began; none: it never did.
    pub first_byte_at: Option<Timestamp>,
    /// When it was settled.
    pub settled_at: Timestamp,
    /// What it did to each meter of its scope set, in checking order.
    pub postings: Postings,
}
