//! The ledger writer: takes finished attempts from the engine and makes them durable, in batches, in order.
//!
//! An entry that could not be written is tried again until it is: nothing is dropped while the process lives. As long as
//! writing fails, the ledger says so and the engine admits nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyward_core::ledger::LedgerEntry;
use keyward_engine::Ledger;
use keyward_store::Store;
use tokio::sync::{mpsc, oneshot};

/// The most entries that one transaction takes.
const BATCH: usize = 512;
/// How long to wait before a failed batch is tried again: first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

enum Message {
    Entry(Box<LedgerEntry>),
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
    available: Arc<AtomicBool>,
}

impl LedgerWriter {
    /// The writer, and the task that does its work until the writer is gone.
    pub(crate) fn new(store: Store) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, messages) = mpsc::unbounded_channel();
        let available = Arc::new(AtomicBool::new(true));
        (Self { queue, available: available.clone() }, write(store, messages, available))
    }

    /// Returns when every entry that was appended before is durable.
    ///
    /// # Errors
    /// When that has not happened within `patience`; the entries are still tried.
    pub(crate) async fn flush(&self, patience: Duration) -> Result<(), NotDurable> {
        let (done, flushed) = oneshot::channel();
        self.queue.send(Message::Flush(done)).map_err(|_| NotDurable)?;
        match tokio::time::timeout(patience, flushed).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(NotDurable),
        }
    }
}

impl Ledger for LedgerWriter {
    fn append(&self, entry: LedgerEntry) {
        if self.queue.send(Message::Entry(Box::new(entry))).is_err() {
            self.available.store(false, Ordering::Release);
            tracing::error!("the ledger writer is gone; an entry was lost");
        }
    }

    fn is_available(&self) -> bool {
        self.available.load(Ordering::Acquire) && !self.queue.is_closed()
    }
}

async fn write(store: Store, mut messages: mpsc::UnboundedReceiver<Message>, available: Arc<AtomicBool>) {
    let mut received = Vec::with_capacity(BATCH);
    while messages.recv_many(&mut received, BATCH).await > 0 {
        let mut entries = Vec::with_capacity(received.len());
        let mut waiting = Vec::new();
        for message in received.drain(..) {
            match message {
                Message::Entry(entry) => entries.push(*entry),
                Message::Flush(done) => waiting.push(done),
            }
        }
        append(&store, entries, &available).await;
        for done in waiting {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
    }
}

async fn append(store: &Store, entries: Vec<LedgerEntry>, available: &AtomicBool) {
    if entries.is_empty() {
        return;
    }
    let (mut pause, longest) = RETRY;
    while let Err(error) = store.ledger_append(entries.clone()).await {
        if available.swap(false, Ordering::AcqRel) {
            tracing::error!(%error, entries = entries.len(), "the ledger cannot be written; nothing is admitted until it can");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
    if !available.swap(true, Ordering::AcqRel) {
        tracing::info!("the ledger is written again");
    }
}
