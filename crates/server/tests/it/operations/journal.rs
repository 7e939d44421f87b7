//! The journal as an operator meets it: every setting of `sync`, the command that looks into it, and damage.

use std::process::Output;

use keyward_client::{Client, CreateVirtualKey};
use keyward_server::demo::simulator::Simulator;
use serde_json::json;

use crate::gateway::{chat, with_budget};
use crate::harness::{Database, ROOT_KEY, seed};
use crate::operations::{Served, keyward};

struct Node {
    database: Database,
    _simulator: Simulator,
}

impl Node {
    async fn new(sync: &str) -> Self {
        let (database, simulator) = (Database::fresh().await, Simulator::start().unwrap());
        seed(&database.url, simulator.base_url()).await;
        let config = json!({ "server": { "journal": { "sync": sync, "directory": "books" } } });
        std::fs::write(database.directory().join("config.json"), config.to_string()).unwrap();
        Self { database, _simulator: simulator }
    }

    fn serve(&self) -> Result<Served, (std::process::ExitStatus, Vec<String>)> {
        let mut command = keyward(self.database.directory());
        command.args(["serve", "--listen", "127.0.0.1:0", "--config", "config.json"]);
        command.args(["--database-url", &self.database.url]).env("KEYWARD_ROOT_KEY", ROOT_KEY);
        Served::start(command)
    }

    fn command(&self, arguments: &[&str]) -> Output {
        let mut command = keyward(self.database.directory());
        command.args(arguments).args(["--config", "config.json", "--database-url", &self.database.url]);
        command.env("KEYWARD_ROOT_KEY", ROOT_KEY).output().unwrap()
    }
}

async fn call(served: &Served) {
    let client = Client::builder().base_url(&served.url).build().unwrap();
    let request = CreateVirtualKey { name: "k".into(), ..with_budget("1") };
    let key = client.virtual_key_create(&request).await.unwrap().virtual_key;
    let caller = client.with_virtual_key(key.value.expose()).unwrap();
    let calls = (0..8).map(|_| async { caller.chat_completion_create(&chat("demo/echo", "hi")).await.unwrap() });
    futures_util::future::join_all(calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_is_synced_calls_are_served_and_a_killed_server_is_recovered() {
    for sync in ["every_write", "interval", "off"] {
        let node = Node::new(sync).await;
        let served = node.serve().unwrap();
        call(&served).await;
        served.kill();
        let inspected = node.command(&["journal", "inspect"]);
        let said = String::from_utf8(inspected.stdout).unwrap();
        assert!(inspected.status.success() && said.contains("8 holds, 8 settlements, 0 releases"), "{sync}: {said}");
        node.serve().unwrap().stop();
        assert!(node.command(&["ledger", "reconcile"]).status.success(), "{sync}");
        let said = String::from_utf8(node.command(&["journal", "inspect"]).stdout).unwrap();
        assert!(said.contains("0 segments"), "{sync}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_stops_the_start_and_inspection_shows_it() {
    let node = Node::new("interval").await;
    let served = node.serve().unwrap();
    call(&served).await;
    served.kill();
    let segment = node.database.directory().join("books").join(format!("{:020}.journal", 1));
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[60] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let (status, log) = node.serve().err().unwrap();
    assert!(!status.success() && log.iter().any(|line| line.contains("is damaged at byte 32")), "{log:#?}");
    let inspected = node.command(&["journal", "inspect"]);
    assert!(!inspected.status.success());
    assert!(String::from_utf8(inspected.stdout).unwrap().contains("DAMAGED at byte 32"));
}
