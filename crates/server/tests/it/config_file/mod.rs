//! Configuration as code: the file that a server starts with, against what the API has made of the database.

mod apply;
mod command;
mod errors;
mod limits;
mod mcp;
mod roundtrip;

use std::net::SocketAddr;

use keyward_client::{AuditEntry, AuditQuery, Client};
use keyward_server::Server;
use keyward_server::config::{Overrides, Settings, export};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::harness::{Database, open, root_key};

/// A server that was started with a file.
pub struct Served {
    server: Server,
    pub client: Client,
}

/// Starts a server with this file, or says why it did not start.
pub async fn start(file: &Value, database: &Database) -> Result<Served, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    std::fs::write(&path, file.to_string()).unwrap();
    start_with(&path, database).await
}

pub async fn start_with(path: &std::path::Path, database: &Database) -> Result<Served, String> {
    let overrides = Overrides {
        config: Some(path.to_owned()),
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        database_url: Some(database.url.clone()),
    };
    let mut settings = Settings::load(overrides).map_err(|error| error.to_string())?;
    settings.journal.directory = Some(database.directory().join("journal"));
    let server = Server::start(settings, root_key()).await.map_err(|error| error.to_string())?;
    let client = Client::builder().base_url(&format!("http://{}", server.address())).build().unwrap();
    Ok(Served { server, client })
}

impl Served {
    pub async fn stop(self) {
        self.server.stop().await.unwrap();
    }

    /// The newest entries of the audit log, newest first.
    pub async fn audit(&self) -> Vec<AuditEntry> {
        let query = AuditQuery { limit: Some("100".to_owned()), ..AuditQuery::default() };
        self.client.audit_list(&query).await.unwrap().entries
    }

    /// What was done since the log had so many entries, oldest first.
    pub async fn done_since(&self, entries: usize) -> Vec<String> {
        let mut actions: Vec<String> = self.audit().await.into_iter().map(|entry| entry.action).collect();
        actions.truncate(actions.len() - entries);
        actions.reverse();
        actions
    }
}

/// Starts and stops a server with this file.
pub async fn apply(file: &Value, database: &Database) {
    start(file, database).await.unwrap().stop().await;
}

pub async fn exported(database: &Database) -> String {
    let store = open(&database.url).await;
    let text = export(&store).await.unwrap();
    store.close().await.unwrap();
    text
}

pub fn request<T: DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}
