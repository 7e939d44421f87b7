//! The ledger writer: takes finished attempts from the engine and makes them durable, in batches, in order.
//!
//! An entry that could not be written is tried again until it is: nothing is dropped while the process lives. As long as
//! writing fails, or is too far behind, the ledger says so and the engine admits nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use keyward_core::crash_point::{CrashPoint, Probe};
use keyward_core::ledger::LedgerEntry;
use keyward_engine::{Ledger, Receipt};
use keyward_store::Store;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

/// The most entries that one transaction takes.
const BATCH: usize = 8_192;
/// How long entries gather before a batch is written: so many times as long as the last one took, but at least and at most. What a
/// batch costs grows slower than the batch, since all that it adds to one counter is one update: under load few large ones are cheaper
/// than many small ones, and with few requests the requests do not wait behind batches. The journal has the entries in the meantime.
const GATHERING: (u32, Duration, Duration) = (9, Duration::from_millis(100), Duration::from_secs(1));
/// How many entries may wait to be written: what a crash could lose, and what memory they may take.
const MOST_WAITING: usize = 20_000;
/// How long to wait before a failed batch is tried again: first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

enum Message {
    Entry(Box<LedgerEntry>, Receipt),
    /// Asks to be told when everything before it is durable.
    Flush(oneshot::Sender<()>),
}

/// Entries of the ledger are not in the database yet.
#[derive(Debug, thiserror::Error)]
#[error("the ledger could not be written in time")]
pub struct NotDurable;

/// The engine's end of the writer.
pub(crate) struct LedgerWriter {
    queue: mpsc::UnboundedSender<Message>,
    progress: Arc<Progress>,
}

/// How the writing goes.
struct Progress {
    /// False while the database refuses.
    works: AtomicBool,
    /// Entries that are not durable yet.
    waiting: AtomicUsize,
    /// Tells the writer to wait no longer: somebody waits for it, or there is enough for a batch.
    hurry: Notify,
}

impl LedgerWriter {
    /// The writer, and the task that does its work until the writer is gone.
    pub(crate) fn new(store: Store, probe: Probe) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, messages) = mpsc::unbounded_channel();
        let progress =
            Arc::new(Progress { works: AtomicBool::new(true), waiting: AtomicUsize::new(0), hurry: Notify::new() });
        (Self { queue, progress: progress.clone() }, write(store, messages, progress, probe))
    }

    /// Returns when every entry that was appended before is durable.
    ///
    /// # Errors
    /// When that has not happened within `patience`; the entries are still tried.
    pub(crate) async fn flush(&self, patience: Duration) -> Result<(), NotDurable> {
        let (done, flushed) = oneshot::channel();
        self.queue.send(Message::Flush(done)).map_err(|_| NotDurable)?;
        self.progress.hurry.notify_one();
        match tokio::time::timeout(patience, flushed).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(NotDurable),
        }
    }
}

impl Ledger for LedgerWriter {
    fn append(&self, entry: LedgerEntry, receipt: Receipt) {
        let waited = self.progress.waiting.fetch_add(1, Ordering::AcqRel);
        if waited == BATCH {
            self.progress.hurry.notify_one();
        }
        if self.queue.send(Message::Entry(Box::new(entry), receipt)).is_err() {
            self.progress.works.store(false, Ordering::Release);
            tracing::error!("the ledger writer is gone; an entry was lost");
        }
    }

    fn is_available(&self) -> bool {
        let keeps_up = self.progress.waiting.load(Ordering::Acquire) < MOST_WAITING;
        keeps_up && self.progress.works.load(Ordering::Acquire) && !self.queue.is_closed()
    }
}

