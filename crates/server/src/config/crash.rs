//! Crash points from the environment: a test names one, and the process dies there for good.

use keyward_core::crash_point::Probe;

/// What `KEYWARD_CRASH_AT` asks for, as `name` or `name:count`: at the point of this name, when it is reached for the `count`th time,
/// the process is killed as by `kill -9`. In builds without debug assertions there are no crash points, and nobody asks.
#[cfg(debug_assertions)]
pub(super) fn probe() -> Probe {
    use std::sync::atomic::{AtomicU32, Ordering};

    use keyward_core::crash_point::CrashPoint;
    use secrecy::ExposeSecret as _;

    let Some(asked) = super::environment("KEYWARD_CRASH_AT") else { return Probe::default() };
    let (name, count) = asked.expose_secret().split_once(':').unwrap_or((asked.expose_secret(), "1"));
    let (Some(wanted), Ok(count)) = (CrashPoint::find(name), count.parse::<u32>()) else { return Probe::default() };
    let left = AtomicU32::new(count);
    Probe::new(move |point| {
        if point == wanted && left.fetch_sub(1, Ordering::SeqCst) == 1 {
            // It ends before this returns.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
    })
}

#[cfg(not(debug_assertions))]
pub(super) fn probe() -> Probe {
    Probe::default()
}
