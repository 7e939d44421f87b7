//! A fresh database for one test.

use tempfile::TempDir;
use tokio_postgres::NoTls;
use uuid::Uuid;

/// Lives as long as the test.
pub struct Database {
    pub url: String,
    /// The server's own URL and the database's name there.
    server: Option<(String, String)>,
    directory: TempDir,
}

impl Database {
    #[expect(clippy::disallowed_methods, reason = "which server to use is the environment's to say")]
    pub async fn fresh() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let Ok(server) = std::env::var("KEYWARD_TEST_POSTGRES_URL") else {
            let url = format!("sqlite://{}", directory.path().join("keyward.db").display());
            return Self { url, server: None, directory };
        };
        let name = format!("keyward_test_{}", Uuid::new_v4().simple());
        execute(&server, format!("CREATE DATABASE {name}")).await;
        let (base, _) = server.rsplit_once('/').unwrap();
        Self { url: format!("{base}/{name}"), server: Some((server, name)), directory }
    }
}

impl Database {
    /// A directory that lives as long.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub const fn is_postgres(&self) -> bool {
        self.server.is_some()
    }

    /// Runs a statement behind the server's back; only PostgreSQL lets us.
    pub async fn execute(&self, sql: &str) {
        execute(&self.url, sql.to_owned()).await;
    }
}

impl Drop for Database {
    /// On a thread with a runtime of its own: a test's runtime cannot be waited on from within.
    fn drop(&mut self) {
        let Some((server, name)) = self.server.take() else { return };
        let drop = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(execute(&server, format!("DROP DATABASE {name} WITH (FORCE)")));
        };
        std::thread::spawn(drop).join().unwrap();
    }
}

async fn execute(url: &str, sql: String) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let driving = tokio_util::task::TaskTracker::new();
    driving.spawn(connection);
    client.batch_execute(&sql).await.unwrap();
}
