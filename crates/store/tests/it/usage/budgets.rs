//! What budgets cover, and what was spent of that.

use std::collections::HashSet;

use keyward_core::authority::Reach;
use keyward_core::ledger::Attribution;
use keyward_core::usage::{Dimension, Hour};
use serde_json::json;

use super::{fold, minutes, simple};
use crate::database::Database;
use crate::request::{self, change};

/// A budget covers what its owner spends; spending is told apart by what budgets cover, and budgets by who may see them.
#[tokio::test(flavor = "multi_thread")]
async fn what_budgets_cover() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    request::providers(&store).await;
    let budget = json!({"max_limit": 1, "reset_duration": "1d"});
    let owner = json!({"name": "x", "budget": budget});
    let team = store.team_create(change("team_create"), request::team(owner.clone())).await.unwrap();
    let customer = store.customer_create(change("customer_create"), request::customer(owner)).await.unwrap();
    let models = json!([{"model": "m", "budget": budget}]);
    let configs = json!([{"provider": "openai", "budget": budget, "model_budgets": models}]);
    let wanted = json!({"name": "app", "team_id": team.id, "budget": budget, "provider_configs": configs});
    let key = request::create(&store, wanted).await.unwrap();
    request::model_config(&store, json!({"model_name": "*", "provider": "openai", "budget": budget})).await.unwrap();
    let own = json!({"model_name": "n", "scope": "virtual_key", "scope_id": key.id, "budget": budget});
    request::model_config(&store, own).await.unwrap();

    let text = |value: Option<&dyn ToString>| value.map_or("*".to_owned(), ToString::to_string);
    let (id, team_id, customer_id) = (key.id.to_string(), team.id.to_string(), customer.id.to_string());
    let called = |name: String| match name {
        name if name == id => "key".to_owned(),
        name if name == team_id => "team".to_owned(),
        name if name == customer_id => "customer".to_owned(),
        name => name,
    };
    let scopes = async |reach: Reach| {
        let found = store.within(&reach).budget_scopes().await.unwrap();
        let mut scopes: Vec<String> = found
            .into_iter()
            .map(|(_, scope)| {
                let filters = scope.filters();
                let parts =
                    Dimension::ALL.map(|by| called(text(filters.get(by).as_ref().map(|id| id as &dyn ToString))));
                parts[..5].join(" ")
            })
            .collect();
        scopes.sort();
        scopes
    };
    let of_key = ["* * key * *", "* * key * n", "* * key openai *", "* * key openai m"];
    let mut all = vec!["* * * openai *"];
    all.extend(of_key);
    all.extend(["* team * * *", "customer * * * *"]);
    assert_eq!(scopes(Reach::Everything).await, all);
    let mut of_team = of_key.to_vec();
    of_team.push("* team * * *");
    assert_eq!(scopes(Reach::Team(team.id.clone())).await, of_team);
    assert_eq!(scopes(Reach::Customer(customer.id.clone())).await, ["customer * * * *"]);

    let mut spent = simple("r1", 0, 10);
    spent.attribution = Attribution {
        virtual_key_id: key.id.clone(),
        team_id: Some(team.id.clone()),
        model: "m".into(),
        ..spent.attribution
    };
    store.ledger_append(vec![spent, simple("r2", 1, 10), simple("r3", 1, 80)]).await.unwrap();
    let found = store.budget_scopes().await.unwrap();
    let by: HashSet<_> = found.iter().map(|(_, scope)| scope.filters()).collect();
    let nanos = async |to: i64| {
        let spent = store.usage_spent(by.clone(), Hour::of(minutes(0)), Hour::of(minutes(to))).await.unwrap();
        let mut nanos: Vec<i64> = spent.values().map(|cost| cost.nanos()).collect();
        nanos.sort_unstable();
        nanos
    };
    // The provider has both attempts of the hour; the customer and the other model none; the rest one.
    assert_eq!(nanos(60).await, [0, 0, 10, 10, 10, 10, 20]);
    let three_days = 3 * 24 * 60;
    assert_eq!(nanos(three_days).await, [0, 0, 10, 10, 10, 10, 30]);
    fold(&store, minutes(three_days)).await;
    for (to, of_provider) in [(60, 20), (three_days, 30)] {
        assert_eq!(nanos(to).await, [0, 0, 10, 10, 10, 10, of_provider], "added up besides");
    }
}
