//! What is asked, in a thousand calls.

use std::sync::Arc;

use anyhow::Result;

use crate::answers;
use crate::load::{self, Call, Calls, Expected};
use crate::rig::{FIRST, POOR, RARE, Started, secret};

/// How many of a thousand calls are of each kind.
pub(super) const MIX: [(&str, usize); 6] = [
    ("whole answers", 930),
    ("streams", 8),
    ("streams that are cut", 2),
    ("refused with 401", 20),
    ("refused with 402", 20),
    ("refused with 429", 20),
];

/// The calls, spread over all virtual keys that may do everything, the kinds well mixed.
pub(super) async fn calls(started: &Started, keys: usize) -> Result<Calls> {
    let all: Vec<usize> = MIX.iter().enumerate().flat_map(|(kind, (_, count))| vec![kind; *count]).collect();
    let call = |number: usize| {
        // A step that has no divisor with a thousand in common visits every place.
        let kind = all.get(number * 387 % all.len()).copied().unwrap_or_default();
        one(started, kind, &secret(FIRST + number % (keys - FIRST - beside_keys())))
    };
    // Its one request of the hour.
    let rare: Calls = Arc::new([chat(started, &secret(RARE), false, Expected::Status(200))]);
    load::once(started.address, &rare).await?;
    Ok((0..all.len()).map(call).collect())
}

/// How many of the last virtual keys have no part in it: what is done beside it has them.
pub(super) const fn beside_keys() -> usize {
    2
}

fn one(started: &Started, kind: usize, key: &str) -> Call {
    match kind {
        0 => chat(started, key, false, Expected::Body(answers::completion())),
        1 => chat(started, key, true, Expected::Body(answers::stream().concat().into())),
        2 => chat(started, key, true, Expected::Status(200)).leaving(),
        3 => chat(started, "sk-bf-ffffffff-ffff-4fff-8fff-ffffffffffff", false, Expected::Status(401)),
        4 => chat(started, &secret(POOR), false, Expected::Status(402)),
        _ => chat(started, &secret(RARE), false, Expected::Status(429)),
    }
}

/// A call with a key.
pub(super) fn chat(started: &Started, key: &str, streams: bool, expected: Expected) -> Call {
    let request = if streams { answers::stream_request() } else { answers::completion_request() };
    Call::chat(started.address, key, &[], &request, expected)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_thousand_calls_are_of_each_kind_as_often_as_it_says() {
        assert_eq!(MIX.iter().map(|(_, count)| count).sum::<usize>(), 1_000);
        assert_eq!((0..1_000).map(|number| number * 387 % 1_000).collect::<BTreeSet<_>>().len(), 1_000);
    }
}
