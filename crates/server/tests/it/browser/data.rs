//! The data set: its books add up, and it has something of everything that pages show.

use futures_util::TryStreamExt;
use keyward_client::{LedgerQuery, UsageReportQuery, VirtualKeyQuery};
use keyward_showcase::data::{VIRTUAL_KEYS, hostile};

use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn it_adds_up_and_has_something_of_everything() {
    let app = App::builder().filled().start().await;
    let keys = app.client.virtual_key_list_all(&VirtualKeyQuery::default()).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(keys.len(), VIRTUAL_KEYS);
    for text in hostile::ALL {
        assert!(keys.iter().any(|key| key.name == text), "{text}");
    }
    assert!(keys.iter().any(|key| !key.is_active) && keys.iter().any(|key| key.expires_at.is_some()));
    let shares: Vec<i64> = keys
        .iter()
        .flat_map(|key| &key.budgets)
        .map(|budget| budget.current_usage.nanos() * 100 / budget.max_limit.nanos())
        .collect();
    for range in [0..1, 20..80, 95..101] {
        assert!(
            shares.iter().any(|share| range.contains(share)),
            "no budget is used to {range:?} per cent: {shares:?}"
        );
    }
    assert!(shares.iter().all(|share| *share <= 100), "{shares:?}");

    let report = app.client.usage_report(&UsageReportQuery::default()).await.unwrap();
    assert!(report.total.refusals > 100, "{:?}", report.total);
    let failed = LedgerQuery { outcome: Some("upstream_error".to_owned()), ..LedgerQuery::default() };
    assert!(!app.client.ledger_list(&failed).await.unwrap().entries.is_empty());

    let (store, _database) = app.stopped().await;
    let check = store.ledger_check().await.unwrap();
    assert!(check.entries > 20_000, "{}", check.entries);
    assert!(check.differences.is_empty() && check.faults.is_empty(), "{:?} {:?}", check.differences, check.faults);
}
