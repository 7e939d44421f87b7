//! Load: the same calls again and again, over connections that stay open, each answer checked to its last byte.

mod answer;
mod connection;
mod latencies;
mod schedule;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::{JoinError, JoinSet};

use connection::Connection;
pub(crate) use connection::{Call, Expected};
pub(crate) use latencies::Latencies;
use schedule::Pacer;

/// Calls that are made in turn.
pub(crate) type Calls = Arc<[Call]>;

/// So many calls of an open loop are under way at most. Each has a connection, and a server that answers none of them for a while has
/// only so many.
const MOST: usize = 4_096;

/// What came of some load.
pub(crate) struct Outcome {
    /// How many calls were answered as they should be. One that was not is an error of the whole.
    pub(crate) completed: u64,
    /// From the first call until the last answer.
    pub(crate) elapsed: Duration,
    /// How long it took until the whole answer was there.
    pub(crate) whole: Latencies,
    /// How long it took until its first piece was.
    pub(crate) first: Latencies,
}

impl Outcome {
    fn new() -> Result<Self> {
        Ok(Self { completed: 0, elapsed: Duration::ZERO, whole: Latencies::new()?, first: Latencies::new()? })
    }

    fn add(&mut self, from: Instant, answered: connection::Answered) {
        self.completed += 1;
        self.first.record(from, answered.first);
        self.whole.record(from, answered.whole);
    }
}

/// When a closed loop is over.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// After this time; each connection makes one call at least.
    Elapsed(Duration),
    /// When so many calls are made, in equal parts on all connections.
    Made(u64),
}

/// A closed loop: on every connection the next call follows when the last one is answered. Calls are made in turn, by all connections
/// together.
///
/// # Errors
/// When an answer is not as it should be.
pub(crate) async fn closed(address: SocketAddr, calls: &Calls, connections: usize, until: Until) -> Result<Outcome> {
    let mut opened = Vec::with_capacity(connections);
    for _ in 0..connections {
        opened.push(Connection::open(address).await?);
    }
    let begin = Instant::now();
    let mut loops = JoinSet::new();
    for (number, mut connection) in opened.into_iter().enumerate() {
        let calls = calls.clone();
        loops.spawn(async move {
            let mut outcome = Outcome::new()?;
            for turn in (number..).step_by(connections.max(1)) {
                let call = calls.get(turn % calls.len().max(1)).context("there is nothing to call")?;
                let from = Instant::now();
                outcome.add(from, connection.call(call).await?);
                let is_over = match until {
                    Until::Elapsed(time) => begin.elapsed() >= time,
                    Until::Made(count) => outcome.completed.saturating_mul(u64::try_from(connections)?) >= count,
                };
                if is_over {
                    break;
                }
            }
            anyhow::Ok(outcome)
        });
    }
    let mut all = Outcome::new()?;
    while let Some(one) = loops.join_next().await {
        let one = one??;
        all.completed += one.completed;
        all.first.merge(&one.first)?;
        all.whole.merge(&one.whole)?;
    }
    all.elapsed = begin.elapsed();
    Ok(all)
}

/// An open loop: a call begins at its time, whether the ones before it are answered or not, unless [`MOST`] are not. Latency is counted
/// from that time: a call that could not begin in time has waited too (coordinated omission).
///
/// # Errors
/// When an answer is not as it should be.
pub(crate) async fn open(address: SocketAddr, calls: &Calls, per_second: u32, time: Duration) -> Result<Outcome> {
    let mut idle = Vec::new();
    for _ in 0..per_second.min(64) {
        idle.push(Connection::open(address).await?);
    }
    let idle = Arc::new(Mutex::new(idle));
    let mut pacer = Pacer::start(per_second)?;
    let schedule = pacer.schedule();
    let (mut all, mut under_way) = (Outcome::new()?, JoinSet::new());
    for number in 0..schedule.within(time) {
        pacer.wait_for(number).await?;
        while let Some(one) = next(&mut under_way).await {
            let (number, answered) = one??;
            all.add(schedule.intended(number), answered);
        }
        let (calls, idle) = (calls.clone(), idle.clone());
        under_way.spawn(async move {
            let turn = usize::try_from(number)? % calls.len().max(1);
            let call = calls.get(turn).context("there is nothing to call")?;
            let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = match free {
                Some(connection) if connection.is_fresh() => connection,
                Some(_) | None => Connection::open(address).await?,
            };
            let answered = connection.call(call).await?;
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            anyhow::Ok((number, answered))
        });
    }
    while let Some(one) = under_way.join_next().await {
        let (number, answered) = one??;
        all.add(schedule.intended(number), answered);
    }
    all.elapsed = schedule.begin().elapsed();
    Ok(all)
}

