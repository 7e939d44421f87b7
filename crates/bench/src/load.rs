//! Load: the same calls again and again, over connections that stay open, each answer checked to its last byte.

mod answer;
mod connection;
mod latencies;
mod schedule;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

pub(crate) use connection::Call;
use connection::Connection;
pub(crate) use latencies::Latencies;
use schedule::Pacer;

/// Calls that are made in turn.
pub(crate) type Calls = Arc<[Call]>;

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

/// A closed loop: on every connection the next call follows when the last one is answered. Each makes one at least.
///
/// # Errors
/// When an answer is not as it should be.
pub(crate) async fn closed(address: SocketAddr, calls: &Calls, connections: usize, time: Duration) -> Result<Outcome> {
    let mut opened = Vec::with_capacity(connections);
    for _ in 0..connections {
        opened.push(Connection::open(address).await?);
    }
    let begin = Instant::now();
    let mut loops = JoinSet::new();
    for (number, mut connection) in opened.into_iter().enumerate() {
        let calls = calls.clone();
        loops.spawn(async move {
            let call = calls.get(number % calls.len().max(1)).context("there is nothing to call")?;
            let mut outcome = Outcome::new()?;
            loop {
                let from = Instant::now();
                outcome.add(from, connection.call(call).await?);
                if begin.elapsed() >= time {
                    return anyhow::Ok(outcome);
                }
            }
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

/// An open loop: a call begins at its time, whether the ones before it are answered or not. Latency is counted from that time: a call
/// that could not begin in time has waited too (coordinated omission).
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
    let mut under_way = JoinSet::new();
    for number in 0..schedule.within(time) {
        pacer.wait_for(number).await?;
        let (calls, idle) = (calls.clone(), idle.clone());
        under_way.spawn(async move {
            let turn = usize::try_from(number)? % calls.len().max(1);
            let call = calls.get(turn).context("there is nothing to call")?;
            let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = match free {
                Some(connection) => connection,
                None => Connection::open(address).await?,
            };
            let answered = connection.call(call).await?;
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            anyhow::Ok((number, answered))
        });
    }
    let mut all = Outcome::new()?;
    while let Some(one) = under_way.join_next().await {
        let (number, answered) = one??;
        all.add(schedule.intended(number), answered);
    }
    all.elapsed = schedule.begin().elapsed();
    Ok(all)
}

/// The first call, once.
///
/// # Errors
/// When its answer is not as it should be.
pub(crate) async fn once(address: SocketAddr, calls: &Calls) -> Result<()> {
    let call = calls.first().context("there is nothing to call")?;
    Connection::open(address).await?.call(call).await.map(drop)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
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

    fn calls(address: SocketAddr, request: &str, status: u16, body: impl Into<Bytes>) -> Calls {
        [Call::new(address, "key", request, status, Some(body.into()))].into()
    }

    #[tokio::test]
    async fn whole_answers_and_streams_are_read_to_their_end() {
        beside(async |address| {
            let whole = calls(address, &answers::completion_request(), 200, answers::completion());
            assert_eq!(closed(address, &whole, 3, Duration::ZERO).await.unwrap().completed, 3);
            let streams = calls(address, &answers::stream_request(), 200, answers::stream().concat());
            assert_eq!(open(address, &streams, 1_000, Duration::from_millis(20)).await.unwrap().completed, 20);
        })
        .await;
    }

    #[tokio::test]
    async fn another_answer_than_the_expected_one_is_an_error() {
        beside(async |address| {
            let request = answers::completion_request();
            assert!(once(address, &calls(address, &request, 200, "something else")).await.is_err());
            assert!(once(address, &calls(address, &request, 401, answers::completion())).await.is_err());
            let cut = answers::stream().concat().split_last().unwrap().1.to_vec();
            let streams = calls(address, &answers::stream_request(), 200, cut);
            assert!(open(address, &streams, 1_000, Duration::from_millis(1)).await.is_err());
        })
        .await;
    }
}
