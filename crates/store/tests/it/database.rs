//! A fresh database for one test, and raw access to it behind the store's back.

use diesel::connection::{LoadConnection, SimpleConnection};
use diesel::deserialize::FromSql;
use diesel::query_builder::{QueryFragment, SqlQuery};
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use keyward_store::{RootKey, Store, StoreError, StoreOptions};
use tempfile::TempDir;

type Postgres = AsyncConnectionWrapper<AsyncPgConnection>;

/// The root key of tests that do not ask for another.
pub(crate) const ROOT_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Lives as long as the test.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) directory: TempDir,
    /// The server's own URL and the database's name there.
    server: Option<(String, String)>,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Database {
    #[expect(clippy::disallowed_methods, reason = "which server to use is the environment's to say")]
    pub(crate) fn fresh() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let Ok(server) = std::env::var("KEYWARD_TEST_POSTGRES_URL") else {
            let url = format!("sqlite://{}", directory.path().join("made/keyward.db").display());
            return Self { url, directory, server: None };
        };
        let name = format!("keyward_test_{}", uuid::Uuid::new_v4().simple());
        on_postgres(&server, format!("CREATE DATABASE {name}"));
        let (base, _) = server.rsplit_once('/').unwrap();
        Self { url: format!("{base}/{name}"), directory, server: Some((server, name)) }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.server.is_some()
    }

    pub(crate) async fn open(&self) -> Result<Store, StoreError> {
        self.open_with(Some(ROOT_KEY)).await
    }

    pub(crate) async fn open_with(&self, root_key: Option<&str>) -> Result<Store, StoreError> {
        let root_key = root_key.map(|text| RootKey::from_base64(text).unwrap());
        Store::open(StoreOptions { url: self.url.clone(), root_key }).await
    }

    /// Runs statements.
    pub(crate) fn execute(&self, sql: &str) {
        match &self.server {
            Some(_) => on_postgres(&self.url, sql.to_owned()),
            None => SqliteConnection::establish(self.path()).unwrap().batch_execute(sql).unwrap(),
        }
    }

    /// The column `line` of a query, as text.
    pub(crate) fn lines(&self, sql: &str) -> Vec<String> {
        match &self.server {
            Some(_) => {
                let (url, sql) = (self.url.clone(), sql.to_owned());
                apart(move || select(&mut Postgres::establish(&url).unwrap(), &sql))
            }
            None => select(&mut SqliteConnection::establish(self.path()).unwrap(), sql),
        }
    }

    /// The path of the SQLite file.
    pub(crate) fn path(&self) -> &str {
        self.url.strip_prefix("sqlite://").unwrap()
    }
}

fn select<C>(connection: &mut C, sql: &str) -> Vec<String>
where
    C: LoadConnection,
    C::Backend: diesel::internal::derives::multiconnection::DieselReserveSpecialization + 'static,
    SqlQuery: QueryFragment<C::Backend>,
    String: FromSql<Text, C::Backend>,
{
    let lines: Vec<Line> = diesel::sql_query(sql).load(connection).unwrap();
    lines.into_iter().map(|line| line.line).collect()
}

fn on_postgres(url: &str, sql: String) {
    let url = url.to_owned();
    apart(move || Postgres::establish(&url).unwrap().batch_execute(&sql).unwrap());
}

/// On a thread without a runtime: the connection then drives itself.
fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::spawn(work).join().unwrap()
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.server {
            on_postgres(server, format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}
