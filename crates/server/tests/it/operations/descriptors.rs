//! No more open files: that is the server's own want, and says nothing of a provider.

use keyward_client::{Client, CreateVirtualKey, Retries};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::gateway::{chat, with_budget};
use crate::harness::{Database, ROOT_KEY, seed};
use crate::operations::{Served, keyward};

/// So often in a row a key fails before it is passed over, and more.
const OFTEN: usize = 20;

/// Lets the server open files up to this number; those that are open stay. Returns what it was before.
fn allow(served: &Served, below: Option<u64>) -> Option<u64> {
    let pid = Pid::from_raw(i32::try_from(served.id()).unwrap());
    let maximum = getrlimit(Resource::Nofile).maximum;
    prlimit(pid, Resource::Nofile, Rlimit { current: below, maximum }).unwrap().current
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_key_is_not_blamed_for_a_want_of_descriptors() {
    let database = Database::fresh().await;
    let simulator = keyward_server::demo::simulator::Simulator::start().unwrap();
    seed(&database.url, simulator.base_url()).await;
    let mut server = keyward(database.directory());
    server
        .args(["serve", "--listen", "127.0.0.1:0", "--database-url", &database.url])
        .env("KEYWARD_ROOT_KEY", ROOT_KEY);
    let served = Served::start(server).unwrap();
    let client = Client::builder().base_url(&served.url).retries(Retries::none()).build().unwrap();
    let request = CreateVirtualKey { name: "k".into(), ..with_budget("1") };
    let key = client.virtual_key_create(&request).await.unwrap().virtual_key;
    let caller = client.with_virtual_key(key.value.expose()).unwrap();
    let request = chat("demo/echo", "hi");

    let before = allow(&served, Some(0));
    for _ in 0..OFTEN {
        let refused = caller.chat_completion_create(&request).await.unwrap_err();
        assert_eq!((refused.status(), refused.code()), (Some(502), Some("upstream_unreachable")), "{refused}");
    }
    assert_eq!(simulator.bill().requests, 0);
    allow(&served, before);
    caller.chat_completion_create(&request).await.unwrap();
    served.stop();
}
