//! Health: what is known of one provider key, as a state machine that time is passed into.
//!
//! Two things keep a key from being picked. A pause is what the provider said: that the key is limited for a while, or that it is
//! not accepted; it lies on the key or on one of its models. The breaker is what was seen: it opens after failures in a row,
//! lets a few probes pass when it has been open for long enough, and closes when one of them is answered.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use keyward_core::ids::ModelName;

use super::verdict::Verdict;
use crate::config::KeyHealthSettings;

/// The most models of one key that have pauses of their own.
const MAX_MODELS: usize = 128;
/// When to look again at a key that is being probed.
const PROBING: SignedDuration = SignedDuration::from_secs(1);

/// Why a key is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The provider limits it.
    Limited,
    /// The provider does not accept it.
    Rejected,
    /// It failed too often.
    Failing,
}

/// A key that is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Out {
    pub(crate) why: Why,
    pub(crate) until: Timestamp,
}

/// What became different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// From now on the key is passed over.
    Out(Out),
    /// It is probed.
    Probed,
    /// It is as good as any again.
    Mended,
}

/// How a key stands, in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Condition {
    Usable,
    /// As a whole, or for one model.
    Limited,
    Rejected,
    Open,
    HalfOpen,
}

impl Condition {
    pub(crate) const ALL: [Self; 5] = [Self::Usable, Self::Limited, Self::Rejected, Self::Open, Self::HalfOpen];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Usable => "usable",
            Self::Limited => "limited",
            Self::Rejected => "rejected",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// By which an attempt tells what became of it. What it says of an earlier state of the breaker counts for nothing.
#[derive(Debug)]
pub(super) struct Ticket {
    epoch: u64,
}

/// What is known of one key.
#[derive(Debug, Default)]
pub(super) struct Health {
    breaker: Breaker,
    /// Counts the states of the breaker.
    epoch: u64,
    key: Option<Out>,
    models: HashMap<ModelName, Out>,
}

#[derive(Debug)]
enum Breaker {
    /// With so many failures in a row.
    Closed { failures: u32 },
    /// After so many probes in a row that failed.
    Open { until: Timestamp, turns: u32 },
    /// With so many probes on their way.
    HalfOpen { probes: u32, turns: u32 },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Health {
    /// Why the key cannot be picked for the model, and until when at least; none when it can.
    pub(super) fn out(&self, model: &ModelName, now: Timestamp, policy: &KeyHealthSettings) -> Option<Out> {
        let breaker = match self.breaker {
            Breaker::Closed { .. } => None,
            Breaker::Open { until, .. } => Some(Out { why: Why::Failing, until }),
            Breaker::HalfOpen { probes, .. } => (probes >= policy.probes.get())
                .then(|| Out { why: Why::Failing, until: now.checked_add(PROBING).unwrap_or(Timestamp::MAX) }),
        };
        let all = [self.key, self.models.get(model).copied(), breaker];
        all.into_iter().flatten().filter(|out| out.holds(now, policy)).max_by_key(|out| out.until)
    }

    /// An attempt begins.
    ///
    /// # Errors
    /// When the key cannot be picked.
    pub(super) fn begin(
        &mut self,
        model: &ModelName,
        now: Timestamp,
        policy: &KeyHealthSettings,
    ) -> Result<(Ticket, Option<Change>), Out> {
        if let Some(out) = self.out(model, now, policy) {
            return Err(out);
        }
        let change = match &mut self.breaker {
            Breaker::Closed { .. } => None,
            Breaker::HalfOpen { probes, .. } => {
                *probes = probes.saturating_add(1);
                None
            }
            Breaker::Open { turns, .. } => {
                let turns = *turns;
                self.turn(Breaker::HalfOpen { probes: 1, turns });
                Some(Change::Probed)
            }
        };
        Ok((Ticket { epoch: self.epoch }, change))
    }

    /// An attempt ended.
    pub(super) fn end(
        &mut self,
        ticket: &Ticket,
        model: &ModelName,
        verdict: Verdict,
        now: Timestamp,
        policy: &KeyHealthSettings,
    ) -> Vec<Change> {
        let is_current = ticket.epoch == self.epoch;
        let paused = match verdict {
            Verdict::Failed => {
                let opened = if is_current { self.failed(now, policy) } else { None };
                return opened.into_iter().collect();
            }
            Verdict::Served => None,
            Verdict::Limited(wait) => self.pause(Some(model), Why::Limited, now, policy.limited_for(wait), policy),
            Verdict::KeyRejected => self.pause(None, Why::Rejected, now, policy.rejected_for(), policy),
            Verdict::ModelRejected => self.pause(Some(model), Why::Rejected, now, policy.rejected_for(), policy),
        };
        let mended = if is_current { self.answered() } else { None };
        mended.into_iter().chain(paused).collect()
    }

    /// An attempt ended, and nobody knows how.
    pub(super) fn drop_ticket(&mut self, ticket: &Ticket) {
        match &mut self.breaker {
            Breaker::HalfOpen { probes, .. } if ticket.epoch == self.epoch => *probes = probes.saturating_sub(1),
            Breaker::Closed { .. } | Breaker::Open { .. } | Breaker::HalfOpen { .. } => {}
        }
    }

    pub(super) fn condition(&self, now: Timestamp, policy: &KeyHealthSettings) -> Condition {
        let key = self.key.filter(|out| out.holds(now, policy)).map(|out| out.why);
        let is_open = |until| Out { why: Why::Failing, until }.holds(now, policy);
        match (key, &self.breaker) {
            (Some(Why::Rejected), _) => Condition::Rejected,
            (_, Breaker::Open { until, .. }) if is_open(*until) => Condition::Open,
            (_, Breaker::Open { .. } | Breaker::HalfOpen { .. }) => Condition::HalfOpen,
            (Some(Why::Limited | Why::Failing), Breaker::Closed { .. }) => Condition::Limited,
            (None, Breaker::Closed { .. }) if self.models.values().any(|out| out.holds(now, policy)) => {
                Condition::Limited
            }
            (None, Breaker::Closed { .. }) => Condition::Usable,
        }
    }

    /// The provider answered, whatever it said.
    fn answered(&mut self) -> Option<Change> {
        match &mut self.breaker {
            Breaker::Closed { failures } => {
                *failures = 0;
                None
            }
            Breaker::HalfOpen { .. } => {
                self.turn(Breaker::default());
                Some(Change::Mended)
            }
            // A ticket of this state does not exist.
            Breaker::Open { .. } => None,
        }
    }

    fn failed(&mut self, now: Timestamp, policy: &KeyHealthSettings) -> Option<Change> {
        let turns = match &mut self.breaker {
            Breaker::Closed { failures } => {
                *failures = failures.saturating_add(1);
                if *failures < policy.failures.get() {
                    return None;
                }
                0
            }
            Breaker::HalfOpen { turns, .. } => turns.saturating_add(1),
            Breaker::Open { .. } => return None,
        };
        let until = now.checked_add(policy.open_for(turns)).unwrap_or(Timestamp::MAX);
        self.turn(Breaker::Open { until, turns });
        Some(Change::Out(Out { why: Why::Failing, until }))
    }

    fn turn(&mut self, breaker: Breaker) {
        self.breaker = breaker;
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// Lays a pause on a model or on the whole key. One that ends later stays.
    fn pause(
        &mut self,
        model: Option<&ModelName>,
        why: Why,
        now: Timestamp,
        length: SignedDuration,
        policy: &KeyHealthSettings,
    ) -> Option<Change> {
        let out = Out { why, until: now.checked_add(length).unwrap_or(Timestamp::MAX) };
        let before = match model {
            None => self.key,
            Some(model) => self.models.get(model).copied(),
        };
        let before = before.filter(|before| before.holds(now, policy));
        if length.is_zero() || before.is_some_and(|before| before.until >= out.until) {
            return None;
        }
        match model {
            None => self.key = Some(out),
            Some(model) => self.remember(model, out, now, policy),
        }
        (before.map(|before| before.why) != Some(why)).then_some(Change::Out(out))
    }

    fn remember(&mut self, model: &ModelName, out: Out, now: Timestamp, policy: &KeyHealthSettings) {
        if self.models.len() >= MAX_MODELS && !self.models.contains_key(model) {
            self.models.retain(|_, out| out.holds(now, policy));
            // Of too many, the one that would end first is forgotten.
            let first = self.models.iter().min_by_key(|(_, out)| out.until).map(|(model, _)| model.clone());
            if let (true, Some(first)) = (self.models.len() >= MAX_MODELS, first) {
                self.models.remove(&first);
            }
        }
        self.models.insert(model.clone(), out);
    }
}

impl Out {
    /// True before its end. One that ends too far away is from before the clock was set back.
    fn holds(&self, now: Timestamp, policy: &KeyHealthSettings) -> bool {
        now < self.until && self.until.duration_since(now) <= policy.longest().max(PROBING)
    }
}

#[cfg(test)]
mod tests;
