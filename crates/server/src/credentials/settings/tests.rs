//! Which settings make which credential.

use super::*;

fn texts(secret: Option<&str>, settings: &[(Setting, &str)]) -> KeyTexts {
    let settings = settings.iter().map(|(setting, text)| (*setting, SecretString::from(*text))).collect();
    KeyTexts { secret: secret.map(Into::into), settings, scopes: Vec::new() }
}

fn endpoints() -> TokenEndpoints {
    TokenEndpoints {
        entra: None,
        sts: None,
        application_credentials: None,
        allow_metadata: false,
        block_private: false,
    }
}

const KEYS: [(Setting, &str); 3] = [
    (Setting::BedrockAccessKey, "AKIAFAKE"),
    (Setting::BedrockSecretKey, "fake-secret"),
    (Setting::BedrockRegion, "eu-west-1"),
];

fn with(more: (Setting, &'static str)) -> Vec<(Setting, &'static str)> {
    KEYS.into_iter().chain([more]).collect()
}

#[test]
fn a_credential_is_what_its_settings_make_it() {
    let entra = [
        (Setting::AzureClientId, "id"),
        (Setting::AzureClientSecret, "fake-secret"),
        (Setting::AzureTenantId, "tenant.example"),
    ];
    let kind = |provider, texts: KeyTexts| match texts.auth(provider, &endpoints()) {
        Ok(Auth::Open) => "open".to_owned(),
        Ok(Auth::Secret(_)) => "secret".to_owned(),
        Ok(Auth::Fixed(Stamp::Header(name, _))) => name.to_string(),
        Ok(Auth::Fixed(Stamp::Aws(_))) => "signature".to_owned(),
        Ok(Auth::Exchanged(_)) => "exchanged".to_owned(),
        Ok(Auth::Fixed(Stamp::Nothing)) => "?".to_owned(),
        Err(error) => error.to_string(),
    };
    for (provider, texts, expected) in [
        ("openai", texts(Some("fake-key"), &[]), "secret"),
        ("vllm", texts(None, &[]), "open"),
        ("azure", texts(Some("fake-key"), &entra), "api-key"),
        ("azure", texts(None, &entra), "exchanged"),
        ("azure", texts(None, &entra[..1]), "the key has no client_secret"),
        ("azure", texts(None, &[]), "the key has no value, and no client_id"),
        ("vertex", texts(Some("fake-key"), &[]), "x-goog-api-key"),
        (
            "vertex",
            texts(None, &[]),
            "the key has no auth_credentials, and there are no application default credentials",
        ),
        ("bedrock", texts(Some("fake-key"), &[]), "authorization"),
        ("bedrock", texts(None, &KEYS), "signature"),
        ("bedrock", texts(None, &KEYS[..2]), "the key has no region"),
        ("bedrock", texts(None, &with((Setting::BedrockArn, "arn:aws:iam::000000000000:role/fake"))), "exchanged"),
        (
            "bedrock",
            texts(None, &with((Setting::BedrockArn, "arn:aws:bedrock:eu-west-1:000000000000:inference-profile"))),
            "signature",
        ),
        (
            "bedrock",
            texts(None, &with((Setting::BedrockSessionToken, "a\u{1}b"))),
            "the credential has characters that cannot be sent",
        ),
    ] {
        assert_eq!(kind(provider, texts), expected, "{provider}");
    }
}

#[test]
fn what_becomes_part_of_an_address_cannot_lead_elsewhere() {
    let elsewhere = texts(None, &[KEYS[0], KEYS[1], (Setting::BedrockRegion, "evil.example/")]);
    assert!(elsewhere.auth("bedrock", &endpoints()).unwrap_err().to_string().starts_with("region cannot be used"));
    let tenant = texts(
        None,
        &[(Setting::AzureClientId, "a"), (Setting::AzureClientSecret, "b"), (Setting::AzureTenantId, "../x")],
    );
    assert!(tenant.auth("azure", &endpoints()).unwrap_err().to_string().starts_with("tenant_id cannot be used"));
}

#[test]
fn a_token_is_kept_while_its_key_is_the_same() {
    let role = |arn| texts(None, &with((Setting::BedrockArn, arn))).auth("bedrock", &endpoints()).unwrap();
    let first = role("arn:aws:iam::000000000000:role/one");
    let is_first = |auth: Auth| match (&auth, &first) {
        (Auth::Exchanged(auth), Auth::Exchanged(first)) => Arc::ptr_eq(auth, first),
        _ => false,
    };
    assert!(is_first(role("arn:aws:iam::000000000000:role/one").keeping(&first)));
    assert!(!is_first(role("arn:aws:iam::000000000000:role/two").keeping(&first)));
}

#[test]
fn nothing_that_is_shown_has_a_secret_in_it() {
    let secret = |provider, key: KeyTexts| format!("{:?}", key.auth(provider, &endpoints()).unwrap());
    for shown in [
        secret("openai", texts(Some("fake-secret"), &[])),
        secret("azure", texts(Some("fake-secret"), &[])),
        secret("bedrock", texts(None, &KEYS)),
        secret("bedrock", texts(None, &with((Setting::BedrockArn, "arn:aws:iam::000000000000:role/fake")))),
    ] {
        assert!(!shown.contains("fake-secret") && !shown.contains("AKIAFAKE"), "{shown}");
    }
}
