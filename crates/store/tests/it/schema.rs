//! The schema: both backends have exactly the tables and columns that the queries know.

use std::collections::BTreeSet;

use keyward_store::{StoreError, TABLES};

use crate::database::Database;

#[tokio::test(flavor = "multi_thread")]
async fn the_migrations_make_exactly_the_columns_that_the_queries_use() {
    let database = Database::fresh();
    let _store = database.open().await.unwrap();
    let query = if database.is_postgres() {
        "SELECT table_name || '.' || column_name AS line FROM information_schema.columns JOIN information_schema.tables \
         USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    } else {
        "SELECT t.name || '.' || c.name AS line FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'"
    };
    let found = database.lines(query).into_iter();
    // Those of the migrations, of SQLite, and of the lock that is taken before there is a schema.
    let others = ["__diesel", "sqlite_", "serving_turn."];
    let found: BTreeSet<String> = found.filter(|name| !others.iter().any(|other| name.starts_with(other))).collect();
    let known = TABLES
        .into_iter()
        .flatten()
        .flat_map(|(table, columns)| columns.iter().map(move |column| format!("{table}.{column}")));
    assert_eq!(found, known.collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_left_alone() {
    let database = Database::fresh();
    database.open().await.unwrap().close().await.unwrap();
    database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')");
    let error = database.open().await.unwrap_err();
    assert!(matches!(&error, StoreError::SchemaNewer { version } if version == "29990101000000"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_applied_schema_is_named() {
    for damage in ["DROP TABLE retired_meters", "ALTER TABLE retired_meters DROP COLUMN epoch"] {
        let database = Database::fresh();
        database.open().await.unwrap().close().await.unwrap();
        database.execute(damage);
        let error = database.open().await.unwrap_err();
        assert!(matches!(&error, StoreError::SchemaDamaged { what } if what.contains("retired_meters")), "{error}");
    }
    let database = Database::fresh();
    database.open().await.unwrap().close().await.unwrap();
    database.execute("DELETE FROM __diesel_schema_migrations");
    assert!(matches!(database.open().await, Err(StoreError::SchemaDamaged { .. })), "its tables are there already");
}
