//! How long randomised tests go on, and what everything random in them is derived from.

use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;

/// Runs `each` with one random source after the other: `usual` of them, or for as long as `KEYWARD_TORTURE_MINUTES` says.
pub fn rounds(usual: u64, mut each: impl FnMut(StdRng)) {
    let (begun, seed) = (Instant::now(), seed());
    let most = minutes().map(|minutes| Duration::from_secs(minutes * 60));
    let mut round = 0;
    while most.map_or(round < usual, |most| begun.elapsed() < most) {
        println!("round {round} of seed {seed}");
        each(StdRng::seed_from_u64(seed.wrapping_add(round)));
        round += 1;
    }
}

#[expect(clippy::disallowed_methods, reason = "how long is the environment's to say")]
pub fn minutes() -> Option<u64> {
    std::env::var("KEYWARD_TORTURE_MINUTES").ok().and_then(|text| text.parse().ok())
}

/// It is printed, so that a failure can be repeated.
#[expect(clippy::disallowed_methods, reason = "the seed is the environment's to say")]
pub fn seed() -> u64 {
    let seed =
        std::env::var("KEYWARD_TORTURE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(rand::random);
    println!("seed {seed}");
    seed
}
