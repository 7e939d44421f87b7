//! Secrets are sealed with the root key, and only that key opens them.

use std::os::unix::fs::PermissionsExt as _;

use keyward_store::{Reveal, StoreError};
use serde_json::json;

use crate::database::{Database, ROOT_KEY};
use crate::request::{self, create};

const OTHER_KEY: &str = "//////////////////////////////////////////8=";

/// Everything that is stored, as bytes or as PostgreSQL prints it.
fn raw(database: &Database) -> Vec<Vec<u8>> {
    if database.is_postgres() {
        let tables = keyward_store::TABLES.iter();
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
