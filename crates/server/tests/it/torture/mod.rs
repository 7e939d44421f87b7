//! The real process, killed in the middle of its work again and again: whatever happens, the books are right.
//!
//! `cargo xtask torture` runs the same for longer, with other seeds.

mod crash_points;
mod cuts;
mod load;
mod node;
mod random_kills;

/// How long to go on, in minutes; none: a short while, as in every run of the tests.
#[expect(clippy::disallowed_methods, reason = "how long is the environment's to say")]
pub fn minutes() -> Option<u64> {
    std::env::var("KEYWARD_TORTURE_MINUTES").ok().and_then(|text| text.parse().ok())
}

/// What everything random is derived from; it is printed, so that a failure can be repeated.
#[expect(clippy::disallowed_methods, reason = "the seed is the environment's to say")]
pub fn seed() -> u64 {
    let seed =
        std::env::var("KEYWARD_TORTURE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(rand::random);
    println!("seed {seed}");
    seed
}
