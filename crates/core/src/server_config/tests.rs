//! What edits of the configuration keep, set and refuse.

use serde_json::{Value, json};

use super::*;

fn cooldown(value: Value) -> Option<i64> {
    serde_json::from_value::<RotationCooldown>(value).ok().map(RotationCooldown::nanoseconds)
}

#[test]
fn a_cooldown_is_a_go_duration_or_nanoseconds_and_answered_in_nanoseconds() {
    for (value, nanoseconds) in [
        (json!("24h"), Some(86_400_000_000_000)),
        (json!("1h30m"), Some(5_400_000_000_000)),
        (json!(""), Some(0)),
        (json!("0"), Some(0)),
        (json!("0s"), Some(0)),
        (json!(0), Some(0)),
        (json!(1_000_000_001_i64), Some(1_000_000_001)),
        (json!("720h"), Some(2_592_000_000_000_000)),
        (json!("721h"), None),
        (json!("1d"), None),
        (json!("-1h"), None),
        (json!(-1), None),
        (json!("soon"), None),
        (json!(1.5), None),
    ] {
        assert_eq!(cooldown(value.clone()), nanoseconds, "{value}");
    }
    assert_eq!(serde_json::to_value(RotationCooldown::from_nanoseconds(5).unwrap()).unwrap(), json!(5));
}

fn client(input: Value) -> Result<ClientConfig, Invalid> {
    let input: ClientConfigInput = serde_json::from_value(input).unwrap();
    ClientConfig::new(RotationCooldown::default(), vec!["https://kept.example".to_owned()]).edited(input)
}

#[test]
fn origins_are_written_as_browsers_write_them() {
    let list = json!(["https://A.example:443/", "http://b.example:8080", "*", "https://a.example"]);
    let edited = client(json!({ "allowed_origins": list })).unwrap();
    assert_eq!(edited.allowed_origins, ["https://a.example", "http://b.example:8080", "*"]);
    assert_eq!(client(json!({})).unwrap().allowed_origins, ["https://kept.example"]);
    for text in [
        "a.example",
        "https://a.example/path",
        "ftp://a.example",
        "https://u@a.example",
        "null",
        "",
        "https://*.example/x",
    ] {
        let refused = client(json!({ "allowed_origins": ["*", text] })).unwrap_err();
        assert_eq!(refused.pointer.to_string(), "/client_config/allowed_origins/1", "{text}");
    }
}

#[test]
fn a_virtual_key_is_always_required() {
    for name in ["enforce_auth_on_inference", "enforce_governance_header"] {
        assert!(client(json!({ name: true })).is_ok());
        let refused = client(json!({ name: false })).unwrap_err();
        assert_eq!(refused.pointer.to_string(), format!("/client_config/{name}"));
        assert!(refused.message.contains("a virtual key is always required"));
    }
}

fn auth(is_enabled: bool) -> AuthConfig {
    AuthConfig {
        is_enabled,
        admin_username: "admin".to_owned(),
        admin_password: REDACTED.to_owned(),
        disable_auth_on_inference: true,
        source: ConfigSource::Database,
    }
}

fn draft(config: &AuthConfig, input: Value, is_public: bool) -> Result<AuthDraft, Invalid> {
    config.edited(serde_json::from_value(input).unwrap(), is_public)
}

#[test]
fn a_redacted_password_that_is_sent_back_keeps_the_password() {
    let config = auth(true);
    for input in [
        json!({}),
        json!({"admin_password": REDACTED}),
        json!({"admin_password": "*"}),
        json!({"admin_username": "admin"}),
    ] {
        let draft = draft(&config, input.clone(), true).unwrap();
        assert!(draft.password == PasswordDraft::Kept && config.is_kept_by(&draft), "{input}");
    }
    let changed = draft(&config, json!({"admin_password": "not-a-secret"}), true).unwrap();
    assert!(!config.is_kept_by(&changed));
    let by_name = draft(&config, json!({"admin_password": {"env_var": "env.NAME"}}), true).unwrap();
    assert_eq!(by_name.password, PasswordDraft::New(SecretSource::Environment("NAME".to_owned())));
}

#[test]
fn the_last_credential_stays_while_it_is_needed() {
    for (input, is_public, pointer) in [
        (json!({"is_enabled": false}), true, "/auth_config/is_enabled"),
        (json!({"admin_username": null}), true, "/auth_config/admin_username"),
        (json!({"admin_username": ""}), false, "/auth_config/admin_username"),
        (json!({"admin_password": null}), false, "/auth_config/admin_password"),
        (json!({"admin_password": ""}), false, "/auth_config/admin_password"),
        (json!({"admin_password": "env."}), false, "/auth_config/admin_password"),
        (json!({"admin_username": "a:b"}), false, "/auth_config/admin_username"),
        (json!({"admin_password": "x".repeat(1025)}), false, "/auth_config/admin_password"),
    ] {
        let refused = draft(&auth(true), input.clone(), is_public).unwrap_err();
        assert_eq!(refused.pointer.to_string(), pointer, "{input}");
    }
    let off = draft(&auth(true), json!({"is_enabled": false, "admin_username": null, "admin_password": null}), false);
    assert_eq!(off.unwrap(), AuthDraft { is_enabled: false, username: None, password: PasswordDraft::Removed });
}
