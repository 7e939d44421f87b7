//! Terms: on which an attempt is admitted. Whether it fits, and if not, with how little output it would.
//!
//! A pure function of what is asked and what the meters read. Admission and its explanation both go through it.

use keyward_core::meter::{Enforcement, Meter, Metric, OutputClamp};
use keyward_core::money::NanoUsd;
use keyward_core::price::{Possible, Price, ServiceTier, TokenUsage};
use keyward_core::refusal::{LimitRefusal, Quantity, Refusal};

use crate::counter::Level;
use crate::plan::LiveMeter;

/// The most output that an attempt can use, and whether it may be made do with less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputDemand {
    /// Tokens of one answer.
    pub per_answer: u64,
    /// How many answers are asked for.
    pub answers: u64,
    /// True when `per_answer` is the client's own cap, and not what the model can do.
    pub capped_by_client: bool,
    /// True when the request has a place for an output cap that its provider heeds.
    pub can_clamp: bool,
    /// The least cap that is of any use.
    pub least: u64,
}

/// What is asked for.
pub(crate) struct Asked<'a> {
    pub(crate) price: Option<&'a Price>,
    pub(crate) input: u64,
    pub(crate) output: OutputDemand,
    pub(crate) possible: Possible,
}

/// What is held, and what it is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The most tokens.
    pub(crate) bound: TokenUsage,
    /// The tier that is asked for.
    pub(crate) tier: ServiceTier,
    /// The most money.
    pub(crate) ceiling: NanoUsd,
    /// The output cap of one answer that the request must carry to stay within.
    pub(crate) output_cap: Option<u64>,
}

impl Terms {
    /// The terms on which everything that is asked for is held.
    pub(crate) fn full(asked: &Asked<'_>) -> Self {
        Self::new(asked, asked.output.per_answer)
    }

    fn new(asked: &Asked<'_>, per_answer: u64) -> Self {
        let output = per_answer.saturating_mul(asked.output.answers);
        let Possible { units, tier, classes: _ } = asked.possible;
        let ceiling = asked.price.map_or(NanoUsd::ZERO, |price| price.ceiling(asked.input, output, &asked.possible));
        let bound = TokenUsage { input: asked.input, output, ..units };
        let output_cap = (per_answer < asked.output.per_answer).then_some(per_answer);
        Self { bound, tier, ceiling, output_cap }
    }
}

/// What an attempt reserves on a meter.
pub(crate) fn requested(metric: Metric, terms: &Terms) -> i64 {
    match metric {
        Metric::ParallelRequests | Metric::Requests => 1,
        Metric::Tokens => i64::try_from(terms.bound.total()).unwrap_or(i64::MAX),
        Metric::Cost => terms.ceiling.nanos(),
    }
}

/// True when a limit that only watches would have refused.
pub(crate) fn overlooks(enforcement: Enforcement, level: &Level, requested: i64) -> bool {
    match enforcement {
        Enforcement::Shadow => requested > level.room(),
        Enforcement::Hard | Enforcement::Soft => false,
    }
}

/// The terms on which everything fits: as asked, or with as much output as the tightest meter can pay.
///
/// # Errors
/// The first meter in checking order that has no room.
pub(crate) fn decide(meters: &[LiveMeter], levels: &[Level], asked: &Asked<'_>) -> Result<Terms, Refusal> {
    let full = Terms::full(asked);
    let mut per_answer = asked.output.per_answer;
    for (live, level) in meters.iter().zip(levels) {
        let refused = || refusal(&live.meter, level, requested(live.meter.id.metric, &full));
        match live.meter.enforcement {
            Enforcement::Shadow => {}
            Enforcement::Soft if level.used < level.cap => {}
            Enforcement::Soft => return Err(refused()),
            Enforcement::Hard if requested(live.meter.id.metric, &full) <= level.room() => {}
            Enforcement::Hard => per_answer = per_answer.min(payable(&live.meter, level, asked).ok_or_else(refused)?),
        }
    }
    Ok(if per_answer == asked.output.per_answer { full } else { Terms::new(asked, per_answer) })
}

/// The largest output cap that a meter can pay; none when it may not clamp, or when that would be of no use.
fn payable(meter: &Meter, level: &Level, asked: &Asked<'_>) -> Option<u64> {
    let OutputDemand { per_answer, answers, capped_by_client, can_clamp, least } = asked.output;
    let may_clamp = match meter.clamp {
        OutputClamp::WhenAbsent => !capped_by_client,
        OutputClamp::Always => true,
        OutputClamp::Never => false,
    };
    if !(can_clamp && may_clamp) {
        return None;
    }
    let output = match meter.id.metric {
        Metric::ParallelRequests | Metric::Requests => None,
        Metric::Tokens => u64::try_from(level.room()).ok()?.checked_sub(asked.input),
        Metric::Cost => asked.price?.affordable_output(asked.input, NanoUsd::from_nanos(level.room()), &asked.possible),
    };
    let cap = output? / answers.max(1);
    (cap >= least.clamp(1, per_answer.max(1))).then_some(cap)
}

/// The structured "no" of one meter.
pub(crate) fn refusal(meter: &Meter, level: &Level, requested: i64) -> Refusal {
    let quantity = |amount| Quantity::of(meter.id.metric, amount);
    Refusal::Limit(Box::new(LimitRefusal {
        scope: meter.scope.clone(),
        limit: meter.id.limit.clone(),
        metric: meter.id.metric,
        limit_value: quantity(level.cap),
        used: quantity(level.used),
        held: quantity(level.held),
        requested: quantity(requested),
        resets_at: meter.windows.end(level.window),
    }))
}
