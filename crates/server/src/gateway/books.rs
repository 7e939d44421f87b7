//! The books of one running attempt: whatever happens to it, it is settled or released once.

use actix_web::web;
use jiff::Timestamp;
use keyward_core::crash_point::CrashPoint;
use keyward_core::error_body::ErrorExtra;
use keyward_core::ledger::Outcome;
use keyward_core::money::NanoUsd;
use keyward_core::price::Usage;
use keyward_engine::{Admission, Settlement};

use super::untold::Untold;
use super::watch::Watch;
use crate::clock;
use crate::state::State;

/// The books of one attempt: open until it is settled or released, once.
pub(crate) struct Books {
    state: web::Data<State>,
    admission: Option<Admission>,
    /// What the attempt is about, in errors.
    about: ErrorExtra,
    /// False until something of the request may have reached its upstream.
    has_left: bool,
    first_byte_at: Option<Timestamp>,
    watch: Watch,
}

impl Books {
    pub(crate) fn open(state: web::Data<State>, admission: Admission, about: ErrorExtra, watch: Watch) -> Self {
        state.metrics.attempt_began();
        Self { state, admission: Some(admission), about, has_left: false, first_byte_at: None, watch }
    }

    /// Whoever tells of the attempt.
    pub(super) const fn watch(&mut self) -> &mut Watch {
        &mut self.watch
    }

    /// The admission: the proof that the attempt may reach its upstream; none after its end.
    pub(crate) const fn admission(&self) -> Option<&Admission> {
        self.admission.as_ref()
    }

    pub(crate) const fn state(&self) -> &web::Data<State> {
        &self.state
    }

    /// The request that this attempt belongs to, and what it is about.
    pub(crate) fn about(&self) -> (String, ErrorExtra) {
        let request_id = self.admission.as_ref().map(|admission| admission.request_id().to_string());
        (request_id.unwrap_or_default(), self.about.clone())
    }

    /// From now on something of the request may have reached its upstream.
    pub(crate) fn leaves(&mut self) {
        self.has_left = true;
        self.watch.leaves();
        self.reached(CrashPoint::RequestLeaving);
    }

    /// The provider's answer has begun.
    pub(crate) fn answer_began(&mut self) {
        self.first_byte_at = Some(clock::now());
        self.watch.answer_began(&self.state);
        self.reached(CrashPoint::AnswerBegan);
    }

    /// A test may want the process to die here.
    pub(crate) fn reached(&self, point: CrashPoint) {
        self.state.settings.probe.reached(point);
    }

    /// Writes down what was used; the first call counts. Returns the cost, if this was the call.
    pub(crate) fn settle(&mut self, usage: Option<Usage>, outcome: Outcome) -> Option<NanoUsd> {
        self.end(usage, false, outcome)
    }

    /// The same; what was not told is counted, if that can be done. No more is charged for it than was held.
    pub(super) fn settle_or_count(
        &mut self,
        told: Option<Usage>,
        untold: &Untold,
        outcome: Outcome,
    ) -> Option<NanoUsd> {
        self.admission.as_ref()?;
        let counted = if told.is_some() { None } else { untold.usage(&self.state.tokenizers) };
        self.end(told.or(counted), counted.is_some(), outcome)
    }

    fn end(&mut self, usage: Option<Usage>, is_counted: bool, outcome: Outcome) -> Option<NanoUsd> {
        let admission = self.admission.take()?;
        self.reached(CrashPoint::AnswerEnded);
        let first_byte_at = self.first_byte_at;
        let request_id = admission.request_id().clone();
        let overlooked = admission.overlooked();
        let cost = admission.settle(Settlement { usage, is_counted, outcome, first_byte_at, at: clock::now() });
        match cost {
            Some(cost) => {
                self.watch.ended(&self.state, outcome, usage.as_ref(), cost);
                self.state.metrics.overlooked(overlooked);
            }
            None => {
                tracing::error!(%request_id, "an attempt ended that had been given up; what it held is charged");
                self.watch.uncharged(&self.state, Outcome::Abandoned);
            }
        }
        cost
    }

    /// Nothing was used: no byte left.
    pub(crate) fn release(&mut self) {
        if let Some(admission) = self.admission.take() {
            admission.release();
            self.watch.uncharged(&self.state, Outcome::UpstreamError);
        }
    }
}

impl Drop for Books {
    /// The task was killed before it could settle: the hold is charged, unless nothing had left.
    fn drop(&mut self) {
        match self.has_left {
            true => drop(self.settle(None, Outcome::Abandoned)),
            false => self.release(),
        }
        self.watch.closed(&self.state);
    }
}
