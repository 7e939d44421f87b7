//! Files of credentials. The private key is made for these tests and opens nothing.

use serde_json::json;

use super::*;

const PRIVATE_KEY: &str = include_str!("fake-private-key.pem");

fn endpoints(block_private: bool) -> TokenEndpoints {
    TokenEndpoints { entra: None, sts: None, application_credentials: None, allow_metadata: false, block_private }
}

pub(in super::super) fn service_account(token_uri: &str) -> String {
    json!({
        "type": "service_account",
        "client_email": "keyward@fake-project.iam.gserviceaccount.com",
        "private_key": PRIVATE_KEY,
        "private_key_id": "fake-key-id",
        "token_uri": token_uri,
    })
    .to_string()
}

#[test]
fn a_statement_is_signed_as_openssl_signs_it() {
    let account = Account::parse(&service_account(TOKEN_URI).into(), &endpoints(false)).unwrap();
    let Account::Service(signatory) = account else { panic!("{account:?}") };
    let statement = signatory.statement("2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
    let expected = "Dr2jyqjsik2O_tsvRr3gesYhPBEGjbH_QlrEr1ue_0TE1LV1iKrSeipag0mWB8z6TWAdqaQvWxRSS8e7ORUbGaWjRvoZnaHPfHbLGEK510DzXTlj8v494gR444GTH58aGzt7Xpinhw2eOgyrCLtJWgOv9VBjnb7Zxw9rtAvoz2kcrjRx2G_cTHp3cwVLtq9da_PRSBUytBvWnFcNAaVaZ8Q3obwd8WRgKrVuJgTzLuT6oD_isv05THpUj4ean_7ALRhieVA6BTsdYfay8Uy3RhvlnQkv7AhZuxssKzZty9nN0BLhpyfpiGRT1JumZ4Jg9s6BcfzmgspqY4rYQK-jXQ";
    assert_eq!(statement.expose_secret().rsplit_once('.').unwrap().1, expected);
}

#[test]
fn a_token_is_asked_for_over_tls_or_on_this_machine() {
    let parse = |uri: &str, block_private| Account::parse(&service_account(uri).into(), &endpoints(block_private));
    for uri in ["https://oauth2.example/token", "http://127.0.0.1:9/token", "http://[::1]:9/token"] {
        assert!(parse(uri, false).is_ok(), "{uri}");
    }
    for uri in [
        "http://oauth2.example/token",
        "http://10.0.0.1/token",
        "https://169.254.169.254/token",
        "http://metadata.google.internal/token",
        "file:///etc/passwd",
        "https://user:password@oauth2.example/token",
        "",
    ] {
        assert_eq!(parse(uri, false).err(), Some(CredentialError::Forbidden), "{uri}");
    }
    assert_eq!(parse("http://127.0.0.1:9/token", true).err(), Some(CredentialError::Forbidden));
    assert_eq!(parse("https://10.0.0.1/token", true).err(), Some(CredentialError::Forbidden));
}

#[test]
fn what_is_no_credential_is_refused_without_being_told() {
    let service = |key: &str| json!({"type": "service_account", "client_email": "a", "private_key": key}).to_string();
    for text in [
        "fake-secret".to_owned(),
        "{}".to_owned(),
        json!({"type": "external_account", "secret": "fake-secret"}).to_string(),
        service("fake-secret"),
        service("-----BEGIN PRIVATE KEY-----\nZmFrZS1zZWNyZXQ=\n-----END PRIVATE KEY-----\n"),
    ] {
        let error = Account::parse(&text.clone().into(), &endpoints(false)).unwrap_err();
        assert!(matches!(error, CredentialError::Malformed("auth_credentials", _)), "{text}: {error:?}");
        assert!(!format!("{error:?} {error}").contains("fake-secret"));
    }
}

#[test]
fn nothing_that_is_shown_has_the_key_in_it() {
    let user = json!({"type": "authorized_user", "client_id": "a", "client_secret": "fake-secret", "refresh_token": "fake-secret"});
    let shown = [
        format!("{:?}", Account::parse(&service_account(TOKEN_URI).into(), &endpoints(false)).unwrap()),
        format!("{:?}", Account::parse(&user.to_string().into(), &endpoints(false)).unwrap()),
    ];
    let of_key = PRIVATE_KEY.lines().nth(1).unwrap();
    assert!(shown.iter().all(|shown| !shown.contains("fake-secret") && !shown.contains(of_key)), "{shown:?}");
}
