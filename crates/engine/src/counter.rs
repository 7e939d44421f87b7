//! Counters: what is used and held on one meter right now.
//!
//! Counters live apart from policies: an edit replaces the policy and leaves the counter. Each window that begins is a
//! new epoch; a hold remembers its epoch, so that one from an earlier window can neither fill nor free the current one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use keyward_core::meter::Count;
use keyward_core::window::Window;

/// One meter's counter.
#[derive(Debug)]
pub(crate) struct Counter {
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
}

/// What one attempt has reserved on one counter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) window: Window,
    pub(crate) amount: i64,
    epoch: u64,
}

impl Counter {
    pub(crate) fn new(rank: u64, count: Option<Count>) -> Self {
        Self { rank, state: Mutex::new(State { count, ..State::default() }) }
    }

    /// Locks the counter. A panic elsewhere cannot leave it half-changed: every change is one assignment of numbers.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reading, if the meter was ever touched.
    pub(crate) fn count(&self) -> Option<Count> {
        self.lock().count
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
    /// Makes `window` the current one, and reads what is used in it.
    pub(crate) fn roll(&mut self, window: Window) -> Count {
        let rolled = self.count.map_or(Count::empty(window), |count| count.rolled(window));
        let continues = self.count.is_some_and(|count| count.window.overlaps(&rolled.window));
        if !continues {
            self.held = 0;
            self.epoch = self.epoch.wrapping_add(1);
        }
        self.count = Some(rolled);
        rolled
    }

    /// What is held in the current window.
    pub(crate) const fn held(&self) -> i64 {
        self.held
    }

    /// Reserves an amount in the current window, which [`State::roll`] has set.
    pub(crate) fn hold(&mut self, window: Window, amount: i64) -> Held {
        self.held = self.held.saturating_add(amount);
        Held { window, amount, epoch: self.epoch }
    }
}
