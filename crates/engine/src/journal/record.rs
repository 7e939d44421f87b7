//! Records of the journal: what each says, and its form in bytes.
//!
//! A hold says everything that its entry needs, so that it can be settled without anything else. What settled it says only what was
//! not known before. Texts are borrowed on both ways: writing copies them once, reading not at all.

use jiff::Timestamp;
use keyward_core::ledger::{Attribution, LedgerEntry, Outcome, Posting, Pricing, UsageSource};
use keyward_core::meter::{MeterId, Metric};
use keyward_core::money::NanoUsd;
use keyward_core::price::{Class, PerClass, PicoUsd, PriceVersion, ServiceTier, TokenUsage, Usage};
use keyward_core::pricing_override::RequestType;
use keyward_core::window::Window;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::open::Open;

/// One record.
#[allow(clippy::large_enum_variant, reason = "it lives on the stack, for as long as it takes to be written or read")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Record<'a> {
    /// An attempt holds.
    #[serde(borrow)]
    Hold(HoldRecord<'a>),
    /// An attempt is settled.
    Settled(SettledRecord),
    /// An attempt's hold was dropped: nothing of it left.
    Released {
        /// Which hold.
        hold: u64,
    },
    /// The last record of a segment that another one follows.
    Sealed,
    /// Says nothing; it was written to see whether writing works.
    Pulse,
}

