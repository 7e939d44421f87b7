//! Runs one target under libFuzzer: the one that `KEYWARD_FUZZ_TARGET` names. `cargo xtask fuzz` builds and starts it.

#![no_main]

use std::sync::LazyLock;

use keyward_server::fuzzing::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

/// The environment is asked once: the fuzzer runs millions of inputs.
static CHOSEN: LazyLock<Option<Target>> = LazyLock::new(|| {
    let name = std::env::var("KEYWARD_FUZZ_TARGET").ok()?;
    TARGETS.iter().find(|(target, _)| *target == name).map(|(_, target)| *target)
});

fuzz_target!(|data: &[u8]| {
    match *CHOSEN {
        Some(target) => target(data),
        None => std::process::exit(2),
    }
});
