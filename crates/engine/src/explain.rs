//! Explanations: what would happen to an attempt, and what every meter that covers it reads. They change nothing.

use std::sync::Arc;

use jiff::Timestamp;
use keyward_core::ids::LimitId;
use keyward_core::meter::{Enforcement, Meter, Metric, OutputClamp};
use keyward_core::money::NanoUsd;
use keyward_core::refusal::Refusal;
use keyward_core::scope::Scope;
use keyward_core::window::Window;

use crate::admit::{Attempt, Engine, weigh};
use crate::counter::Level;
use crate::identity::Permit;
use crate::plan::Plan;
use crate::terms::{Terms, overlooks, requested};

/// The meters that cover an attempt, in checking order.
#[derive(Debug, Clone)]
pub struct Coverage(pub(crate) Arc<Plan>);

/// One meter, and what it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterLevel {
    /// Whose limit it is.
    pub scope: Scope,
    /// The budget or rate limit.
    pub limit: LimitId,
    /// What it counts.
    pub metric: Metric,
    /// How strictly it is held.
    pub enforcement: Enforcement,
    /// Whether output may be capped to fit.
    pub clamp: OutputClamp,
    /// The window that is counted.
    pub window: Window,
    /// When the window ends; none: it does not.
    pub resets_at: Option<Timestamp>,
    /// The cap in force: nano-dollars, tokens or requests.
    pub cap: i64,
    /// What is used in the window.
    pub used: i64,
    /// What running attempts have reserved.
    pub held: i64,
}

/// On which terms an attempt would be admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    /// The input tokens that would be held for.
    pub input_tokens: u64,
    /// The output tokens that would be held for, over all answers.
    pub output_tokens: u64,
    /// The money that would be held.
    pub cost: NanoUsd,
    /// The output cap that one answer would get; none: it would get no other one than it has.
    pub output_cap: Option<u64>,
}

/// What would happen to an attempt, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The terms, or the first thing that stands against it.
    pub verdict: Result<Granted, Refusal>,
    /// Every meter that covers the attempt, in checking order, and what the attempt would reserve on it: on these terms, else as
    /// it was asked for.
    pub meters: Vec<(MeterLevel, i64)>,
}

impl Coverage {
    /// What each meter reads at `now`.
    pub fn levels(&self, now: Timestamp) -> impl Iterator<Item = MeterLevel> {
        self.0.meters().iter().map(move |live| MeterLevel::new(&live.meter, &live.level(now)))
    }
}

impl MeterLevel {
    fn new(meter: &Meter, level: &Level) -> Self {
        Self {
            scope: meter.scope.clone(),
            limit: meter.id.limit.clone(),
            metric: meter.id.metric,
            enforcement: meter.enforcement,
            clamp: meter.clamp,
            window: level.window,
            resets_at: meter.windows.end(level.window),
            cap: level.cap,
            used: level.used,
            held: level.held,
        }
    }

    /// True when a limit that only watches would refuse an attempt that reserves this much.
    #[must_use]
    pub fn would_refuse(&self, requested: i64) -> bool {
        let Self { window, cap, used, held, .. } = *self;
        overlooks(self.enforcement, &Level { window, used, held, cap }, requested)
    }

    /// What is left; none when more is used and held than the cap.
    #[must_use]
    pub fn remaining(&self) -> i64 {
        self.cap.saturating_sub(self.used).saturating_sub(self.held).max(0)
    }
}

impl From<Terms> for Granted {
    fn from(terms: Terms) -> Self {
        Self {
            input_tokens: terms.bound.total_input(),
            output_tokens: terms.bound.total_output(),
            cost: terms.ceiling,
            output_cap: terms.output_cap,
        }
    }
}

impl Engine {
    /// The meters that would cover what is permitted.
    #[must_use]
    pub fn coverage(&self, permit: &Permit) -> Coverage {
        Coverage(self.core.policies.plan(permit))
    }

    /// Says what would happen to an attempt if it asked now. It goes the way of admission, and stops before anything is held.
    #[must_use]
    pub fn explain(&self, permit: &Permit, attempt: &Attempt<'_>, now: Timestamp) -> Explanation {
        let plan = self.core.policies.plan(permit);
        let weighed = match self.core.can_keep_books() {
            true => weigh(&plan, permit, attempt, now, |_, _, _| ()).map(|(terms, ())| terms),
            false => Err(Refusal::BooksUnavailable),
        };
        let terms = weighed.as_ref().copied().unwrap_or_else(|_| attempt.as_asked());
        let meters = plan.meters().iter().map(|live| {
            let level = MeterLevel::new(&live.meter, &live.level(now));
            (level, requested(live.meter.id.metric, &terms))
        });
        Explanation { meters: meters.collect(), verdict: weighed.map(Granted::from) }
    }
}
