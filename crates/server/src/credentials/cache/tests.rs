//! The clock is passed in, and exchanges are counted.

use std::cell::Cell;

use futures_util::future::join_all;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

/// An endpoint whose tokens are numbered, and live for so many seconds from `second` on.
struct Endpoint {
    asked: Cell<u32>,
    works: Cell<bool>,
}

impl Endpoint {
    fn new() -> Self {
        Self { asked: Cell::new(0), works: Cell::new(true) }
    }

    async fn exchange(&self, second: i64, life: i64) -> Result<Fresh<u32>, CredentialError> {
        self.asked.set(self.asked.get() + 1);
        // Lets the others come in between.
        tokio::task::yield_now().await;
        match self.works.get() {
            true => Ok(Fresh { token: self.asked.get(), expires_at: at(second + life) }),
            false => Err(CredentialError::Unreachable),
        }
    }

    async fn get(&self, cache: &TokenCache<u32>, second: i64, life: i64) -> Result<u32, CredentialError> {
        cache.get(at(second), async || self.exchange(second, life).await).await
    }
}

#[tokio::test]
async fn fifty_callers_are_one_exchange() {
    let (cache, endpoint) = (TokenCache::default(), Endpoint::new());
    let tokens = join_all((0..50).map(|_| endpoint.get(&cache, 0, 3_600))).await;
    assert!(tokens.iter().all(|token| *token == Ok(1)), "{tokens:?}");
    assert_eq!(endpoint.asked.get(), 1);
}

#[tokio::test]
async fn fifty_callers_share_one_failure_and_the_next_one_tries_again() {
    let (cache, endpoint) = (TokenCache::default(), Endpoint::new());
    endpoint.works.set(false);
    let tokens = join_all((0..50).map(|_| endpoint.get(&cache, 0, 3_600))).await;
    assert!(tokens.iter().all(|token| *token == Err(CredentialError::Unreachable)), "{tokens:?}");
    assert_eq!(endpoint.asked.get(), 1);
    endpoint.works.set(true);
    assert_eq!(endpoint.get(&cache, 1, 3_600).await, Ok(2));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_by_one_caller() {
    let (cache, endpoint) = (TokenCache::default(), Endpoint::new());
    assert_eq!(endpoint.get(&cache, 0, 3_600).await, Ok(1));
    assert_eq!(endpoint.get(&cache, 3_299, 3_600).await, Ok(1));
    let tokens = join_all((0..50).map(|_| endpoint.get(&cache, 3_300, 3_600))).await;
    assert_eq!(endpoint.asked.get(), 2);
    assert_eq!(tokens.iter().filter(|token| **token == Ok(2)).count(), 1, "the others go on with the old one");
    assert_eq!(endpoint.get(&cache, 3_301, 3_600).await, Ok(2));
}

#[tokio::test]
async fn a_renewal_in_vain_leaves_a_valid_token_and_is_not_repeated_at_once() {
    let (cache, endpoint) = (TokenCache::default(), Endpoint::new());
    assert_eq!(endpoint.get(&cache, 0, 3_600).await, Ok(1));
    endpoint.works.set(false);
    assert_eq!(endpoint.get(&cache, 3_400, 3_600).await, Ok(1));
    assert_eq!(endpoint.get(&cache, 3_401, 3_600).await, Ok(1));
    assert_eq!(endpoint.asked.get(), 2);
    assert_eq!(endpoint.get(&cache, 3_430, 3_600).await, Ok(1));
    assert_eq!(endpoint.asked.get(), 3);
    assert_eq!(endpoint.get(&cache, 3_570, 3_600).await, Err(CredentialError::Unreachable));
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_nothing_with_it() {
    let (cache, endpoint) = (TokenCache::default(), Endpoint::new());
    {
        let mut gone = Box::pin(endpoint.get(&cache, 0, 3_600));
        assert!(futures_util::poll!(&mut gone).is_pending());
    }
    assert_eq!(endpoint.get(&cache, 0, 3_600).await, Ok(2));
}

#[tokio::test]
async fn a_token_without_a_life_serves_once() {
    let (cache, endpoint) = (TokenCache::default(), Endpoint::new());
    assert_eq!(endpoint.get(&cache, 0, 0).await, Ok(1));
    assert_eq!(endpoint.get(&cache, 0, 0).await, Ok(2));
}
