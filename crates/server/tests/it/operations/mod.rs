//! Running the server: health, metrics, starting, stopping.

mod books;
mod health;
mod ledger;
mod process;
mod shutdown;
mod webhooks;

pub use process::{Running, keyward};
