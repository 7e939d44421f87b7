//! What the tests stand on: a server, a simulated provider, a database, and a client that checks every answer.

mod app;
mod collector;
mod contract;
mod database;
mod fixture;
mod mcp_server;
mod raw;
mod receiver;
mod replay;
mod routed;
mod transport;
mod upstream;

pub use app::{App, AppBuilder, ROOT_KEY, open, root_key, seed};
pub use collector::{Collector, attribute};
pub use contract::Contract;
pub use database::Database;
pub use fixture::Fixture;
pub use mcp_server::McpServer;
pub use raw::Reply;
pub use receiver::{Message, Receiver};
pub use replay::{Received, Replay};
pub use routed::Routed;
pub use upstream::{Absent, Scripted, Step};
