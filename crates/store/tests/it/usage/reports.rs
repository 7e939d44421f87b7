//! What reports show, and to whom.

use std::collections::BTreeMap;

use keyward_core::authority::Reach;
use keyward_core::ledger::LedgerFilter;
use keyward_core::usage::{Filters, UsageRequest};
use serde_json::json;

use super::{refusal, request, simple};
use crate::database::Database;
use crate::request as requested;

/// Whoever reaches a team or a customer sees what was theirs then.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_out_of_reach_is_not_there() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    store.ledger_append((0..4).map(|key| simple(&format!("r{key}"), key, 10)).collect::<Vec<_>>()).await.unwrap();
    store.refusals_add(vec![refusal(1, 10, 3), refusal(2, 10, 5)]).await.unwrap();
    for (reach, requests, refusals) in [
        (Reach::Everything, 4, 8),
        (Reach::Team("team 1".into()), 1, 3),
        (Reach::Customer("customer".into()), 1, 0),
        (Reach::Team("other".into()), 0, 0),
    ] {
        let own = store.within(&reach);
        let report = own.usage_report(request(0, 60, "", None)).await.unwrap();
        assert_eq!((report.total.requests, report.total.refusals), (requests, refusals), "{reach:?}");
        let entries = own.ledger_list(LedgerFilter::default(), 10).await.unwrap();
        assert_eq!(entries.len() as u64, requests, "{reach:?}");
    }
    let others = Filters { team: Some("team 3".to_owned()), ..Filters::default() };
    let own = store.within(&Reach::Team("team 1".into()));
    let report = own.usage_report(UsageRequest { filters: others.clone(), ..request(0, 60, "", None) }).await.unwrap();
    assert_eq!(report.total.requests, 0);
    let asked = LedgerFilter { filters: others, ..LedgerFilter::default() };
    assert!(own.ledger_list(asked, 10).await.unwrap().is_empty());
}

/// Groups have the names of what still exists.
#[tokio::test(flavor = "multi_thread")]
async fn groups_are_called_by_their_names() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let key = requested::create(&store, json!({"name": "app"})).await.unwrap();
    let mut own = simple("r1", 0, 10);
    own.attribution.virtual_key_id = key.id.clone();
    store.ledger_append(vec![own, simple("r2", 1, 10)]).await.unwrap();
    let report = store.usage_report(request(0, 60, "virtual_key", None)).await.unwrap();
    let names: BTreeMap<_, _> =
        report.groups.into_iter().map(|group| (group.by[0].value.clone().unwrap(), group.by[0].name.clone())).collect();
    let expected = [(key.id.to_string(), Some("app".to_owned())), ("key 1".to_owned(), None)];
    assert_eq!(names, BTreeMap::from(expected));
}
