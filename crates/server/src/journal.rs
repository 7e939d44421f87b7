//! The journal at the server: recovered before anything is admitted, and tended as long as the server runs.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::crash_point::{CrashPoint, Probe};
use keyward_core::error_code::ErrorCode;
use keyward_engine::{Admission, Journal, JournalError, Recovery};
use keyward_store::Store;
use tokio::sync::Notify;

use crate::config::{JournalSync, Settings};
use crate::error::ApiError;
use crate::server::ServerError;
use crate::state::State;

/// How long to wait between two looks at the journal: what was written is on the disk within twice as long, if the disk keeps up.
const PAUSE: Duration = Duration::from_millis(5);
/// The same, when nothing has to be on the disk.
const UNSYNCED_PAUSE: Duration = Duration::from_secs(1);
/// How long a request waits for the disk.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many recovered entries one transaction takes.
const BATCH: usize = 512;

/// Brings the books to where they were when the last process ended: the database gets what only the journal has. What was running
/// then is charged what it held.
pub(crate) async fn recover(store: &Store, settings: &Settings, probe: Probe) -> Result<Journal, ServerError> {
    let options = settings.journal.options(&settings.database_url, store.database_mark());
    let recovery = Recovery::read(options)?;
    probe.reached(CrashPoint::RecoveryRead);
    if let Some((segment, offset)) = recovery.torn_tail() {
        tracing::warn!(segment = %segment.display(), offset, "the last write to the journal was cut short, and is cut off");
    }
    let entries = recovery.entries();
    if !entries.is_empty() {
        tracing::info!(
            entries = entries.len(),
            abandoned = recovery.abandoned(),
            "recovering attempts from the journal"
        );
    }
    for batch in entries.chunks(BATCH) {
        store.ledger_append(batch).await?;
    }
    probe.reached(CrashPoint::RecoveryAppended);
    Ok(recovery.finish(probe)?)
}

/// Wakes the one who tends the journal, and those who wait for it.
#[derive(Debug, Default)]
pub(crate) struct Tending {
    wanted: Notify,
    done: Notify,
}

impl State {
    /// Returns when what an attempt holds is as durable as it is configured to be.
    pub(crate) async fn held_durably(&self, admission: &Admission) -> Result<(), ApiError> {
        if self.settings.journal.sync != JournalSync::EveryWrite {
            return Ok(());
        }
        let synced = async {
            loop {
                let tended = self.tending.done.notified();
                if admission.is_synced() {
                    return;
                }
                self.tending.wanted.notify_one();
                tended.await;
            }
        };
        tokio::time::timeout(PATIENCE, synced).await.map_err(|_| {
            ApiError::new(ErrorCode::GovernanceUnavailable, "The journal cannot be brought to the disk in time")
        })
    }

    async fn tend_journal(&self) -> Result<(), JournalError> {
        let (engine, sync) = (self.engine.clone(), self.settings.journal.sync != JournalSync::Off);
        let tended = self.runtime.spawn_blocking(move || engine.tend_journal(sync)).await;
        self.tending.done.notify_waiters();
        tended.unwrap_or_else(|panic| Err(JournalError::Write(std::io::Error::other(panic))))
    }

    /// Brings the journal to its end: when the database has everything, there is none.
    pub(crate) async fn close_journal(&self) -> Result<(), JournalError> {
        self.tend_journal().await?;
        self.engine.journal().close()
    }
}

/// Tends the journal until the server stops.
pub(crate) async fn tend(state: Arc<State>) {
    let stop = state.give_up.clone();
    let pause = if state.settings.journal.sync == JournalSync::Off { UNSYNCED_PAUSE } else { PAUSE };
    let mut has_failed = false;
    let due = || async {
        tokio::select! {
            () = state.tending.wanted.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    };
    while stop.run_until_cancelled(due()).await.is_some() {
        if !state.engine.journal().needs_tending() {
            continue;
        }
        match state.tend_journal().await {
            Err(error) if !has_failed => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::error!(%error, cause, "the journal cannot be written; nothing is admitted until it can");
                has_failed = true;
            }
            Ok(()) if has_failed => {
                tracing::info!("the journal is written again");
                has_failed = false;
            }
            Ok(()) | Err(_) => {}
        }
    }
}
