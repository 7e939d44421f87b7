//! Throttling of guesses: after some wrong passwords each further one has to wait, and longer each time. Nothing sleeps: who
//! comes too early is refused. Instants are passed in; memory is bounded.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use keyward_core::secret::KeyHash;

/// How many wrong passwords are free.
const FREE: u32 = 5;
/// After how long without a wrong password earlier ones are forgotten.
const MEMORY: SignedDuration = SignedDuration::from_hours(1);
/// How many guessers are remembered; the one that was quiet for longest makes room.
const MOST: usize = 10_000;

/// Remembers guessers of one kind: addresses, or user names that are guessed for.
#[derive(Debug)]
pub(super) struct Throttle {
    longest: SignedDuration,
    guessers: HashMap<KeyHash, Failures>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Throttle {
    /// Lets nobody wait for longer than this.
    pub(super) fn new(longest: SignedDuration) -> Self {
        Self { longest, guessers: HashMap::new() }
    }

    /// How long the guesser has to wait before the next try; none: it may try.
    pub(super) fn wait(&self, guesser: KeyHash, now: Timestamp) -> Option<SignedDuration> {
        let failures = self.guessers.get(&guesser)?;
        let wait = self.pause(failures.count).saturating_sub(now.duration_since(failures.last));
        (wait > SignedDuration::ZERO).then_some(wait)
    }

    /// Counts a try as wrong.
    pub(super) fn failed(&mut self, guesser: KeyHash, now: Timestamp) {
        self.make_room(guesser, now);
        let failures = self.guessers.entry(guesser).or_insert(Failures { count: 0, last: now });
        if now.duration_since(failures.last) > MEMORY {
            failures.count = 0;
        }
        *failures = Failures { count: failures.count.saturating_add(1), last: now };
    }

    /// Forgets the guesser's wrong tries.
    pub(super) fn succeeded(&mut self, guesser: KeyHash) {
        self.guessers.remove(&guesser);
    }

    fn pause(&self, count: u32) -> SignedDuration {
        match count.checked_sub(FREE) {
            None => SignedDuration::ZERO,
            Some(more) => {
                SignedDuration::from_secs(1_i64.checked_shl(more.min(20)).unwrap_or(i64::MAX)).min(self.longest)
            }
        }
    }

    fn make_room(&mut self, guesser: KeyHash, now: Timestamp) {
        if self.guessers.len() < MOST || self.guessers.contains_key(&guesser) {
            return;
        }
        self.guessers.retain(|_, failures| now.duration_since(failures.last) <= MEMORY);
        if self.guessers.len() >= MOST
            && let Some(quietest) = self.guessers.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| *key)
        {
            self.guessers.remove(&quietest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: SignedDuration = SignedDuration::from_mins(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn guesser(number: u64) -> KeyHash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        KeyHash(hash)
    }

    #[test]
    fn after_five_wrong_tries_each_wait_is_twice_the_one_before() {
        let mut throttle = Throttle::new(LONGEST);
        for _ in 0..4 {
            throttle.failed(guesser(0), at(0));
        }
        assert_eq!(throttle.wait(guesser(0), at(0)), None);
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            throttle.failed(guesser(0), at(0));
            assert_eq!(throttle.wait(guesser(0), at(0)), Some(SignedDuration::from_secs(seconds)));
            assert_eq!(throttle.wait(guesser(0), at(seconds)), None, "the instant at which the wait is over");
        }
        assert_eq!(throttle.wait(guesser(1), at(0)), None, "others do not wait");
    }

    #[test]
    fn a_success_and_a_quiet_hour_are_a_new_beginning() {
        let mut throttle = Throttle::new(LONGEST);
        let fail = |throttle: &mut Throttle| (0..9).for_each(|_| throttle.failed(guesser(0), at(0)));
        fail(&mut throttle);
        throttle.succeeded(guesser(0));
        assert_eq!(throttle.wait(guesser(0), at(0)), None);
        fail(&mut throttle);
        throttle.failed(guesser(0), at(3_601));
        assert_eq!(throttle.wait(guesser(0), at(3_601)), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut throttle = Throttle::new(LONGEST);
        let (most, first) = (u64::try_from(MOST).unwrap(), guesser(0));
        for number in 0..most + 10 {
            throttle.failed(guesser(number), at(i64::try_from(number / 100).unwrap()));
        }
        assert_eq!(throttle.guessers.len(), MOST);
        assert!(!throttle.guessers.contains_key(&first) || throttle.guessers.contains_key(&guesser(most + 9)));
        throttle.failed(guesser(u64::MAX), at(100_000));
        assert_eq!(throttle.guessers.len(), 1, "who was quiet for an hour is forgotten first");
    }
}
