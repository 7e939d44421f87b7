//! Running the server: health, metrics, starting, stopping.

mod books;
mod health;
mod ledger;
mod process;
mod shutdown;

pub use process::{Running, keyward};
