//! No more open files: that is the server's own want, and says nothing of a provider.

use http_body_util::BodyExt;
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use keyward_client::{Client, CreateVirtualKey, Retries};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

use crate::gateway::with_budget;
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

/// The one connection that there is: the server could not accept another, and a pool may open one at any time.
async fn connected(served: &Served, tasks: &TaskTracker) -> SendRequest<String> {
    let stream = TcpStream::connect(served.url.strip_prefix("http://").unwrap()).await.unwrap();
    let (requests, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tasks.spawn(connection);
    requests
}

/// The status and the body of an answer.
async fn called(requests: &mut SendRequest<String>, key: &str) -> (u16, Value) {
    let body = json!({ "model": "demo/echo", "messages": [{ "role": "user", "content": "hi" }] }).to_string();
    let request = Request::post("/v1/chat/completions").header("host", "keyward").header("x-bf-vk", key);
    requests.ready().await.unwrap();
    let answer = requests.send_request(request.body(body).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
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
    let tasks = TaskTracker::new();
    let mut requests = connected(&served, &tasks).await;
    // Once without a key, so that the connection is accepted before there can be no other.
    assert_eq!(called(&mut requests, "none").await.0, 401);

    let before = allow(&served, Some(0));
    for _ in 0..OFTEN {
        let (status, body) = called(&mut requests, key.value.expose()).await;
        assert_eq!((status, &body["error"]["code"]), (502, &json!("upstream_unreachable")), "{body}");
    }
    assert_eq!(simulator.bill().requests, 0);
    allow(&served, before);
    assert_eq!(called(&mut requests, key.value.expose()).await.0, 200);
    served.stop();
}
