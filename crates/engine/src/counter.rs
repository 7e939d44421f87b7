//! Counters: what is used and held on one meter right now.
//!
//! Counters live apart from policies: an edit replaces the policy and leaves the counter. Each window that begins is a
//! new epoch; a hold remembers its epoch, so that one from an earlier window can neither fill nor free the current one.

use std::sync::PoisonError;

use jiff::Timestamp;
use keyward_core::meter::{Count, Meter, MeterId};
use keyward_core::window::Window;

use crate::sync::{Mutex, MutexGuard};

/// One meter's counter.
#[derive(Debug)]
pub(crate) struct Counter {
    /// What it counts.
    pub(crate) meter: MeterId,
    /// The place in the one order in which counters are locked.
    pub(crate) rank: u64,
    state: Mutex<State>,
}

/// What a counter reads.
#[derive(Debug, Default)]
pub(crate) struct State {
    count: Option<Count>,
    held: i64,
    epoch: u64,
    /// Which revision of the policy has laid the counted window. An older one, of an attempt that began before an edit, does not
    /// lay it anew.
    revision: u64,
}

/// What one attempt has reserved on one counter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) window: Window,
    pub(crate) cap: i64,
    pub(crate) amount: i64,
    /// True when the limit only watches, and would have refused.
    pub(crate) would_refuse: bool,
    epoch: u64,
}

/// What a meter reads at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) window: Window,
    pub(crate) used: i64,
    pub(crate) held: i64,
    pub(crate) cap: i64,
}

impl Level {
    /// What may still be held.
    pub(crate) const fn room(&self) -> i64 {
        self.cap.saturating_sub(self.used).saturating_sub(self.held)
    }
}

impl Counter {
    pub(crate) fn new(meter: MeterId, rank: u64, count: Option<Count>) -> Self {
        Self { meter, rank, state: Mutex::new(State { count, ..State::default() }) }
    }

    /// Locks the counter. A panic elsewhere cannot leave it half-changed: every change is one assignment of numbers.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reading, if the meter was ever touched.
    pub(crate) fn count(&self) -> Option<Count> {
        self.lock().count
    }

    /// What is held in the window that `now` lies in.
    pub(crate) fn held(&self, now: Timestamp) -> i64 {
        let state = self.lock();
        state.count.filter(|count| count.window.contains(now)).map_or(0, |_| state.held)
    }

    /// Adds an amount to the usage of a window, which may be negative, unless that window is over.
    pub(crate) fn adjust(&self, window: Window, amount: i64) {
        let mut state = self.lock();
        state.count = state.count.map(|count| match count.window.overlaps(&window) {
            true => Count { used: count.used.saturating_add(amount), ..count },
            false => count,
        });
    }

    /// Replaces a hold by what was used. Returns the window that the usage belongs to.
    pub(crate) fn settle(&self, held: &Held, used: i64) -> Window {
        let mut state = self.lock();
        let Some(count) = state.count else { return held.window };
        if state.epoch != held.epoch {
            return held.window.until(count.window.start);
        }
        state.held = state.held.saturating_sub(held.amount);
        state.count = Some(Count { used: count.used.saturating_add(used), ..count });
        count.window
    }
}

impl State {
    /// What the meter reads at `now`. A window that is over makes way for the next one; windows of an edited policy replace those
    /// of the one before.
    pub(crate) fn level(&mut self, meter: &Meter, revision: u64, now: Timestamp) -> Level {
        let current = self.count.filter(|count| revision <= self.revision && count.window.contains(now));
        let Count { window, used } = match current {
            Some(count) => count,
            None => self.roll(meter.window_at(now), revision, now),
        };
        Level { window, used, held: self.held, cap: meter.cap_at(now) }
    }

    /// Makes `window` the current one, and reads what is used in it.
    fn roll(&mut self, window: Window, revision: u64, now: Timestamp) -> Count {
        let rolled = self.count.map_or(Count::empty(window), |count| count.rolled(window, now));
        let lasts = |count: &Count| now < count.window.end && count.window.overlaps(&rolled.window);
        let continues = self.count.as_ref().is_some_and(lasts);
        if !continues {
            self.held = 0;
            self.epoch = self.epoch.wrapping_add(1);
        }
        self.count = Some(rolled);
        self.revision = revision;
        rolled
    }

    /// Reserves an amount in the window of `level`, which was just read.
    pub(crate) fn hold(&mut self, level: &Level, amount: i64, would_refuse: bool) -> Held {
        self.held = self.held.saturating_add(amount);
        Held { window: level.window, cap: level.cap, amount, would_refuse, epoch: self.epoch }
    }
}
