//! Secrets are sealed with the root key, and only that key opens them.

use std::os::unix::fs::PermissionsExt as _;

use keyward_core::ids::McpClientId;
use keyward_core::invalid::Pointer;
use keyward_core::limits::Edit;
use keyward_core::mcp_client::{McpClient, McpClientDraft, UpdateMcpClient};
use keyward_core::provider::{ProviderKey, ProviderKeyDraft, UpdateProviderKey};
use keyward_core::secret::SecretSource;
use keyward_store::{Reveal, StoreError};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::database::{Database, ROOT_KEY};
use crate::request::{self, change, create, provider};

const OTHER_KEY: &str = "//////////////////////////////////////////8=";

/// Everything that is stored, as bytes or as PostgreSQL prints it.
fn raw(database: &Database) -> Vec<Vec<u8>> {
    if database.is_postgres() {
        let tables = keyward_store::TABLES.into_iter().flatten();
        let dump = |table: &str| database.lines(&format!("SELECT t::text AS line FROM {table} t"));
        return tables.flat_map(|(table, _)| dump(table)).map(String::into_bytes).collect();
    }
    let files = std::fs::read_dir(database.directory.path().join("made")).unwrap();
    files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_readable_in_the_database() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    request::providers(&store).await;
    let key = create(&store, json!({"name": "findable"})).await.unwrap();
    let stored = raw(&database);
    let has = |needle: &[u8]| stored.iter().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle));
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(has(b"findable"), "the test reads what is stored");
    for secret in ["sk-upstream-a", key.value.expose(), ROOT_KEY] {
        assert!(!has(secret.as_bytes()) && !has(hex(secret).as_bytes()), "{secret}");
    }
}

/// A provider and its key with a secret in every member that can have one.
fn secretive() -> (Value, [&'static str; 7]) {
    let secrets = [
        "fake-own-secret",
        "fake-client-secret",
        "fake-service-account",
        "fake-access-key",
        "fake-secret-key",
        "fake-session-token",
        "fake-header-secret",
    ];
    let [own, client, account, access, secret, session, header] = secrets;
    let key = json!({
        "name": "k", "value": own, "vertex_auth_credentials": account,
        "azure_key_config": { "client_id": "readable-client", "client_secret": client, "tenant_id": "readable-tenant" },
        "bedrock_key_config": { "access_key": access, "secret_key": secret, "session_token": session },
    });
    let network = json!({ "extra_headers": { "x-token": header, "x-team": "readable-team" } });
    (json!({ "name": "openai", "network_config": network, "keys": [key] }), secrets)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_provider_is_readable_in_the_database() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let (request, secrets) = secretive();
    let made = store.provider_create(change("provider_create"), provider(request)).await.unwrap();
    // An edit that keeps them all writes them again.
    let renamed: UpdateProviderKey = serde_json::from_value(json!({ "vertex_region": "readable-region" })).unwrap();
    let edit = move |key: &ProviderKey| renamed.apply(key, &Pointer::ROOT);
    let (name, id) = (made.name.clone(), made.keys[0].id.clone());
    store.provider_key_update(change("provider_key_update"), name, id, edit).await.unwrap();
    let stored = raw(&database);
    let has = |needle: &[u8]| stored.iter().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle));
    for readable in ["readable-client", "readable-tenant", "readable-team", "readable-region"] {
        assert!(has(readable.as_bytes()), "the test reads what is stored: {readable}");
    }
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for secret in secrets {
        assert!(!has(secret.as_bytes()) && !has(hex(secret).as_bytes()), "{secret}");
    }
    let headers = store.upstream_headers().await.unwrap().remove(&made.name).unwrap();
    assert_eq!(headers["x-token"], SecretSource::from_text("fake-header-secret"));
    assert_eq!(headers["x-team"], SecretSource::from_text("readable-team"));
    assert_eq!(store.upstream_keys().await.unwrap()[0].secret, Some(SecretSource::from_text("fake-own-secret")));
}

