//! Provider configs without limits of their own: most virtual keys have the same few, and each is kept once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};

use keyward_core::ids::ProviderName;

use crate::policy::ConfigPolicy;
use crate::sync::Mutex;

/// How many different ones of a provider are remembered: each of a new virtual key is compared with all of them.
const MOST: usize = 32;

/// Those that some virtual key has.
#[derive(Debug, Default)]
pub(crate) struct Alike(Mutex<HashMap<ProviderName, Vec<Weak<ConfigPolicy>>>>);

impl Alike {
    /// The provider config, or one that says the same.
    pub(crate) fn share(&self, config: ConfigPolicy) -> Arc<ConfigPolicy> {
        if config.has_limits() {
            return Arc::new(config);
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(config.provider.clone()).or_default();
        if let Some(same) = known.iter().filter_map(Weak::upgrade).find(|other| other.says_the_same(&config)) {
            return same;
        }
        known.retain(|other| other.strong_count() > 0);
        let config = Arc::new(config);
        if known.len() < MOST {
            known.push(Arc::downgrade(&config));
        }
        config
    }
}
