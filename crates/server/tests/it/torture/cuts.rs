//! Streams that are cut at any byte: each ends in exactly one entry.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::iter;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{minutes, seed};
use crate::gateway::{demo_cost, with_budget};
use crate::harness::App;

/// How many streams there are at least.
const STREAMS: u64 = 10_000;
/// How many run at the same time.
const AT_ONCE: usize = 16;

/// I2: a client that goes away, wherever in the answer it is, leaves one entry, of what the provider has counted.
#[tokio::test(flavor = "multi_thread")]
async fn i2_torture_a_stream_that_is_cut_at_any_byte_has_one_entry() {
    let (app, seed) = (App::start().await, seed());
    let key = app.key(with_budget("1000")).await;
    let (address, secret) = (app.url.replace("http://", ""), key.value.expose().to_owned());
    let mut random = StdRng::seed_from_u64(seed);
    let (begun, lasting) = (Instant::now(), minutes().map(|minutes| Duration::from_secs(minutes * 60)));
    let mut streams = 0;
    while streams < STREAMS || lasting.is_some_and(|lasting| begun.elapsed() < lasting) {
        let cuts: Vec<(usize, usize)> =
            (0..250).map(|_| (random.random_range(0..6_000), random.random_range(1..30))).collect();
        let cut_all = iter(cuts).for_each_concurrent(AT_ONCE, |(cut, words)| cut_after(&address, &secret, cut, words));
        cut_all.await;
        streams += 250;
    }
    // The server stops when every attempt has ended.
    let bill_of = |app: &App| app.simulator.bill();
    let before = bill_of(&app);
    assert_eq!(before.requests, streams);
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(key.id).await.unwrap();
    assert_eq!(totals.entries, i64::try_from(streams).unwrap());
    assert_eq!(totals.cost, demo_cost(before.prompt_tokens, before.completion_tokens));
    assert_eq!(totals.unreported.nanos(), 0, "every answer was read to its end for its usage");
    println!("{streams} streams");
}

/// Asks for a stream, reads so many bytes of the answer, and goes away without a word.
async fn cut_after(address: &str, secret: &str, cut: usize, words: usize) {
    let text = "word ".repeat(words);
    let body = format!(r#"{{"model":"demo/echo","stream":true,"messages":[{{"role":"user","content":"{text}"}}]}}"#);
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: keyward\r\nx-bf-vk: {secret}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(body.as_bytes()).await.unwrap();
    // The first byte shows that the request was read; one that goes away before may not have been one.
    let mut left = cut + 1;
    let mut buffer = [0; 512];
    while left > 0 {
        let wanted = left.min(buffer.len());
        match connection.read(&mut buffer[..wanted]).await.unwrap() {
            0 => return,
            read => left -= read,
        }
    }
}
