//! Every named crash point: the process dies exactly there, under load, and the next one finds its books in order.

use keyward_core::crash_point::CrashPoint;

use super::load::{Answers, endless_call, load};
use super::node::Node;
use super::seed;

/// Points on the way of a process that finds something to recover.
const AT_START: [CrashPoint; 3] =
    [CrashPoint::RecoveryRead, CrashPoint::RecoveryAppended, CrashPoint::RecoveryHalfDropped];
/// Points that are not passed by with every attempt.
const RARE: [CrashPoint; 11] = [
    CrashPoint::BatchTaken,
    CrashPoint::CountersMoved,
    CrashPoint::EntriesInserted,
    CrashPoint::BatchCommitted,
    CrashPoint::BatchConfirmed,
    CrashPoint::SegmentSealed,
    CrashPoint::SegmentCreated,
    CrashPoint::SegmentDropped,
    CrashPoint::HoldCarried,
    CrashPoint::ReleaseWritten,
    CrashPoint::Releasing,
];

/// I9, and with it I1, I2 and I4: at every point where the process can die.
#[tokio::test(flavor = "multi_thread")]
async fn i9_torture_a_process_may_die_at_every_crash_point() {
    let (node, seed) = (Node::new().await, seed());
    for (round, point) in (1u64..).zip(CrashPoint::ALL) {
        println!("{}", point.as_str());
        if AT_START.contains(point) {
            let process = node.start(None).expect("it serves");
            let (url, answers) = (process.url.clone(), Answers::default());
            tokio::join!(load(&node, &url, seed ^ round, 10_000, &answers), async {
                answers.reach(20).await;
                process.kill();
            });
            assert!(node.start(Some(point.as_str())).is_none(), "it served, and never was at {}", point.as_str());
        } else {
            let nth = if RARE.contains(point) { 1 } else { 5 + round % 7 };
            let process = node.start(Some(&format!("{}:{nth}", point.as_str()))).expect("it serves");
            // One attempt outlasts all the others.
            let (url, answers) = (&process.url, Answers::default());
            tokio::join!(load(&node, url, seed ^ round, 400, &answers), endless_call(&node, url));
            process.died();
        }
        let process = node.start(None).expect("it serves again");
        node.check_keys(&process).await;
        process.stop();
        node.check_books().await;
    }
}
