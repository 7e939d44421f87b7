//! A token that is kept while it is valid. It is renewed before it ends, by one caller, while the others go on with the old one;
//! a renewal in vain takes nothing away from a token that is still valid.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Mutex, MutexGuard};

use super::error::CredentialError;

/// The longest time before its end that a token is renewed.
const LEAD: SignedDuration = SignedDuration::from_secs(300);
/// How long before its end a token is used no more: a request takes its time, and clocks differ.
const MARGIN: SignedDuration = SignedDuration::from_secs(30);
/// How long to go on with a valid token after a renewal in vain.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// A new token.
#[derive(Debug)]
pub(super) struct Fresh<T> {
    pub(super) token: T,
    pub(super) expires_at: Timestamp,
}

#[derive(Debug)]
struct Kept<T> {
    token: T,
    renew_at: Timestamp,
    usable_until: Timestamp,
}

impl<T> Kept<T> {
    fn new(fresh: Fresh<T>, now: Timestamp) -> Self {
        let life = fresh.expires_at.duration_since(now);
        let before_end = |share: i32, most: SignedDuration| {
            fresh.expires_at.checked_sub((life / share).min(most)).unwrap_or(fresh.expires_at)
        };
        let (renew_at, usable_until) = (before_end(5, LEAD), before_end(10, MARGIN));
        Self { renew_at, usable_until, token: fresh.token }
    }
}

/// At most one token, for any number of callers.
#[derive(Debug)]
pub(super) struct TokenCache<T> {
    kept: ArcSwapOption<Kept<T>>,
    /// How many exchanges have ended.
    rounds: AtomicU64,
    /// Who holds it exchanges. It has the failure of the last exchange.
    turn: Mutex<Option<CredentialError>>,
}

impl<T> Default for TokenCache<T> {
    fn default() -> Self {
        Self { kept: ArcSwapOption::empty(), rounds: AtomicU64::new(0), turn: Mutex::new(None) }
    }
}

impl<T: Clone> TokenCache<T> {
    /// The token, from `exchange` when there is none that is still valid for a while. Callers who wait for an exchange share
    /// what comes of it.
    pub(super) async fn get(
        &self,
        now: Timestamp,
        exchange: impl AsyncFnOnce() -> Result<Fresh<T>, CredentialError>,
    ) -> Result<T, CredentialError> {
        let round = self.rounds.load(Ordering::Acquire);
        let kept = self.kept.load_full().filter(|kept| now < kept.usable_until);
        if let Some(kept) = kept {
            if now < kept.renew_at {
                return Ok(kept.token.clone());
            }
            return Ok(match self.turn.try_lock() {
                Ok(turn) => self.renewed(turn, &kept, now, exchange).await,
                Err(_) => kept.token.clone(),
            });
        }
        let turn = self.turn.lock().await;
        if let Some(kept) = self.kept.load_full().filter(|kept| now < kept.usable_until) {
            return Ok(kept.token.clone());
        }
        match turn.as_ref().filter(|_| self.rounds.load(Ordering::Acquire) != round) {
            Some(failure) => Err(failure.clone()),
            None => self.exchanged(turn, now, exchange).await,
        }
    }

    /// A newer token than `kept`; that one when there is none to be had.
    async fn renewed(
        &self,
        turn: MutexGuard<'_, Option<CredentialError>>,
        kept: &Kept<T>,
        now: Timestamp,
        exchange: impl AsyncFnOnce() -> Result<Fresh<T>, CredentialError>,
    ) -> T {
        if let Some(newer) = self.kept.load_full().filter(|newer| now < newer.renew_at) {
            return newer.token.clone();
        }
        match self.exchanged(turn, now, exchange).await {
            Ok(token) => token,
            Err(error) => {
                tracing::warn!(%error, "a token could not be renewed; the one that is still valid is used");
                let renew_at = now.checked_add(PAUSE).unwrap_or(kept.usable_until);
                let paused = Kept { token: kept.token.clone(), renew_at, usable_until: kept.usable_until };
                self.kept.store(Some(Arc::new(paused)));
                kept.token.clone()
            }
        }
    }

    async fn exchanged(
        &self,
        mut turn: MutexGuard<'_, Option<CredentialError>>,
        now: Timestamp,
        exchange: impl AsyncFnOnce() -> Result<Fresh<T>, CredentialError>,
    ) -> Result<T, CredentialError> {
        let outcome = exchange().await;
        *turn = outcome.as_ref().err().cloned();
        self.rounds.fetch_add(1, Ordering::Release);
        let fresh = outcome?;
        let token = fresh.token.clone();
        self.kept.store(Some(Arc::new(Kept::new(fresh, now))));
        Ok(token)
    }
}

#[cfg(test)]
mod tests;
