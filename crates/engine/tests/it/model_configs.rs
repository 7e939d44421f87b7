//! Model configs and model budgets: what they cover, in which order, and what an edit leaves alone.

use keyward_core::error_code::ErrorCode;
use keyward_core::meter::Metric;
use keyward_core::refusal::Refusal;
use keyward_core::scope::ScopeKind;
use keyward_core::secret::KeyHash;
use keyward_engine::Admission;
use serde_json::{Value, json};

use crate::world::{
    HASH, World, at, budget, config, customer, hashes, key, model_config, output, price, rate_limit, settled,
};

const OTHER: KeyHash = KeyHash([8; 32]);

/// A world with two virtual keys, `vk` and `other`, that have no limits of their own.
fn two_keys() -> World {
    let world = World::with_key(json!({}));
    world.engine.put_virtual_key(hashes(OTHER), &key(json!({ "id": "other" })), at(0));
    world
}

fn ask(world: &World, hash: &KeyHash, provider: &str, model: &str) -> Result<Admission, Refusal> {
    world.ask_for(hash, (provider, model), 10, Some(price()), at(1))
}

fn scope(result: Result<Admission, Refusal>) -> (ScopeKind, String) {
    let Err(Refusal::Limit(refusal)) = result else { panic!("not refused by a limit") };
    (refusal.scope.kind, refusal.scope.id.to_string())
}

#[test]
fn each_of_the_four_tiers_refuses_what_it_covers_and_nothing_else() {
    for (members, covers) in [
        (json!({ "model_name": "m", "provider": "p" }), [true, false, false, false]),
        (json!({ "model_name": "m" }), [true, true, false, false]),
        (json!({ "provider": "p" }), [true, false, true, false]),
        (json!({}), [true, true, true, true]),
    ] {
        let mut members = members;
        members["budgets"] = json!([budget("b", 5, 60)]);
        let world = two_keys();
        world.engine.put_model_config(&model_config("mc", members.clone()), at(0));
        let requests = [("p", "m"), ("q", "m"), ("p", "n"), ("q", "n")];
        let refused = requests.map(|(provider, model)| ask(&world, &OTHER, provider, model).is_err());
        assert_eq!(refused, covers, "{members}");
    }
}

#[test]
fn every_config_that_covers_a_request_holds_and_is_charged() {
    let world = two_keys();
    for (id, members) in [
        ("1", json!({ "model_name": "m", "provider": "p", "budgets": [budget("b1", 1_000, 60)] })),
        ("2", json!({ "model_name": "m", "budgets": [budget("b2", 1_000, 60)] })),
        ("3", json!({ "provider": "p", "budgets": [budget("b3", 1_000, 60)] })),
        ("4", json!({ "budgets": [budget("b4", 1_000, 60)], "rate_limit": rate_limit("r4", Some(50), Some(5)) })),
        ("5", json!({ "scope": "virtual_key", "scope_id": "vk", "budgets": [budget("b5", 1_000, 60)] })),
    ] {
        world.engine.put_model_config(&model_config(id, members), at(0));
    }
    ask(&world, &HASH, "p", "m").unwrap().settle(settled(Some(output(7)), at(2)));
    ask(&world, &OTHER, "p", "n").unwrap().settle(settled(Some(output(3)), at(2)));

    // I3: what is posted are the meters that cover the attempt, rates before money, wider before narrower.
    let entries = world.ledger.entries.lock().unwrap();
    let postings = |index: usize| -> Vec<(&str, Metric, i64)> {
        entries[index].postings.iter().map(|p| (p.meter.limit.as_str(), p.meter.metric, p.amount)).collect()
    };
    use Metric::{Cost, Requests, Tokens};
    let both = |amount| [("r4", Requests, 1), ("r4", Tokens, amount)];
    assert_eq!(postings(0)[..2], both(7));
    assert_eq!(postings(0)[2..], ["b1", "b2", "b4", "b3", "b5"].map(|limit| (limit, Cost, 7)));
    assert_eq!(postings(1)[..2], both(3));
    assert_eq!(postings(1)[2..], ["b4", "b3"].map(|limit| (limit, Cost, 3)));
}

