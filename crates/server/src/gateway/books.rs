//! The books of one running attempt: whatever happens to it, it is settled or released once.

use actix_web::web;
use keyward_core::error_body::ErrorExtra;
use keyward_core::ledger::Outcome;
use keyward_core::price::TokenUsage;
use keyward_engine::{Admission, Settlement};

use super::CHAT_COMPLETION;
use crate::clock;
use crate::state::State;

/// The books of one attempt: open until it is settled or released, once.
pub(super) struct Books {
    state: web::Data<State>,
    admission: Option<Admission>,
}

impl Books {
    pub(super) fn open(state: web::Data<State>, admission: Admission) -> Self {
        state.metrics.attempt_began();
        Self { state, admission: Some(admission) }
    }

    /// The admission: the proof that the attempt may reach its upstream; none after its end.
    pub(super) const fn admission(&self) -> Option<&Admission> {
        self.admission.as_ref()
    }

    pub(super) const fn state(&self) -> &web::Data<State> {
        &self.state
    }

    /// The request that this attempt belongs to, and what it is about.
    pub(super) fn about(&self) -> (String, ErrorExtra) {
        let attribution = self.admission.as_ref().and_then(Admission::attribution);
        attribution.map_or_else(Default::default, |attribution| {
            let extra = ErrorExtra {
                provider: attribution.provider.to_string(),
                model_requested: format!("{}/{}", attribution.provider, attribution.model),
                request_type: CHAT_COMPLETION.to_owned(),
            };
            (attribution.request_id.to_string(), extra)
        })
    }

    /// Writes down what was used; the first call counts.
    pub(super) fn settle(&mut self, usage: Option<TokenUsage>, outcome: Outcome) {
        if let Some(admission) = self.admission.take() {
            let cost = admission.settle(Settlement { usage, outcome, first_byte_at: None, at: clock::now() });
            self.state.metrics.attempt_ended(outcome, usage, cost);
        }
    }

    /// Nothing was used: no byte left.
    pub(super) fn release(&mut self) {
        if let Some(admission) = self.admission.take() {
            admission.release();
            self.state.metrics.attempt_released();
        }
    }
}

impl Drop for Books {
    /// The task was killed before it could settle: the hold is charged.
    fn drop(&mut self) {
        self.settle(None, Outcome::Abandoned);
    }
}
