//! Which key serves: by weight among those that nothing is known against.

use std::collections::HashMap;
use std::sync::Arc;

use http::header::HeaderMap;
use jiff::SignedDuration;
use keyward_core::provider::{Aliases, KnownProvider};
use secrecy::SecretString;

use super::*;
use crate::config::KeyHealthSettings;
use crate::metrics::KeyChanges;
use crate::upstreams::health::Why;
use crate::upstreams::key_health::KeyHealth;
use crate::upstreams::{Retries, Verdict};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn health(id: &str) -> Arc<KeyHealth> {
    Arc::new(KeyHealth::new("p".into(), id.into(), KeyHealthSettings::default(), KeyChanges::default()))
}

fn upstream(keys: &[(&str, f64)]) -> Upstream {
    let key = |(id, weight): &(&str, f64)| Credential {
        id: (*id).into(),
        secret: Some(SecretString::from("not-a-secret")),
        base_url: None,
        models: vec!["*".to_owned()].try_into().unwrap(),
        blacklisted_models: Vec::new().try_into().unwrap(),
        aliases: Aliases::default(),
        weight: *weight,
        health: health(id),
    };
    Upstream {
        timeout: std::time::Duration::from_secs(1),
        headers: HeaderMap::new(),
        retries: Retries::of(&Default::default()),
        known: KnownProvider::like("openai"),
        base_url: Some("http://provider.example".parse().unwrap()),
        custom: None,
        keys: keys.iter().map(key).collect(),
        keyless: health(""),
    }
}

const WANTED: Wanted<'_> =
    Wanted { access: &KeyAccess::All, pinned: None, model: "m", kind: (Operation::ChatCompletions, false) };

fn pick_at(
    upstream: &Upstream,
    wanted: &Wanted<'_>,
    tried: &[ProviderKeyId],
    now: Timestamp,
) -> Result<Destination, Unserved> {
    let lot = |_: &str| 1.0 - rand::random::<f64>();
    upstream.pick(wanted, &Choosing { lot: &lot, tried, now, is_rehearsal: false })
}

fn id(picked: Result<Destination, Unserved>) -> String {
    picked.unwrap().key_id.to_string()
}

/// Lets the provider say something of a key.
fn tell(upstream: &Upstream, key: &str, verdict: Verdict) {
    let only = ProviderKeyId::from(key);
    let picked = pick_at(upstream, &Wanted { pinned: Some(&only), ..WANTED }, &[], NOW).unwrap();
    picked.trial.unwrap().end(verdict, NOW);
}

fn limited(seconds: i64) -> Verdict {
    Verdict::Limited(Some(SignedDuration::from_secs(seconds)))
}

#[test]
fn keys_share_by_weight_and_one_without_a_weight_waits_for_the_others_to_fail() {
    let upstream = upstream(&[("a", 1.0), ("b", 3.0), ("idle", 0.0)]);
    let mut counts: HashMap<String, i32> = HashMap::new();
    for _ in 0..4_000 {
        *counts.entry(id(pick_at(&upstream, &WANTED, &[], NOW))).or_default() += 1;
    }
    // Six deviations of 27 to either side of 1,000.
    assert!((836..=1_164).contains(&counts["a"]) && !counts.contains_key("idle"), "{counts:?}");
    tell(&upstream, "a", limited(9));
    tell(&upstream, "b", limited(9));
    assert_eq!(id(pick_at(&upstream, &WANTED, &[], NOW)), "idle");
}

#[test]
fn the_refusal_names_the_key_that_is_back_first() {
    let upstream = upstream(&[("a", 1.0), ("b", 1.0)]);
    tell(&upstream, "a", limited(9));
    tell(&upstream, "b", Verdict::KeyRejected);
    let until = |seconds| NOW + SignedDuration::from_secs(seconds);
    let refused = pick_at(&upstream, &WANTED, &[], NOW).unwrap_err();
    assert_eq!(refused, Unserved::Out(Out { why: Why::Limited, until: until(9) }));
    assert!(!upstream.is_well("m", NOW) && upstream.is_well("other", until(300)));
    assert_eq!(id(pick_at(&upstream, &WANTED, &[], until(9))), "a");
    let pinned = ProviderKeyId::from("b");
    let refused = pick_at(&upstream, &Wanted { pinned: Some(&pinned), ..WANTED }, &[], until(9)).unwrap_err();
    assert_eq!(refused, Unserved::Out(Out { why: Why::Rejected, until: until(300) }));
    let nobody = KeyAccess::Only(Vec::new());
    let refused = pick_at(&upstream, &Wanted { access: &nobody, ..WANTED }, &[], NOW).unwrap_err();
    assert_eq!(refused, Unserved::Key, "what may not be used says nothing");
}

#[test]
fn a_key_that_was_tried_comes_last() {
    let upstream = upstream(&[("a", 1_000.0), ("b", 0.001)]);
    let tried = ["a".into()];
    for _ in 0..20 {
        assert_eq!(id(pick_at(&upstream, &WANTED, &tried, NOW)), "b");
    }
    assert_eq!(upstream.outlook(&WANTED, &tried, NOW), Outlook::Fresh);
    tell(&upstream, "b", limited(9));
    assert_eq!(id(pick_at(&upstream, &WANTED, &tried, NOW)), "a");
    assert_eq!(upstream.outlook(&WANTED, &tried, NOW), Outlook::Tried);
    tell(&upstream, "a", limited(7));
    let until = NOW + SignedDuration::from_secs(7);
    assert_eq!(upstream.outlook(&WANTED, &tried, NOW), Outlook::Out(Out { why: Why::Limited, until }));
}

#[test]
fn a_rehearsal_begins_nothing() {
    let upstream = upstream(&[("a", 1.0)]);
    for _ in 0..5 {
        tell(&upstream, "a", Verdict::Failed);
    }
    let later = NOW + SignedDuration::from_secs(10);
    let rehearsed = || upstream.pick(&WANTED, &Choosing { lot: &|_| 1.0, tried: &[], now: later, is_rehearsal: true });
    assert!(rehearsed().unwrap().trial.is_none() && rehearsed().is_ok());
    let probe = pick_at(&upstream, &WANTED, &[], later).unwrap();
    assert!(rehearsed().is_err() && pick_at(&upstream, &WANTED, &[], later).is_err());
    drop(probe);
    assert!(rehearsed().is_ok());
}