#[test]
fn refusals_name_whose_limit_it_is_in_the_order_of_checking() {
    let full = |id: &str| json!([budget(id, 5, 60)]);
    let world = World::new();
    let configured = config(
        "p",
        json!({ "budgets": full("config"), "model_budgets": [{ "id": "mb", "model": "m", "budgets": full("model") }] }),
    );
    let put_key = |members: Value| world.engine.put_virtual_key(hashes(HASH), &key(members), at(0));
    put_key(json!({ "customer_id": "customer", "budgets": full("key"), "provider_configs": [configured] }));
    world.engine.put_customer(&customer(json!({ "budgets": full("customer") })), at(0));
    let own = json!({ "scope": "virtual_key", "scope_id": "vk", "budgets": full("own") });
    world.engine.put_model_config(&model_config("mc-own", own), at(0));
    world
        .engine
        .put_model_config(&model_config("mc-provider", json!({ "provider": "p", "budgets": full("p") })), at(0));
    world.engine.put_model_config(&model_config("mc", json!({ "model_name": "m", "budgets": full("m") })), at(0));
    let refused = || scope(ask(&world, &HASH, "p", "m"));

    assert_eq!(refused(), (ScopeKind::ModelConfig, "mc".into()));
    world.engine.remove_model_config(&"mc".into());
    assert_eq!(refused(), (ScopeKind::Provider, "p".into()));
    world.engine.remove_model_config(&"mc-provider".into());
    assert_eq!(refused(), (ScopeKind::Customer, "customer".into()));
    world.engine.remove_customer(&"customer".into());
    assert_eq!(refused(), (ScopeKind::VirtualKey, "vk".into()));
    let models = json!([{ "id": "mb", "model": "m", "budgets": full("model") }]);
    put_key(
        json!({ "provider_configs": [config("p", json!({ "budgets": full("config"), "model_budgets": models }))] }),
    );
    assert_eq!(refused(), (ScopeKind::VirtualKeyModelConfig, "mc-own".into()));
    world.engine.remove_model_config(&"mc-own".into());
    assert_eq!(refused(), (ScopeKind::ProviderConfig, "1".into()));
    put_key(json!({ "provider_configs": [config("p", json!({ "model_budgets": models }))] }));
    assert_eq!(refused(), (ScopeKind::ModelBudget, "mb".into()));
    assert!(ask(&world, &HASH, "p", "another").is_ok());
}

/// I8: usage survives an edit, also one that changes what is covered.
#[test]
fn i8_an_edit_of_what_is_covered_refills_nothing_and_leaves_no_old_cap_behind() {
    let world = two_keys();
    let limits = || json!([budget("b", 15, 60)]);
    world.engine.put_model_config(&model_config("mc", json!({ "model_name": "m", "budgets": limits() })), at(0));
    ask(&world, &HASH, "p", "m").unwrap().settle(settled(Some(output(10)), at(2)));
    world.engine.put_model_config(&model_config("mc", json!({ "model_name": "n", "budgets": limits() })), at(2));
    assert_eq!(world.used("b", Metric::Cost), 10);
    assert_eq!(ask(&world, &HASH, "p", "n").unwrap_err().code(), ErrorCode::BudgetExceeded);
    assert!(ask(&world, &HASH, "p", "m").is_ok());
    world.engine.remove_model_config(&"mc".into());
    assert_eq!(world.used("b", Metric::Cost), 0);
    assert!(ask(&world, &HASH, "p", "n").is_ok());
}

#[test]
fn a_virtual_key_goes_with_its_model_configs_and_leaves_the_others() {
    let world = two_keys();
    let own = |id: &str, limit: &str| {
        let members = json!({ "scope": "virtual_key", "scope_id": id, "budgets": [budget(limit, 15, 60)] });
        world.engine.put_model_config(&model_config(id, members), at(0));
    };
    own("vk", "b-vk");
    own("other", "b-other");
    for hash in [HASH, OTHER] {
        ask(&world, &hash, "p", "m").unwrap().settle(settled(Some(output(10)), at(2)));
    }
    world.engine.remove_virtual_key(&"vk".into());
    assert_eq!((world.used("b-vk", Metric::Cost), world.used("b-other", Metric::Cost)), (0, 10));
    world.engine.put_virtual_key(hashes(HASH), &key(json!({})), at(3));
    assert!(ask(&world, &HASH, "p", "m").is_ok(), "its model config is gone");
    assert!(ask(&world, &OTHER, "p", "m").is_err());
}
