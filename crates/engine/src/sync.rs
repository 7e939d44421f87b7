//! What threads meet at: the locks and atomics of everything that is held, settled, edited and written down.
//!
//! They are the standard library's. With the feature `model-check` they are a schedule checker's, which runs threads one at a time and
//! chooses at each of these places who goes on; such a build is for `tests/schedules.rs` only.

#[cfg(not(feature = "model-check"))]
pub(crate) use std::sync::{Mutex, MutexGuard, RwLock, RwLockWriteGuard, atomic};

#[cfg(feature = "model-check")]
pub(crate) use shuttle::sync::{Mutex, MutexGuard, RwLock, RwLockWriteGuard, atomic};
