//! A disk that is full: nothing is admitted, nothing is lost, and it goes on by itself once there is room.

use std::process::Command;
use std::time::{Duration, Instant};

use keyward_client::{Client, CreateVirtualKey, Retries};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::gateway::{chat, with_budget};
use crate::harness::{Database, ROOT_KEY, seed};
use crate::operations::{Served, keyward};

/// The process may not make its files any longer: what a full disk is to it.
fn fill(served: &Served, is_full: bool) {
    let pid = Pid::from_raw(i32::try_from(served.id()).unwrap());
    let current = is_full.then_some(0);
    prlimit(pid, Resource::Fsize, Rlimit { current, maximum: None }).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_closes_admission_and_opens_it_again_by_itself() {
    let database = Database::fresh().await;
    let simulator = keyward_server::demo::simulator::Simulator::start().unwrap();
    seed(&database.url, simulator.base_url()).await;
    let server = keyward(database.directory());
    // A process that is not told what to do about it is killed by a file that is too long.
    let mut command = Command::new("bash");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(server.get_program());
    command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", &database.url]);
    command.current_dir(database.directory()).env("KEYWARD_ROOT_KEY", ROOT_KEY);
    let served = Served::start(command).unwrap();
    let client = Client::builder().base_url(&served.url).retries(Retries::none()).build().unwrap();
    let request = CreateVirtualKey { name: "k".into(), ..with_budget("1") };
    let key = client.virtual_key_create(&request).await.unwrap().virtual_key;
    let caller = client.with_virtual_key(key.value.expose()).unwrap();
    let request = chat("demo/echo", "hi");
    caller.chat_completion_create(&request).await.unwrap();
    let before = simulator.bill();

    fill(&served, true);
    let refused = caller.chat_completion_create(&request).await.unwrap_err();
    assert_eq!((refused.status(), refused.code()), (Some(503), Some("governance_unavailable")));
    assert_eq!(simulator.bill(), before, "nothing may leave that cannot be written down");

    fill(&served, false);
    let begun = Instant::now();
    while let Err(error) = caller.chat_completion_create(&request).await {
        assert_eq!(error.code(), Some("governance_unavailable"));
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not recover: {:#?}", served.log());
    }
    served.stop();
    let reconciled = keyward(database.directory())
        .args(["ledger", "reconcile", "--database-url", &database.url])
        .env("KEYWARD_ROOT_KEY", ROOT_KEY)
        .output()
        .unwrap();
    assert!(reconciled.status.success(), "{}", String::from_utf8_lossy(&reconciled.stdout));
}
