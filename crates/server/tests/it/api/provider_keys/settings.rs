//! Settings of provider keys: clouds and own servers, in both shapes.

use serde_json::{Value, json};

use crate::api::{PROVIDERS, VIRTUAL_KEYS, done, send};
use crate::harness::App;

const SECRETS: [&str; 5] =
    ["fake-client-secret", "fake-service-account", "fake-access-key", "fake-secret-key", "fake-session-token"];

fn nested() -> Value {
    json!({
        "name": "clouds",
        "azure_key_config": {
            "endpoint": "https://fake.openai.azure.com", "api_version": "2024-10-21", "client_id": "fake-client",
            "client_secret": SECRETS[0], "tenant_id": "fake-tenant",
        },
        "vertex_key_config": {
            "project_id": "fake-project", "project_number": "12", "region": "us-central1", "auth_credentials": SECRETS[1],
        },
        "bedrock_key_config": {
            "access_key": SECRETS[2], "secret_key": SECRETS[3], "session_token": SECRETS[4], "region": "us-east-1",
            "arn": "fake-arn",
        },
    })
}

fn flat() -> Value {
    json!({
        "name": "clouds",
        "azure_endpoint": { "value": "https://fake.openai.azure.com", "env_var": "", "from_env": false },
        "azure_api_version": "2024-10-21", "azure_client_id": { "value": "fake-client", "type": "plain_text" },
        "azure_client_secret": SECRETS[0], "azure_tenant_id": "fake-tenant",
        "vertex_project_id": "fake-project", "vertex_project_number": "12", "vertex_region": "us-central1",
        "vertex_auth_credentials": SECRETS[1],
        "bedrock_access_key": SECRETS[2], "bedrock_secret_key": SECRETS[3], "bedrock_session_token": SECRETS[4],
        "bedrock_region": "us-east-1", "bedrock_arn": "fake-arn",
    })
}

/// A key needs no secret of its own when its settings are all that the cloud asks for.
#[tokio::test(flavor = "multi_thread")]
async fn both_shapes_make_the_same_key_and_show_no_secret() {
    let app = App::start().await;
    for (provider, body) in [("azure", nested()), ("bedrock", flat())] {
        done(&app, "POST", PROVIDERS, json!({ "name": provider })).await;
        let path = format!("{PROVIDERS}/{provider}/keys");
        let made = done(&app, "POST", &path, body).await;
        assert_eq!(made["value"], json!({ "value": "", "env_var": "", "from_env": false }));
        assert_eq!(made["azure_key_config"]["endpoint"]["value"], "https://fake.openai.azure.com");
        assert_eq!(made["azure_key_config"]["client_id"]["value"], "fake-client");
        assert_eq!(made["azure_key_config"]["client_secret"]["value"], format!("fake{}cret", "*".repeat(24)));
        assert_eq!(made["vertex_key_config"]["project_number"]["value"], "12");
        assert_eq!(made["bedrock_key_config"]["arn"]["value"], "fake-arn");
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        for path in [one.as_str(), path.as_str(), PROVIDERS, "/api/keys"] {
            let text = String::from_utf8(app.raw("GET", path).send().await.body).unwrap();
            assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{path}: {text}");
        }
        app.raw("DELETE", &one).send().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_key_shows_them_in_both_documented_shapes() {
    let app = App::start().await;
    let mut body = nested();
    body["value"] = json!("env.PATH");
    body["azure_key_config"]["deployments"] = json!({ "gpt-4o": "gpt-4o-deployment" });
    let key = done(&app, "POST", &format!("{PROVIDERS}/demo/keys"), body).await;
    assert_eq!(key["aliases"], json!({ "gpt-4o": "gpt-4o-deployment" }));
    assert_eq!(key["azure_key_config"]["deployments"], key["aliases"]);
    let config = json!({ "provider": "demo", "key_ids": [key["id"]] });
    let made = done(&app, "POST", VIRTUAL_KEYS, json!({ "name": "x", "provider_configs": [config] })).await;
    let (older, newer) = (&made["virtual_key"]["keys"][0], &made["virtual_key"]["provider_configs"][0]["keys"][0]);
    let redacted = |text: &str| format!("{}{}{}", &text[..4], "*".repeat(24), &text[text.len() - 4..]);
    assert_eq!(newer["azure_endpoint"]["value"], "https://fake.openai.azure.com");
    assert_eq!(newer["bedrock_secret_key"]["value"], redacted(SECRETS[3]));
    assert_eq!(older["value"], "env.PATH");
    assert_eq!(
        older["azure_key_config"],
        json!({ "endpoint": "https://fake.openai.azure.com", "api_version": "2024-10-21",
                "deployments": { "gpt-4o": "gpt-4o-deployment" } })
    );
    assert_eq!(
        older["vertex_key_config"],
        json!({ "project_id": "fake-project", "region": "us-central1", "auth_credentials": redacted(SECRETS[1]) })
    );
    assert_eq!(older["bedrock_key_config"]["session_token"], redacted(SECRETS[4]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_at_its_member() {
    let app = App::start().await;
    let path = format!("{PROVIDERS}/demo/keys");
    let with = |more: Value| {
        let mut body = json!({ "name": "x", "value": "fake-secret" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, param) in [
        (
            json!({ "azure_endpoint": "https://a.example", "azure_key_config": { "endpoint": "https://b.example" } }),
            "/azure_endpoint",
        ),
        (json!({ "azure_endpoint": "a.example" }), "/azure_endpoint"),
        (json!({ "azure_key_config": { "endpoint": "http://169.254.169.254" } }), "/azure_key_config/endpoint"),
        (json!({ "azure_client_secret": "env.NOBODY_SETS_THIS" }), "/azure_client_secret"),
        (
            json!({ "vertex_key_config": { "auth_credentials": "env.KEYWARD_ROOT_KEY" } }),
            "/vertex_key_config/auth_credentials",
        ),
        (json!({ "bedrock_key_config": { "access_key": "a" } }), "/bedrock_key_config/secret_key"),
        (json!({ "bedrock_region": { "ref": "vault.region", "type": "vault" } }), "/bedrock_region"),
        (json!({ "bedrock_region": { "vaule": "x" } }), "/bedrock_region/vaule"),
        (json!({ "ollama_key_config": { "url": "ftp://x" } }), "/ollama_key_config/url"),
        (
            json!({ "azure_key_config": { "deployments": { "a": "1" }, "endpoint": "https://a.example" }, "aliases": { "a": "2" } }),
            "/azure_key_config/deployments/a",
        ),
        (json!({ "azure_key_config": [] }), "/azure_key_config"),
    ] {
        let reply = send(&app, "POST", &path, &with(more.clone())).await;
        assert_eq!((reply.status, reply.error().2.as_str()), (400, param), "{more}: {}", reply.json());
    }
    assert_eq!(app.client.key_list().await.unwrap().len(), 1);
}
