//! Identity comes before money, in a fixed order.

use keyward_core::error_code::ErrorCode;
use serde_json::json;

use crate::world::{World, at, budget, config, hashes, key};

fn refused(members: serde_json::Value) -> ErrorCode {
    World::with_key(members).ask(1_000, at(10)).unwrap_err().code()
}

#[test]
fn the_first_failing_question_is_answered() {
    let empty = || json!([budget("b", 1, 60)]);
    assert_eq!(World::new().ask(1, at(0)).unwrap_err().code(), ErrorCode::InvalidVirtualKey);
    let dead = json!({ "is_active": false, "expires_at": at(5), "allow_all_providers": false, "budgets": empty() });
    assert_eq!(refused(dead), ErrorCode::VirtualKeyBlocked);
    let expired = json!({ "expires_at": at(10), "allow_all_providers": false, "budgets": empty() });
    assert_eq!(refused(expired), ErrorCode::VirtualKeyExpired);
    assert_eq!(refused(json!({ "allow_all_providers": false, "budgets": empty() })), ErrorCode::ProviderBlocked);
    let no_model = config("p", json!({ "allowed_models": [] }));
    assert_eq!(refused(json!({ "provider_configs": [no_model], "budgets": empty() })), ErrorCode::ModelBlocked);
    let blocked = config("p", json!({ "blacklisted_models": ["m"] }));
    assert_eq!(refused(json!({ "provider_configs": [blocked], "budgets": empty() })), ErrorCode::ModelBlocked);
    assert_eq!(refused(json!({ "budgets": empty() })), ErrorCode::BudgetExceeded);
}

#[test]
fn a_deleted_key_is_unknown_and_a_replaced_secret_too() {
    let world = World::with_key(json!({}));
    let other = keyward_core::secret::KeyHash([8; 32]);
    world.engine.put_virtual_key(hashes(other), &key(json!({})), at(0));
    assert_eq!(world.ask(1, at(0)).unwrap_err().code(), ErrorCode::InvalidVirtualKey);
    assert!(world.engine.identify(&other, at(0)).is_ok());
    world.engine.remove_virtual_key(&"vk".into());
    assert!(world.engine.identify(&other, at(0)).is_err());
}
