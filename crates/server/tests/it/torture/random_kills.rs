//! `kill -9` at any moment, again and again, on one database.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::load::{Answers, load};
use super::node::Node;
use super::{minutes, seed};

/// How many kills there are when nobody says how long to go on.
const KILLS: u64 = 6;

/// I9: the process is killed from outside, at moments that nobody has chosen.
#[tokio::test(flavor = "multi_thread")]
async fn i9_torture_a_process_may_be_killed_at_any_moment() {
    let (node, seed) = (Node::new().await, seed());
    let mut random = StdRng::seed_from_u64(seed);
    let (begun, lasting) = (Instant::now(), minutes().map(|minutes| Duration::from_secs(minutes * 60)));
    let mut kills = 0;
    while lasting.map_or(kills < KILLS, |lasting| begun.elapsed() < lasting) {
        let process = node.start(None).expect("it serves");
        let (url, answers, wanted) = (process.url.clone(), Answers::default(), random.random_range(1..80));
        tokio::join!(load(&node, &url, random.random(), 10_000, &answers), async {
            answers.reach(wanted).await;
            process.kill();
        });
        kills += 1;
        if lasting.is_none() || kills % 10 == 0 {
            let process = node.start(None).expect("it serves again");
            node.check_keys(&process).await;
            process.stop();
            node.check_books().await;
        }
    }
    println!("{kills} kills");
}