/// One that has ended; waits for it only if no other may begin before.
async fn next<T: 'static>(under_way: &mut JoinSet<T>) -> Option<Result<T, JoinError>> {
    if under_way.len() < MOST { under_way.try_join_next() } else { under_way.join_next().await }
}

/// The first call, once.
///
/// # Errors
/// When its answer is not as it should be.
pub(crate) async fn once(address: SocketAddr, calls: &Calls) -> Result<()> {
    let call = calls.first().context("there is nothing to call")?;
    Connection::open(address).await?.call(call).await.map(drop)
}

/// What there is at a path.
///
/// # Errors
/// When it is no success.
pub(crate) async fn text(address: SocketAddr, path: &str) -> Result<String> {
    let mut connection = Connection::open(address).await?;
    connection.call(&Call::get(address, path, Expected::Status(200))).await?;
    Ok(String::from_utf8_lossy(connection.body()).into_owned())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::FutureExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::{answers, upstream};

    /// Does something while the mock upstream answers.
    async fn beside(test: impl AsyncFnOnce(SocketAddr)) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::select! {
            ended = upstream::serve(&listener, Duration::ZERO) => panic!("the upstream ended: {ended:?}"),
            () = test(address) => {}
        }
    }

    fn calls(address: SocketAddr, request: &str, expected: Expected) -> Calls {
        [Call::chat(address, "key", &[], request, expected)].into()
    }

    fn body(bytes: impl Into<Bytes>) -> Expected {
        Expected::Body(bytes.into())
    }

    const ONCE: Until = Until::Elapsed(Duration::ZERO);

    #[tokio::test]
    async fn whole_answers_and_streams_are_read_to_their_end() {
        beside(async |address| {
            let whole = calls(address, &answers::completion_request(), body(answers::completion()));
            assert_eq!(closed(address, &whole, 3, ONCE).await.unwrap().completed, 3);
            assert_eq!(closed(address, &whole, 3, Until::Made(12)).await.unwrap().completed, 12);
            let streams = calls(address, &answers::stream_request(), body(answers::stream().concat()));
            assert_eq!(open(address, &streams, 1_000, Duration::from_millis(20)).await.unwrap().completed, 20);
        })
        .await;
    }

    #[tokio::test]
    async fn no_more_calls_are_under_way_than_may_be() {
        let mut under_way: JoinSet<()> = JoinSet::new();
        (1..MOST).for_each(|_| drop(under_way.spawn(std::future::pending())));
        assert!(next(&mut under_way).now_or_never().is_some(), "another may begin");
        under_way.spawn(std::future::pending());
        assert!(next(&mut under_way).now_or_never().is_none(), "one has to end before");
    }

    #[tokio::test]
    async fn another_answer_than_the_expected_one_is_an_error() {
        beside(async |address| {
            let request = answers::completion_request();
            assert!(once(address, &calls(address, &request, body("something else"))).await.is_err());
            assert!(once(address, &calls(address, &request, Expected::Status(401))).await.is_err());
            let cut = answers::stream().concat().split_last().unwrap().1.to_vec();
            let streams = calls(address, &answers::stream_request(), body(cut));
            assert!(open(address, &streams, 1_000, Duration::from_millis(1)).await.is_err());
            let leaving = [Call::chat(address, "key", &[], &answers::stream_request(), body("")).leaving()].into();
            assert_eq!(closed(address, &leaving, 2, Until::Made(4)).await.unwrap().completed, 4);
            assert!(text(address, upstream::COUNTS).await.unwrap().contains("\"streams\":"));
            for (times, is_right) in [(answers::CHUNKS - 1, true), (answers::CHUNKS, false)] {
                let streams = calls(address, &answers::stream_request(), Expected::Pieces(answers::WORD, times));
                assert_eq!(once(address, &streams).await.is_ok(), is_right);
            }
        })
        .await;
    }
}
