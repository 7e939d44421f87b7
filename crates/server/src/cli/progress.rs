//! How far work in steps has come: a bar on a terminal, else a line for each step, on standard error.

use indicatif::{ProgressBar, ProgressStyle};

use super::output;

/// Work on several things.
pub(super) struct Progress {
    bar: ProgressBar,
    /// What is done to each, such as `rotated`.
    done: &'static str,
}

impl Progress {
    pub(super) fn new(total: usize, done: &'static str) -> Self {
        let bar = ProgressBar::new(u64::try_from(total).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos} of {len} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(done);
        Self { bar, done }
    }

    /// Tells that so many more are done. Work of one step is not worth a word.
    pub(super) fn advance(&self, count: usize) {
        self.bar.inc(u64::try_from(count).unwrap_or(u64::MAX));
        let (position, total) = (self.bar.position(), self.bar.length().unwrap_or_default());
        if self.bar.is_hidden() && position < total {
            output::note(&format!("{position} of {total} {}", self.done));
        }
    }
}

impl Drop for Progress {
    /// The bar makes room for what comes after it.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