/// A client with a secret in every member that can have one.
fn client(name: &str) -> McpClientDraft {
    let request: UpdateMcpClient = serde_json::from_value(json!({
        "name": name, "connection_type": "http", "connection_string": format!("https://fake-address-{name}/mcp"),
        "headers": { "x-token": format!("fake-header-secret-{name}") },
    }))
    .unwrap();
    request.make(&mut Edit { now: request::now(), mint: &mut Uuid::new_v4 }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_an_mcp_client_is_readable_in_the_database_and_none_opens_elsewhere() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let one = store.mcp_client_create(change("mcp_client_create"), client("one")).await.unwrap().config;
    let two = store.mcp_client_create(change("mcp_client_create"), client("two")).await.unwrap().config;
    let update = async |id: &McpClientId| {
        let edit = |existing: &McpClient, now| {
            let request: UpdateMcpClient = serde_json::from_value(json!({ "disabled": true })).unwrap();
            request.apply(existing, &Edit { now, mint: &mut Uuid::new_v4 })
        };
        store.mcp_client_update(change("mcp_client_update"), id.clone(), None, edit).await
    };
    // An edit that keeps them all writes them again.
    assert_eq!(update(&one.client_id).await.unwrap().config.headers, one.headers);
    let stored = raw(&database);
    let has = |needle: &[u8]| stored.iter().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle));
    assert!(has(one.client_id.as_str().as_bytes()), "the test reads what is stored");
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for secret in ["fake-address-one", "fake-header-secret-one"] {
        assert!(!has(secret.as_bytes()) && !has(hex(secret).as_bytes()), "{secret}");
    }
    let servers = store.mcp_servers().await.unwrap();
    let secret = |text: &str| SecretSource::from_text(text);
    assert_eq!(servers[0].address, Some(secret("https://fake-address-one/mcp")));
    assert_eq!(
        (&servers[1].client, servers[1].headers.get("x-token")),
        (&two, Some(&secret("fake-header-secret-two")))
    );
    let (from, to) = (&one.client_id, &two.client_id);
    database.execute(&format!(
        "UPDATE mcp_clients SET connection_sealed = (SELECT connection_sealed FROM mcp_clients WHERE id = '{from}') WHERE id = '{to}'"
    ));
    assert!(matches!(update(to).await, Err(StoreError::Internal(_))));
    assert!(matches!(store.mcp_servers().await, Err(StoreError::Internal(_))));
}

/// The secrets of one key's settings do not open at another key.
#[tokio::test(flavor = "multi_thread")]
async fn moved_settings_do_not_open() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let key = |name: &str| json!({ "name": name, "vertex_auth_credentials": format!("fake-account-{name}") });
    let request = json!({ "name": "vertex", "keys": [key("a"), key("b")] });
    let made = store.provider_create(change("provider_create"), provider(request)).await.unwrap();
    let (from, to) = (&made.keys[0].id, &made.keys[1].id);
    database.execute(&format!(
        "UPDATE provider_keys SET settings_sealed = (SELECT settings_sealed FROM provider_keys WHERE id = '{from}') WHERE id = '{to}'"
    ));
    let edit = |key: &ProviderKey| Ok(ProviderKeyDraft::kept(key));
    let moved = store.provider_key_update(change("provider_key_update"), made.name.clone(), to.clone(), edit).await;
    assert!(matches!(moved, Err(StoreError::Internal(_))), "{moved:?}");
    store.provider_key_update(change("provider_key_update"), made.name, from.clone(), edit).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_root_key_is_refused() {
    let database = Database::fresh();
    database.open().await.unwrap().close().await.unwrap();
    assert!(matches!(database.open_with(Some(OTHER_KEY)).await, Err(StoreError::WrongRootKey)));
    assert!(database.open().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_secret_does_not_open() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let [one, two] =
        [create(&store, json!({"name": "1"})).await.unwrap(), create(&store, json!({"name": "2"})).await.unwrap()];
    database.execute(&format!(
        "UPDATE virtual_keys SET value_sealed = (SELECT value_sealed FROM virtual_keys WHERE id = '{}') WHERE id = '{}'",
        one.id, two.id
    ));
    assert!(store.virtual_key_get(one.id, Reveal::Full).await.is_ok());
    assert!(matches!(store.virtual_key_get(two.id.clone(), Reveal::Full).await, Err(StoreError::Internal(_))));
    assert!(store.virtual_key_get(two.id, Reveal::Redacted).await.is_ok(), "the sealed value is not even read");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_root_key_sqlite_generates_one_and_postgresql_asks_for_one() {
    let database = Database::fresh();
    let opened = database.open_with(None).await;
    if database.is_postgres() {
        let error = opened.unwrap_err();
        assert!(matches!(error, StoreError::RootKeyMissing));
        assert!(error.to_string().contains("KEYWARD_ROOT_KEY"));
        return;
    }
    let key = create(&opened.unwrap(), json!({"name": "x"})).await.unwrap();
    let again = database.open_with(None).await.unwrap().virtual_key_get(key.id, Reveal::Full).await.unwrap();
    assert_eq!(again.value, key.value);
    let key_file = format!("{}.root-key", database.path());
    for file in [&key_file, database.path()] {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    std::fs::write(&key_file, "not a key").unwrap();
    assert!(matches!(database.open_with(None).await, Err(StoreError::File { .. })));
    std::fs::remove_file(&key_file).unwrap();
    assert!(matches!(database.open_with(None).await, Err(StoreError::RootKeyLost { .. })));
    assert!(!std::fs::exists(&key_file).unwrap(), "no second key for a sealed database");
}
