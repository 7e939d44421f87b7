//! The guide's walk-through, click by click, as its pictures are taken: from a fresh demo to a budget that moved.

use std::net::SocketAddr;

use keyward_server::demo::Demo;
use keyward_showcase::walk;

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_demo_leads_to_a_budget_that_moved() {
    let demo = Demo::start(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let pictures = tempfile::tempdir().unwrap();
    walk::take(&format!("http://{}", demo.address()), pictures.path()).await.unwrap();
    assert_eq!(std::fs::read_dir(pictures.path()).unwrap().count(), 5);
    demo.stop().await.unwrap();
}
