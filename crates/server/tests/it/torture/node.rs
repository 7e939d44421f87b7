//! A node that dies and comes back: one database, one journal, one provider with a bill of its own.

use std::sync::Mutex;

use keyward_client::{BudgetInput, Client, CreateVirtualKey, ResetDuration, Retries, VirtualKey};
use keyward_core::base_url::BaseUrl;
use keyward_server::demo::simulator::{Bill, Simulator};
use serde_json::json;

use crate::gateway::demo_cost;
use crate::harness::{Absent, Database, ROOT_KEY, Scripted, Step, open, seed};
use crate::operations::{Served, is_killed, keyward};

/// The cap of the key that is meant to reach it.
const TIGHT: &str = "0.05";

/// What outlives every process.
pub struct Node {
    pub database: Database,
    pub simulator: Simulator,
    _absent: Absent,
    _silent: Scripted,
    /// A key with room for everything, and one that reaches its cap.
    pub keys: Vec<VirtualKey>,
    asked: Mutex<u64>,
}

impl Node {
    pub async fn new() -> Self {
        let database = Database::fresh().await;
        let simulator = Simulator::start().unwrap();
        seed(&database.url, simulator.base_url()).await;
        let absent = Absent::reserve();
        let silent = Scripted::start(vec![Step::Silence]).await;
        let at = |key: &str, base_url: BaseUrl| json!({ "network_config": { "base_url": base_url }, "keys": [{ "name": key, "value": "not-a-secret" }] });
        let providers = json!({ "openai": at("a", absent.base_url()), "mistral": at("b", silent.base_url()) });
        let config = json!({ "server": { "journal": { "max_bytes": 1_048_576 } }, "providers": providers });
        std::fs::write(database.directory().join("config.json"), config.to_string()).unwrap();
        let mut node =
            Self { database, simulator, _absent: absent, _silent: silent, keys: Vec::new(), asked: Mutex::new(0) };
        let process = node.start(None).expect("it serves");
        for (name, dollars) in [("roomy", "1000"), ("tight", TIGHT)] {
            let budget = BudgetInput::new(dollars.parse().unwrap(), ResetDuration::days(1));
            let request =
                CreateVirtualKey { name: name.to_owned(), budget: budget.into(), ..CreateVirtualKey::default() };
            let client = Client::builder().base_url(&process.url).retries(Retries::none()).build().unwrap();
            let made = client.virtual_key_create(&request).await.unwrap();
            node.keys.push(made.virtual_key);
        }
        process.stop();
        node
    }

    /// Starts a process, which may be told to die at a crash point; none when it died before it served.
    pub fn start(&self, crash_at: Option<&str>) -> Option<Served> {
        let mut command = keyward(self.database.directory());
        command.args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--config",
            "config.json",
            "--database-url",
            &self.database.url,
        ]);
        command.env("KEYWARD_ROOT_KEY", ROOT_KEY).envs(crash_at.map(|at| ("KEYWARD_CRASH_AT", at)));
        Served::start(command).map_or_else(
            |(status, log)| {
                assert!(crash_at.is_some() && is_killed(status), "it did not start: {status}: {log:#?}");
                None
            },
            Some,
        )
    }

    /// Somebody is about to ask for one more attempt.
    pub fn count_asked(&self) {
        *self.asked.lock().unwrap() += 1;
    }

    /// Holds the books against everything that is known otherwise. No process may run.
    pub async fn check_books(&self) {
        let Bill { requests, prompt_tokens, completion_tokens } = self.simulator.bill();
        let billed = demo_cost(prompt_tokens, completion_tokens).nanos();
        let reconciled = keyward(self.database.directory())
            .args(["ledger", "reconcile", "--database-url", &self.database.url])
            .env("KEYWARD_ROOT_KEY", ROOT_KEY)
            .output()
            .unwrap();
        assert!(reconciled.status.success(), "I4: {}", String::from_utf8_lossy(&reconciled.stdout));
        let store = open(&self.database.url).await;
        let (mut entries, mut cost, mut unreported) = (0, 0, 0);
        for key in &self.keys {
            let totals = store.ledger_totals(key.id.clone()).await.unwrap();
            entries += totals.entries;
            cost += totals.cost.nanos();
            unreported += totals.unreported.nanos();
        }
        store.close().await.unwrap();
        let (requests, asked) = (i64::try_from(requests).unwrap(), i64::try_from(*self.asked.lock().unwrap()).unwrap());
        assert!(entries >= requests, "I2: {requests} requests were served, and {entries} are in the ledger");
        assert!(entries <= asked, "I2: {asked} attempts were asked for, and {entries} are in the ledger");
        assert!(cost >= billed, "the provider bills {billed}, and the ledger has {cost}");
        assert!(cost - billed <= unreported, "{cost} was charged for {billed}, and holds explain only {unreported}");
    }

    /// Every key is usable: what was held by the process before is not held any more.
    pub async fn check_keys(&self, process: &Served) {
        let client = Client::builder().base_url(&process.url).retries(Retries::none()).build().unwrap();
        for key in &self.keys {
            let quota = client.with_virtual_key(key.value.expose()).unwrap().virtual_key_quota().await.unwrap();
            let budget = &quota.budgets[0];
            assert!(
                budget.current_usage <= budget.max_limit,
                "I1: {:?} of {:?}",
                budget.current_usage,
                budget.max_limit
            );
        }
        let roomy = client.with_virtual_key(self.keys[0].value.expose()).unwrap();
        self.count_asked();
        roomy.chat_completion_create(&crate::gateway::chat("demo/echo", "still there?")).await.unwrap();
    }
}