/// What an attempt holds, and everything about it that its entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HoldRecord<'a> {
    pub(crate) hold: u64,
    request_id: &'a str,
    attempt: i32,
    virtual_key_id: &'a str,
    team_id: Option<&'a str>,
    customer_id: Option<&'a str>,
    request_type: Option<&'a str>,
    provider: &'a str,
    provider_key_id: &'a str,
    model: &'a str,
    model_served: &'a str,
    bound: UsageRecord,
    ceiling: i64,
    /// The version of the prices, and the rates at the bound.
    #[serde(borrow)]
    price: Option<(&'a str, Amounts<i64>)>,
    admitted_at: i64,
    meters: SmallVec<[MeterRecord<'a>; 8]>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct MeterRecord<'a> {
    limit: &'a str,
    metric: MetricRecord,
    window: [i64; 2],
    cap: i64,
    held: i64,
    would_refuse: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SettledRecord {
    pub(crate) hold: u64,
    usage: UsageRecord,
    usage_source: SourceRecord,
    cost: i64,
    /// The version of the prices where the hold has none, and the rates.
    pricing: Option<(Option<String>, Amounts<i64>)>,
    outcome: OutcomeRecord,
    first_byte_at: Option<i64>,
    settled_at: i64,
    /// The window and the amount of each meter of the hold.
    amounts: SmallVec<[([i64; 2], i64); 8]>,
}

/// Amounts by the codes of their classes, as far as there are any.
type Amounts<T> = SmallVec<[(u8, T); 4]>;

/// What was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct UsageRecord {
    counts: Amounts<u64>,
    tier: TierRecord,
    reported: Option<i64>,
}

macro_rules! recorded {
    ($record:ident of $original:ident { $($variant:ident),+ $(,)? }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        enum $record { $($variant),+ }

        impl From<$original> for $record {
            fn from(original: $original) -> Self {
                match original { $($original::$variant => Self::$variant),+ }
            }
        }

        impl From<$record> for $original {
            fn from(record: $record) -> Self {
                match record { $($record::$variant => Self::$variant),+ }
            }
        }
    };
}

recorded!(MetricRecord of Metric { ParallelRequests, Requests, Tokens, Cost });
recorded!(OutcomeRecord of Outcome { Completed, ClientCancelled, TimedOut, UpstreamError, Abandoned });
recorded!(SourceRecord of UsageSource { Provider, Counted, Estimated });
recorded!(TierRecord of ServiceTier { Standard, Flex, Priority, Batch });

impl<'a> HoldRecord<'a> {
    pub(crate) fn of(hold: u64, open: &'a Open) -> Self {
        let Attribution {
            request_id,
            attempt,
            virtual_key_id,
            team_id,
            customer_id,
            request_type,
            provider,
            provider_key_id,
            model,
            model_served,
        } = &open.attribution;
        let meters = open.plan.meters().iter().zip(&open.holds).map(|(live, held)| MeterRecord {
            limit: live.meter.id.limit.as_str(),
            metric: live.meter.id.metric.into(),
            window: window_record(held.window),
            cap: held.cap,
            held: held.amount,
            would_refuse: held.would_refuse,
        });
        let bound = Usage { tier: open.terms.tier, ..open.terms.bound.into() };
        let price = open.price.as_ref().map(|known| {
            let rates = known.price.rates_for(&bound).about(&bound.counts);
            (known.version.as_str(), amounts(&rates.map(|_, rate| rate.picos())))
        });
        Self {
            hold,
            request_id: request_id.as_str(),
            attempt: *attempt,
            virtual_key_id: virtual_key_id.as_str(),
            team_id: team_id.as_ref().map(|id| id.as_str()),
            customer_id: customer_id.as_ref().map(|id| id.as_str()),
            request_type: request_type.map(RequestType::as_str),
            provider: provider.as_str(),
            provider_key_id: provider_key_id.as_str(),
            model: model.as_str(),
            model_served: model_served.as_str(),
            bound: UsageRecord::of(&bound),
            ceiling: open.terms.ceiling.nanos(),
            price,
            admitted_at: open.admitted_at.as_microsecond(),
            meters: meters.collect(),
        }
    }

    /// The entry of an attempt that nobody settled: it is charged what it held.
    pub(crate) fn abandoned(&self) -> Option<LedgerEntry> {
        let amounts = self.meters.iter().map(|meter| (meter.window, held_for_good(meter)));
        self.entry(&SettledRecord {
            hold: self.hold,
            usage: self.bound.clone(),
            usage_source: SourceRecord::Estimated,
            cost: self.ceiling,
            pricing: self.price.as_ref().map(|(_, rates)| (None, rates.clone())),
            outcome: OutcomeRecord::Abandoned,
            first_byte_at: None,
            settled_at: self.admitted_at,
            amounts: amounts.collect(),
        })
    }

    /// The entry of the attempt, as it was settled; none when the records do not belong together.
    pub(crate) fn entry(&self, settled: &SettledRecord) -> Option<LedgerEntry> {
        if settled.amounts.len() != self.meters.len() || settled.hold != self.hold {
            return None;
        }
        let postings = self.meters.iter().zip(&settled.amounts).map(|(meter, (window, amount))| {
            Some(Posting {
                meter: MeterId { limit: meter.limit.into(), metric: meter.metric.into() },
                window: window_of(*window)?,
                cap: meter.cap,
                held: meter.held,
                amount: *amount,
                would_refuse: meter.would_refuse,
            })
        });
        Some(LedgerEntry {
            attribution: self.attribution(),
            usage: settled.usage.usage()?,
            usage_source: settled.usage_source.into(),
            cost: NanoUsd::from_nanos(settled.cost),
            pricing: match &settled.pricing {
                Some(pricing) => Some(self.pricing(pricing)?),
                None => None,
            },
            held: NanoUsd::from_nanos(self.ceiling),
            outcome: settled.outcome.into(),
            admitted_at: instant_of(self.admitted_at)?,
            first_byte_at: settled.first_byte_at.and_then(instant_of),
            settled_at: instant_of(settled.settled_at)?,
            postings: postings.collect::<Option<_>>()?,
        })
    }

    /// None when the records do not belong together.
    fn pricing(&self, (version, rates): &(Option<String>, Amounts<i64>)) -> Option<Pricing> {
        let held = self.price.as_ref().map(|(version, _)| *version);
        let version = version.as_deref().or(held)?;
        let rates = by_class(rates)?.map(|_, picos| PicoUsd::from_picos(picos));
        Some(Pricing { version: PriceVersion::from(version), rates })
    }

    fn attribution(&self) -> Attribution {
        Attribution {
            request_id: self.request_id.into(),
            attempt: self.attempt,
            virtual_key_id: self.virtual_key_id.into(),
            team_id: self.team_id.map(Into::into),
            customer_id: self.customer_id.map(Into::into),
            request_type: self.request_type.and_then(RequestType::find),
            provider: self.provider.into(),
            provider_key_id: self.provider_key_id.into(),
            model: self.model.into(),
            model_served: self.model_served.into(),
        }
    }
}

impl SettledRecord {
    pub(crate) fn of(hold: u64, has_version: bool, entry: &LedgerEntry) -> Self {
        let rates = |pricing: &Pricing| amounts(&pricing.rates.map(|_, rate| rate.picos()));
        let version = |pricing: &Pricing| (!has_version).then(|| pricing.version.to_string());
        let pricing = entry.pricing.as_ref().map(|pricing| (version(pricing), rates(pricing)));
        let amounts = entry.postings.iter().map(|posting| (window_record(posting.window), posting.amount));
        Self {
            hold,
            usage: UsageRecord::of(&entry.usage),
            usage_source: entry.usage_source.into(),
            cost: entry.cost.nanos(),
            pricing,
            outcome: entry.outcome.into(),
            first_byte_at: entry.first_byte_at.map(Timestamp::as_microsecond),
            settled_at: entry.settled_at.as_microsecond(),
            amounts: amounts.collect(),
        }
    }
}

/// What a hold is charged for when nobody settles it: all of it, but a slot is no usage.
fn held_for_good(meter: &MeterRecord<'_>) -> i64 {
    match meter.metric {
        MetricRecord::ParallelRequests => 0,
        MetricRecord::Requests | MetricRecord::Tokens | MetricRecord::Cost => meter.held,
    }
}

impl UsageRecord {
    fn of(usage: &Usage) -> Self {
        let Usage { counts, tier, reported } = usage;
        Self { counts: amounts(counts), tier: (*tier).into(), reported: reported.map(NanoUsd::nanos) }
    }

    /// None when there is a class that nobody knows: the record is of another version.
    fn usage(&self) -> Option<Usage> {
        let counts: TokenUsage = by_class(&self.counts)?;
        Some(Usage { counts, tier: self.tier.into(), reported: self.reported.map(NanoUsd::from_nanos) })
    }
}

fn amounts<T: Copy + Default + PartialEq>(values: &PerClass<T>) -> Amounts<T> {
    values.set().map(|(class, value)| (class.code(), value)).collect()
}

fn by_class<T: Copy + Default>(amounts: &Amounts<T>) -> Option<PerClass<T>> {
    amounts.iter().map(|(code, value)| Some((Class::of_code(*code)?, *value))).collect()
}

/// The database keeps microseconds; what is recovered then equals what was written.
fn window_record(window: Window) -> [i64; 2] {
    [window.start.as_microsecond(), window.end.as_microsecond()]
}

fn window_of([start, end]: [i64; 2]) -> Option<Window> {
    Some(Window { start: instant_of(start)?, end: instant_of(end)? })
}

fn instant_of(microseconds: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(microseconds).ok()
}
