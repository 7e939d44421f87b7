//! Refusals, counted: tens of thousands in a second must cost next to nothing, so they are added up here and written together.
//!
//! They are no money and no entries of the ledger: those of the last second before a crash are lost.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::VirtualKeyId;
use keyward_core::usage::{Hour, RefusalCount, Series};

use crate::state::State;

/// How many models, each at its provider, are told apart in an hour. Callers name what they like: others count without a name.
const MODELS: usize = 500;

/// The longest name of a model or a tool that is recorded, in bytes.
pub(crate) const LONGEST_NAME: usize = 256;

/// Whether a name that a caller has chosen may be recorded: a short text without control characters.
pub(crate) fn is_recordable(name: &str) -> bool {
    name.len() <= LONGEST_NAME && !name.chars().any(char::is_control)
}

/// What is known of a request that was refused; texts are empty where nothing is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Refused<'a> {
    pub(crate) virtual_key: Option<&'a VirtualKeyId>,
    pub(crate) provider: &'a str,
    /// As the request names it.
    pub(crate) model: &'a str,
}

/// Refusals that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// The hour that `models` are of.
    hour: Option<Hour>,
    /// Providers and models that have a name in this hour.
    models: HashSet<(String, String)>,
    counts: HashMap<Key, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    hour: Hour,
    virtual_key: Option<VirtualKeyId>,
    model: (String, String),
    code: &'static str,
}

impl Refusals {
    /// Counts a refusal. Faults of the server or of a provider are none.
    pub(crate) fn count(&self, code: ErrorCode, about: Refused<'_>, now: Timestamp) {
        if code.status() >= 500 {
            return;
        }
        let Refused { virtual_key, provider, model } = about;
        // Usage has a model without its provider.
        let model = model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
        let model = match is_recordable(provider) && is_recordable(model) {
            true => (provider.to_owned(), model.to_owned()),
            false => Default::default(),
        };
        let (hour, virtual_key, code) = (Hour::of(now), virtual_key.cloned(), code.as_str());
        let mut counts = self.lock();
        let model = counts.named(hour, model);
        *counts.counts.entry(Key { hour, virtual_key, model, code }).or_default() += 1;
    }

    fn take(&self) -> HashMap<Key, u64> {
        std::mem::take(&mut self.lock().counts)
    }

    fn put_back(&self, taken: HashMap<Key, u64>) {
        let mut counts = self.lock();
        for (key, count) in taken {
            match counts.counts.entry(key) {
                Entry::Occupied(mut there) => *there.get_mut() += count,
                Entry::Vacant(free) => drop(free.insert(count)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// What a model counts as in this hour.
    fn named(&mut self, hour: Hour, model: (String, String)) -> (String, String) {
        if self.hour != Some(hour) {
            self.hour = Some(hour);
            self.models.clear();
        }
        if self.models.contains(&model) {
            return model;
        }
        if self.models.len() >= MODELS {
            return Default::default();
        }
        self.models.insert(model.clone());
        model
    }
}

/// Writes what was counted. What cannot be written stays counted.
pub(crate) async fn flush(state: &State) {
    let taken = state.refusals.take();
    if taken.is_empty() {
        return;
    }
    let counted = taken.iter().map(|(key, count)| told(state, key, *count)).collect();
    if let Err(error) = state.store.refusals_add(counted).await {
        tracing::warn!(%error, "refusals could not be written; they are tried again");
        state.refusals.put_back(taken);
    }
}

/// A count with the owners that its virtual key has now.
fn told(state: &State, key: &Key, count: u64) -> RefusalCount {
    let Key { hour, virtual_key, model: (provider, model), code } = key;
    let principal = virtual_key.as_ref().and_then(|id| state.engine.debtor(id));
    let holder = principal.map(|principal| state.engine.holder(&principal));
    let (team, customer) = holder.map(|holder| (holder.team_id, holder.customer_id)).unwrap_or_default();
    let series = Series {
        customer: customer.map(|id| id.to_string()).unwrap_or_default(),
        team: team.map(|id| id.to_string()).unwrap_or_default(),
        virtual_key: virtual_key.as_ref().map(ToString::to_string).unwrap_or_default(),
        provider: provider.clone(),
        model: model.clone(),
        outcome: (*code).to_owned(),
    };
    RefusalCount { hour: *hour, series, count }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_764_072_000, 0);

    #[test]
    fn refusals_of_the_same_kind_are_one_count() {
        let refusals = Refusals::default();
        let key = VirtualKeyId::from("v");
        let about = Refused { virtual_key: Some(&key), provider: "openai", model: "openai/gpt-5" };
        for _ in 0..3 {
            refusals.count(ErrorCode::BudgetExceeded, about, NOON);
        }
        refusals.count(ErrorCode::BudgetExceeded, Refused { model: "gpt-5", ..about }, NOON);
        refusals.count(ErrorCode::Internal, about, NOON);
        let taken = refusals.take();
        let model = ("openai".to_owned(), "gpt-5".to_owned());
        let expected = Key { hour: Hour::of(NOON), virtual_key: Some(key), model, code: "budget_exceeded" };
        assert_eq!(taken, HashMap::from([(expected, 4)]));
        assert!(refusals.take().is_empty());
        refusals.put_back(taken.clone());
        refusals.put_back(taken);
        assert_eq!(refusals.take().into_values().collect::<Vec<_>>(), [8]);
    }

    #[test]
    fn what_is_no_short_name_counts_without_one() {
        let refusals = Refusals::default();
        for model in ["m".repeat(LONGEST_NAME + 1).as_str(), "a\0b"] {
            refusals.count(ErrorCode::InvalidRequest, Refused { model, ..Refused::default() }, NOON);
        }
        let taken = refusals.take();
        assert!(taken.keys().all(|key| key.model == Default::default()), "{taken:?}");
        assert_eq!(taken.into_values().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn callers_cannot_make_more_than_so_many_names_in_an_hour() {
        let refusals = Refusals::default();
        let count =
            |model: &str, at| refusals.count(ErrorCode::ModelBlocked, Refused { model, ..Refused::default() }, at);
        (0..MODELS + 100).for_each(|n| count(&format!("m{n}"), NOON));
        let taken = refusals.take();
        assert_eq!(taken.len(), MODELS + 1);
        assert_eq!(taken.values().sum::<u64>(), 600);
        assert_eq!(taken.into_values().max(), Some(100), "without a name");
        count("another", Hour::of(NOON).after(1).begins());
        assert!(refusals.take().into_keys().all(|key| key.model.1 == "another"), "another hour has names again");
    }
}
