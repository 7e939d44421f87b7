//! Running the server: health, metrics, starting, stopping.

mod books;
mod descriptors;
mod full_disk;
mod health;
mod journal;
mod ledger;
mod prices;
mod process;
mod reference;
mod served;
mod shutdown;
mod webhooks;

pub use process::{Running, keyward};
pub use served::{Served, is_killed};