async fn write(store: Store, mut messages: mpsc::UnboundedReceiver<Message>, progress: Arc<Progress>, probe: Probe) {
    let mut received = Vec::with_capacity(BATCH);
    let (times, shortest, longest) = GATHERING;
    let mut gathering = shortest;
    while messages.recv_many(&mut received, 1).await > 0 {
        if messages.len() < BATCH {
            // Whoever hurries ends it.
            let _ = tokio::time::timeout(gathering, progress.hurry.notified()).await;
        }
        let began = Instant::now();
        received.extend(std::iter::from_fn(|| messages.try_recv().ok()).take(BATCH - 1));
        let mut entries = Vec::with_capacity(received.len());
        let (mut receipts, mut askers) = (Vec::with_capacity(received.len()), Vec::new());
        for message in received.drain(..) {
            match message {
                Message::Entry(entry, receipt) => {
                    entries.push(*entry);
                    receipts.push(receipt);
                }
                Message::Flush(done) => askers.push(done),
            }
        }
        probe.reached(CrashPoint::BatchTaken);
        append(&store, entries, &progress).await;
        probe.reached(CrashPoint::BatchCommitted);
        receipts.into_iter().for_each(Receipt::confirm);
        probe.reached(CrashPoint::BatchConfirmed);
        for done in askers {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
        gathering = began.elapsed().saturating_mul(times).clamp(shortest, longest);
    }
}

async fn append(store: &Store, entries: Vec<LedgerEntry>, progress: &Progress) {
    if entries.is_empty() {
        return;
    }
    let (mut pause, longest) = RETRY;
    let entries: Arc<[LedgerEntry]> = entries.into();
    while let Err(error) = store.ledger_append(entries.clone()).await {
        if progress.works.swap(false, Ordering::AcqRel) {
            tracing::error!(%error, entries = entries.len(), "the ledger cannot be written; nothing is admitted until it can");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
    progress.waiting.fetch_sub(entries.len(), Ordering::AcqRel);
    if !progress.works.swap(true, Ordering::AcqRel) {
        tracing::info!("the ledger is written again");
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use keyward_core::ledger::{Attribution, Outcome, Postings, UsageSource};
    use keyward_core::money::NanoUsd;
    use keyward_core::price::Usage;
    use keyward_core::pricing_override::RequestType;
    use keyward_store::StoreOptions;
    use tokio_util::task::TaskTracker;

    use super::*;

    fn entry(number: usize) -> LedgerEntry {
        let at = Timestamp::UNIX_EPOCH;
        LedgerEntry {
            attribution: Attribution {
                request_id: number.to_string().into(),
                attempt: 0,
                virtual_key_id: "vk".into(),
                team_id: None,
                customer_id: None,
                request_type: Some(RequestType::ChatCompletion),
                provider: "p".into(),
                provider_key_id: "k".into(),
                model: "m".into(),
                model_served: "m".into(),
            },
            usage: Usage::default(),
            usage_source: UsageSource::Provider,
            cost: NanoUsd::from_nanos(1),
            pricing: None,
            held: NanoUsd::from_nanos(1),
            outcome: Outcome::Completed,
            admitted_at: at,
            first_byte_at: None,
            settled_at: at,
            postings: Postings::new(),
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_writer_that_is_too_far_behind_admits_nothing_until_it_has_caught_up() {
        let directory = tempfile::tempdir().unwrap();
        let url = crate::config::sqlite_url(directory.path());
        let store = Store::open(StoreOptions { url, root_key: None }).await.unwrap();
        let (writer, writing) = LedgerWriter::new(store.clone(), Probe::default());
        (0..MOST_WAITING - 1).for_each(|number| writer.append(entry(number), Receipt::default()));
        assert!(writer.is_available());
        writer.append(entry(MOST_WAITING), Receipt::default());
        assert!(!writer.is_available());
        assert!(writer.flush(Duration::ZERO).await.is_err(), "nobody writes yet");

        let tasks = TaskTracker::new();
        tasks.spawn(writing);
        writer.flush(Duration::from_secs(60)).await.unwrap();
        assert!(writer.is_available());
        let totals = store.ledger_totals("vk".into()).await.unwrap();
        assert_eq!(totals.entries, i64::try_from(MOST_WAITING).unwrap());
    }
}
