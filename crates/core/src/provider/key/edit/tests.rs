//! Tests of how a request makes or edits a provider key.

use uuid::Uuid;

use super::super::Setting;
use super::*;

fn request(json: serde_json::Value) -> UpdateProviderKey {
    serde_json::from_value(json).unwrap()
}

fn made(json: serde_json::Value) -> Result<ProviderKeyDraft, (String, String)> {
    let told = |invalid: Invalid| (invalid.pointer.to_string(), invalid.message);
    request(json).make(&Pointer::ROOT, &mut || Uuid::nil()).map_err(told)
}

/// A key with an alias and two settings, as answers show it.
fn shown() -> ProviderKey {
    let zero = "1970-01-01T00:00:00Z";
    serde_json::from_value(serde_json::json!({
        "id": "k", "name": "main", "value": EnvVar { value: "******".to_owned(), ..EnvVar::default() },
        "models": ["*"], "blacklisted_models": [], "weight": 1.0, "aliases": { "best": "m-1" }, "enabled": true,
        "use_for_batch_api": false, "description": "d", "status": "", "config_hash": "", "created_at": zero,
        "updated_at": zero, "vertex_key_config": {
            "project_id": EnvVar { value: "p".to_owned(), ..EnvVar::default() },
            "auth_credentials": EnvVar { value: "***".to_owned(), ..EnvVar::default() },
            "deployments": { "best": "m-1" },
        },
    }))
    .unwrap()
}

fn applied(json: serde_json::Value) -> Result<ProviderKeyDraft, (String, String)> {
    let told = |invalid: Invalid| (invalid.pointer.to_string(), invalid.message);
    request(json).apply(&shown(), &Pointer::ROOT).map_err(told)
}

#[test]
fn what_is_absent_or_sent_back_as_it_was_changes_nothing() {
    assert_eq!(applied(serde_json::json!({})).unwrap(), ProviderKeyDraft::kept(&shown()));
    let same = serde_json::to_value(shown()).unwrap();
    assert_eq!(applied(same).unwrap(), ProviderKeyDraft::kept(&shown()));
}

#[test]
fn null_clears_and_a_secret_may_go_while_settings_stay() {
    let draft = applied(serde_json::json!({ "value": null, "description": null, "aliases": null })).unwrap();
    assert_eq!((draft.value, draft.description.as_str(), draft.aliases), (None, "", Aliases::new()));
    let draft = applied(serde_json::json!({ "vertex_key_config": { "auth_credentials": null } })).unwrap();
    assert_eq!(draft.settings.values.into_keys().collect::<Vec<_>>(), [Setting::VertexProjectId]);
    let nothing_left = serde_json::json!({ "value": null, "vertex_key_config": null });
    assert_eq!(applied(nothing_left).unwrap_err().0, "/value");
}

#[test]
fn both_shapes_set_the_same_and_must_not_differ() {
    let flat = made(serde_json::json!({ "name": "x", "azure_endpoint": "https://a.example" })).unwrap();
    let nested = made(serde_json::json!({ "name": "x", "azure_key_config": { "endpoint": "https://a.example" } }));
    assert_eq!(flat, nested.unwrap());
    let both = serde_json::json!({
        "name": "x", "azure_endpoint": "https://a.example", "azure_key_config": { "endpoint": "https://b.example" },
    });
    let message = "azure_endpoint and azure_key_config.endpoint are the same setting and differ";
    assert_eq!(made(both).unwrap_err(), ("/azure_endpoint".to_owned(), message.to_owned()));
}

#[test]
fn deployments_are_aliases() {
    let json = serde_json::json!({
        "name": "x", "aliases": { "a": "1" }, "azure_key_config": { "endpoint": "https://a.example",
        "deployments": { "b": "2" } }, "bedrock_key_config": { "region": "r", "deployments": { "b": "2", "c": "3" } },
    });
    let aliases: Vec<_> = made(json).unwrap().aliases.into_iter().collect();
    let expected = [("a", "1"), ("b", "2"), ("c", "3")].map(|(alias, model)| (alias.to_owned(), model.to_owned()));
    assert_eq!(aliases, expected);
    let differing = serde_json::json!({
        "name": "x", "value": "s", "aliases": { "a": "1" }, "vertex_key_config": { "deployments": { "a": "2" } },
    });
    assert_eq!(made(differing).unwrap_err().0, "/vertex_key_config/deployments/a");
    // The older name, sent back as it was, does not bring back what the newer one takes away.
    let draft =
        applied(serde_json::json!({ "aliases": {}, "vertex_key_config": { "deployments": { "best": "m-1" } } }));
    assert_eq!(draft.unwrap().aliases, Aliases::new());
    let draft = applied(serde_json::json!({ "vertex_key_config": { "deployments": { "best": "m-2" } } }));
    assert_eq!(draft.unwrap().aliases["best"], "m-2");
}

#[test]
fn what_cannot_be_is_refused_at_its_member() {
    let masked = "sk-f************************7890";
    for (json, pointer) in [
        (serde_json::json!({ "value": "s" }), "/name"),
        (serde_json::json!({ "name": "x" }), "/value"),
        (serde_json::json!({ "name": "x", "value": null }), "/value"),
        (serde_json::json!({ "name": "x", "value": masked }), "/value"),
        (serde_json::json!({ "name": "x", "azure_endpoint": "nowhere" }), "/azure_endpoint"),
        (serde_json::json!({ "name": "x", "vertex_region": "a\nb" }), "/vertex_region"),
        (serde_json::json!({ "name": "x", "vertex_auth_credentials": masked }), "/vertex_auth_credentials"),
        (serde_json::json!({ "name": "x", "bedrock_access_key": "a" }), "/bedrock_key_config/secret_key"),
        (serde_json::json!({ "name": "x", "azure_client_id": "a" }), "/azure_key_config/client_secret"),
        (serde_json::json!({ "name": "x", "ollama_key_config": { "url": "ftp://a" } }), "/ollama_key_config/url"),
        (serde_json::json!({ "name": "x", "value": "s", "aliases": { "a": "" } }), "/aliases/a"),
        (serde_json::json!({ "name": "x", "value": "s", "weight": -1 }), "/weight"),
    ] {
        assert_eq!(made(json.clone()).unwrap_err().0, pointer, "{json}");
    }
    assert_eq!(applied(serde_json::json!({ "value": masked })).unwrap_err().0, "/value");
    assert_eq!(applied(serde_json::json!({ "id": "other" })).unwrap_err().0, "/id");
    assert_eq!(applied(serde_json::json!({ "name": "" })).unwrap_err().0, "/name");
}

#[test]
fn variables_are_found_in_both_shapes() {
    let json = serde_json::json!({
        "value": "env.A", "azure_client_id": { "env_var": "env.B" }, "bedrock_key_config": { "region": "env.C" },
        "description": "env.D",
    });
    let found = request(json).variables(&Pointer::from("keys").element(1));
    let found: Vec<_> = found.iter().map(|(at, name)| (at.to_string(), name.as_str())).collect();
    let expected =
        [("/keys/1/value", "A"), ("/keys/1/bedrock_key_config/region", "C"), ("/keys/1/azure_client_id", "B")];
    assert_eq!(found, expected.map(|(at, name)| (at.to_owned(), name)));
}
