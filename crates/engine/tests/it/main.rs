//! The engine's promises, tried from outside: each test names the invariant that it holds.

#![cfg(test)]
#![cfg(not(feature = "model-check"))]
#![allow(unreachable_pub, reason = "the modules of a test binary are its own")]

mod afterwards;
mod agents;
mod allocations;
mod books;
mod caps;
mod clamps;
mod edits;
mod identity;
mod journal;
mod model;
mod model_configs;
mod organisation;
mod slots;
mod standing;
mod storm;
mod strictness;
mod torture;
mod usage;
mod windows;
mod world;
