//! What routing looks at: who is above a key, what is used, and who offers a model.

use keyward_core::meter::Metric;
use keyward_engine::{Choice, Reading};
use serde_json::{Value, json};

use crate::world::{
    HASH, World, at, budget, config, customer, hashes, key, model_config, output, rate_limit, settled, team,
};

fn choices(members: Value, model: &str) -> Option<Vec<Choice>> {
    World::with_key(members).engine.identify(&HASH, at(0)).unwrap().choices(model)
}

#[test]
fn a_choice_has_a_weight_and_allows_the_model() {
    let configs = json!([
        config("named", json!({ "allowed_models": ["m"], "weight": 2.0 })),
        config("any", json!({ "weight": 0.5 })),
        config("unweighted", json!({ "weight": null })),
        config("zero", json!({ "weight": 0.0 })),
        config("blocking", json!({ "blacklisted_models": ["m"] })),
        config("other", json!({ "allowed_models": ["n"] })),
    ]);
    let choice = |provider: &str, weight, names_model| Choice { provider: provider.into(), weight, names_model };
    let expected = vec![choice("named", 2.0, true), choice("any", 0.5, false)];
    assert_eq!(choices(json!({ "provider_configs": configs }), "m"), Some(expected));
    assert_eq!(choices(json!({}), "m"), None, "every provider");
    assert_eq!(choices(json!({ "allow_all_providers": false }), "m"), Some(Vec::new()));
}

#[test]
fn the_holder_has_the_owners_that_exist() {
    let world = World::with_key(json!({ "team_id": "team" }));
    let holder = || world.engine.holder(&world.engine.identify(&HASH, at(0)).unwrap());
    assert_eq!((holder().team_id, holder().customer_id), (None, None));
    world.engine.put_customer(&customer(json!({ "name": "acme" })), at(0));
    world.engine.put_team(&team(json!({ "name": "red", "customer_id": "customer" })), at(0));
    let found = holder();
    assert_eq!((&*found.virtual_key_name, &*found.team_name, &*found.customer_name), ("key", "red", "acme"));
    assert_eq!((found.team_id, found.customer_id), (Some("team".into()), Some("customer".into())));
    world.engine.remove_team(&"team".into());
    assert_eq!((holder().team_id, &*holder().customer_name), (None, ""));
}

#[test]
fn readings_show_the_window_of_now_and_room_is_the_provider_configs_own() {
    let limited = config("p", json!({ "rate_limit": rate_limit("r", None, Some(1)) }));
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)], "provider_configs": [limited] }));
    world.ask(7, at(10)).unwrap().settle(settled(Some(output(7)), at(10)));
    let principal = world.engine.identify(&HASH, at(10)).unwrap();
    let reading = |metric, used, cap| Reading { metric, used, cap };
    let used = [reading(Metric::Cost, 7, 100), reading(Metric::Requests, 1, 1)];
    assert_eq!(world.engine.readings(&principal, &"p".into(), &"m".into(), at(10)), used);
    assert_eq!(world.engine.readings(&principal, &"q".into(), &"m".into(), at(10)), used[..1]);
    assert_eq!(world.engine.readings(&principal, &"q".into(), &"m".into(), at(70)), [reading(Metric::Cost, 0, 100)]);
    let has_room = |second| world.engine.has_room(&principal, &"p".into(), &"m".into(), at(second));
    assert_eq!([has_room(10), has_room(70)], [false, true]);
    // What a virtual key has used up is used up everywhere.
    world.engine.put_virtual_key(hashes(HASH), &key(json!({ "budgets": [budget("b", 1, 60)] })), at(10));
    let principal = world.engine.identify(&HASH, at(10)).unwrap();
    assert!(world.engine.has_room(&principal, &"p".into(), &"m".into(), at(10)));
}

#[test]
fn limits_of_models_and_providers_are_read_and_take_room_away() {
    let of_model =
        json!({ "id": "mb", "model": "m", "budgets": [], "rate_limit": rate_limit("of-model", None, Some(2)) });
    let world = World::with_key(json!({ "provider_configs": [config("p", json!({ "model_budgets": [of_model] }))] }));
    let everywhere = json!({ "provider": "p", "rate_limit": rate_limit("everywhere", None, Some(1)) });
    let principal = world.engine.identify(&HASH, at(10)).unwrap();
    let room = |provider: &str, model: &str| world.engine.has_room(&principal, &provider.into(), &model.into(), at(10));
    let read = |provider: &str, model: &str| {
        let readings = world.engine.readings(&principal, &provider.into(), &model.into(), at(10));
        readings.iter().map(|reading| (reading.used, reading.cap)).collect::<Vec<_>>()
    };
    world.ask(1, at(10)).unwrap().settle(settled(Some(output(1)), at(10)));
    assert_eq!((read("p", "m"), read("p", "other"), room("p", "m")), (vec![(1, 2)], vec![], true));
    world.engine.put_model_config(&model_config("config", everywhere), at(10));
    world.ask(1, at(10)).unwrap().settle(settled(Some(output(1)), at(10)));
    assert_eq!((read("p", "m"), read("q", "m")), (vec![(1, 1), (2, 2)], vec![]));
    assert_eq!([room("p", "m"), room("q", "m")], [false, true]);
}
