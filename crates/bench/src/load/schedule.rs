//! When the calls of an open loop begin. Tokio's own timer counts in milliseconds, which is longer than what is measured: this one is
//! the kernel's.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use rustix::time::{timerfd_create, timerfd_settime};
use tokio::sync::mpsc;

/// Calls at equal distances.
#[derive(Clone, Copy)]
pub(crate) struct Schedule {
    begin: Instant,
    distance: Duration,
}

impl Schedule {
    /// The first call is one distance after the beginning.
    pub(crate) fn new(begin: Instant, per_second: u32) -> Self {
        Self { begin, distance: Duration::from_secs(1) / per_second.max(1) }
    }

    pub(crate) const fn begin(&self) -> Instant {
        self.begin
    }

    /// When a call should begin; the first one is number 0.
    pub(crate) fn intended(&self, number: u64) -> Instant {
        let nanos = u64::try_from(self.distance.as_nanos()).unwrap_or(u64::MAX);
        self.begin + Duration::from_nanos(nanos.saturating_mul(number + 1))
    }

    /// How many calls begin in that time.
    pub(crate) fn within(&self, time: Duration) -> u64 {
        u64::try_from(time.as_nanos() / self.distance.as_nanos().max(1)).unwrap_or(u64::MAX)
    }
}

/// Waits for the times of a schedule.
pub(crate) struct Pacer {
    /// How many calls have become due, each time that some have.
    expired: mpsc::UnboundedReceiver<u64>,
    schedule: Schedule,
    /// How many calls are due.
    due: u64,
}

impl Pacer {
    /// The schedule begins now.
    pub(crate) fn start(per_second: u32) -> Result<Self> {
        ensure!(per_second > 0, "a schedule needs at least one call in a second");
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
        let schedule = Schedule::new(Instant::now(), per_second);
        let distance = Timespec::try_from(schedule.distance)?;
        let every = Itimerspec { it_interval: distance, it_value: distance };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &every)?;
        let (send, expired) = mpsc::unbounded_channel();
        // It ends with the first time that nobody waits for any more.
        thread::spawn(move || {
            let mut count = [0; 8];
            while rustix::io::read(&timer, &mut count).is_ok() && send.send(u64::from_ne_bytes(count)).is_ok() {}
        });
        Ok(Self { expired, schedule, due: 0 })
    }

    pub(crate) const fn schedule(&self) -> Schedule {
        self.schedule
    }

    /// Waits until a call is due; one that is already is not waited for.
    pub(crate) async fn wait_for(&mut self, number: u64) -> Result<()> {
        while self.due <= number {
            self.due += self.expired.recv().await.context("the timer has ended")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_at_equal_distances() {
        let begin = Instant::now();
        let schedule = Schedule::new(begin, 200);
        assert_eq!(schedule.intended(0), begin + Duration::from_millis(5));
        assert_eq!(schedule.intended(199), begin + Duration::from_secs(1));
        assert_eq!(schedule.within(Duration::from_secs(2)), 400);
    }

    #[tokio::test]
    async fn no_call_is_before_its_time() {
        let mut pacer = Pacer::start(1_000).unwrap();
        for number in [0, 9] {
            pacer.wait_for(number).await.unwrap();
            assert!(Instant::now() >= pacer.schedule().intended(number));
        }
    }
}
