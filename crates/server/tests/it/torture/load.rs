//! Load as applications make it: whole answers, streams, streams that nobody reads to their end, and providers that are not there.

use futures_util::StreamExt;
use futures_util::future::join_all;
use keyward_client::{ChatCompletionRequest, Client, Retries, VirtualKey};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::Notify;

use super::node::Node;
use crate::gateway::chat;

/// How many calls run at the same time.
const CALLERS: u64 = 8;

/// Counts answers, and says when there were enough.
#[derive(Default)]
pub struct Answers {
    count: std::sync::atomic::AtomicUsize,
    enough: Notify,
}

impl Answers {
    /// Returns when at least `count` calls were answered in any way.
    pub async fn reach(&self, count: usize) {
        while self.count.load(std::sync::atomic::Ordering::SeqCst) < count {
            self.enough.notified().await;
        }
    }

    fn add(&self) {
        self.count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.enough.notify_one();
    }
}

/// Calls until the server is gone, or `most` calls were made by each caller.
pub async fn load(node: &Node, url: &str, seed: u64, most: usize, answers: &Answers) {
    let callers =
        (0..CALLERS).map(|caller| call(node, url, StdRng::seed_from_u64(seed ^ (caller << 32)), most, answers));
    join_all(callers).await;
}

/// A call to a provider that never answers; it ends with the server.
pub async fn endless_call(node: &Node, url: &str) {
    let client = Client::builder().base_url(url).retries(Retries::none()).build().unwrap();
    let caller = client.with_virtual_key(node.keys[0].value.expose()).unwrap();
    let request = ChatCompletionRequest { max_tokens: Some(5), ..chat("mistral/mistral-small-2506", "anybody there?") };
    node.count_asked();
    let error = caller.chat_completion_create(&request).await.unwrap_err();
    assert_eq!(error.status(), None, "it was answered: {error}");
}

async fn call(node: &Node, url: &str, mut random: StdRng, most: usize, answers: &Answers) {
    let client = Client::builder().base_url(url).retries(Retries::none()).build().unwrap();
    for _ in 0..most {
        let key = &node.keys[random.random_range(0..node.keys.len())];
        if !one_call(node, &client, key, &mut random).await {
            return;
        }
        answers.add();
    }
}

/// One call; false when the server is gone.
async fn one_call(node: &Node, client: &Client, key: &VirtualKey, random: &mut StdRng) -> bool {
    let caller = client.with_virtual_key(key.value.expose()).unwrap();
    let text = "word ".repeat(random.random_range(1..20));
    let kind = random.random_range(0..10);
    let mut request = chat(if kind == 0 { "openai/gpt-4o-mini" } else { "demo/echo" }, &text);
    request.max_tokens = random.random_bool(0.7).then(|| random.random_range(1..40));
    node.count_asked();
    if kind < 6 {
        return caller.chat_completion_create(&request).await.map_or_else(|error| error.status().is_some(), |_| true);
    }
    let mut stream = match caller.chat_completion_stream(&request).await {
        Ok(stream) => stream,
        Err(error) => return error.status().is_some(),
    };
    // Some read to the end; others go away after a few events.
    let wanted = if kind < 8 { usize::MAX } else { random.random_range(0..6) };
    let mut read = 0;
    while read < wanted {
        match stream.next().await {
            None => return true,
            Some(Err(error)) => return error.status().is_some(),
            Some(Ok(_)) => read += 1,
        }
    }
    true
}
