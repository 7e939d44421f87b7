//! The health of one provider key, shared by all who use it. What becomes different is counted, and logged in a line.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use keyward_core::ids::{ModelName, ProviderKeyId, ProviderName};

use super::health::{Change, Condition, Health, Out, Ticket, Why};
use super::picking::Choosing;
use super::verdict::Verdict;
use crate::config::KeyHealthSettings;
use crate::metrics::KeyChanges;

/// The health of one provider key.
#[derive(Debug)]
pub(crate) struct KeyHealth {
    provider: ProviderName,
    key: ProviderKeyId,
    policy: KeyHealthSettings,
    changes: KeyChanges,
    health: Mutex<Health>,
}

/// An attempt with a key. Dropped without a verdict, it says nothing of it.
#[derive(Debug)]
pub(crate) struct Trial {
    of: Arc<KeyHealth>,
    model: ModelName,
    /// None after the end.
    ticket: Option<Ticket>,
}

impl KeyHealth {
    pub(super) fn new(
        provider: ProviderName,
        key: ProviderKeyId,
        policy: KeyHealthSettings,
        changes: KeyChanges,
    ) -> Self {
        Self { provider, key, policy, changes, health: Mutex::default() }
    }

    /// Why the key cannot be picked for the model; none when it can.
    pub(super) fn out(&self, model: &ModelName, now: Timestamp) -> Option<Out> {
        self.lock().out(model, now, &self.policy)
    }

    /// Begins an attempt.
    ///
    /// # Errors
    /// When the key cannot be picked.
    fn begin(self: &Arc<Self>, model: &ModelName, now: Timestamp) -> Result<Trial, Out> {
        let (ticket, change) = self.lock().begin(model, now, &self.policy)?;
        self.report(model, change);
        Ok(Trial { of: self.clone(), model: model.clone(), ticket: Some(ticket) })
    }

    /// Begins an attempt, unless it is a rehearsal: then nothing begins.
    pub(super) fn begin_for(
        self: &Arc<Self>,
        model: &ModelName,
        choosing: &Choosing<'_>,
    ) -> Result<Option<Trial>, Out> {
        match choosing.is_rehearsal {
            true => self.out(model, choosing.now).map_or(Ok(None), Err),
            false => self.begin(model, choosing.now).map(Some),
        }
    }

    pub(super) fn condition(&self, now: Timestamp) -> Condition {
        self.lock().condition(now, &self.policy)
    }

    fn lock(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, model: &ModelName, changes: impl IntoIterator<Item = Change>) {
        let (provider, key) = (&self.provider, &self.key);
        for change in changes {
            let what = match change {
                Change::Out(Out { why: Why::Limited, until }) => {
                    tracing::warn!(%provider, %key, %model, %until, "a provider key is limited by its provider");
                    "limited"
                }
                Change::Out(Out { why: Why::Rejected, until }) => {
                    tracing::warn!(%provider, %key, %model, %until, "a provider key is not accepted by its provider");
                    "rejected"
                }
                Change::Out(Out { why: Why::Failing, until }) => {
                    tracing::warn!(%provider, %key, %until, "a provider key failed too often and is passed over");
                    "opened"
                }
                Change::Probed => {
                    tracing::info!(%provider, %key, "a provider key that failed is tried again");
                    "half_opened"
                }
                Change::Mended => {
                    tracing::info!(%provider, %key, "a provider key that failed serves again");
                    "closed"
                }
            };
            self.changes.count(what);
        }
    }
}

impl Trial {
    /// Says what the attempt has shown.
    pub(crate) fn end(mut self, verdict: Verdict, now: Timestamp) {
        if let Some(ticket) = self.ticket.take() {
            let changes = self.of.lock().end(&ticket, &self.model, verdict, now, &self.of.policy);
            self.of.report(&self.model, changes);
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.of.lock().drop_ticket(&ticket);
        }
    }
}
