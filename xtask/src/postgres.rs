//! A PostgreSQL server for the tests: the one that is named, one that lives as long as they, or the one that runs here.

mod cluster;
mod probe;

use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;

use cluster::{Cluster, Programs};

/// What to do when there is no server.
pub(crate) const HOW_TO_GET: &str = "no PostgreSQL: install it (Debian: apt-get install postgresql)";

/// Where a server listens when nothing was configured.
const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5432);

/// A server whose user may create databases.
pub(crate) enum Server {
    /// Named by the environment.
    Named(String),
    /// Found on this machine, without a password.
    Running(String),
    /// Started for this run; it stops when this value is dropped.
    Temporary(Box<Cluster>),
}

impl Server {
    /// Looks in the variable, then for programs to start, then for one that runs on this machine; `None` if there is neither. One of
    /// their own waits for no disk: tests make a database each, which takes a server that is careful a second or two.
    pub(crate) fn find(variable: &str) -> Result<Option<Self>> {
        if let Some(url) = env::var(variable).ok().filter(|url| !url.is_empty()) {
            return Ok(Some(Self::Named(url)));
        }
        if let Some(temporary) = Self::temporary()? {
            return Ok(Some(temporary));
        }
        let users = ["postgres".to_owned(), env::var("USER").unwrap_or_default()];
        let user = users.iter().find(|user| probe::accepts(LOCAL, user));
        Ok(user.map(|user| Self::Running(url(user, LOCAL.port()))))
    }

    /// One with an empty database, that lives as long as this value; `None` if there are no programs to start it.
    pub(crate) fn temporary() -> Result<Option<Self>> {
        let Some(programs) = Programs::find(search_path()) else { return Ok(None) };
        Ok(Some(Self::Temporary(Box::new(Cluster::start(&programs)?))))
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Named(url) | Self::Running(url) => url,
            Self::Temporary(cluster) => cluster.url(),
        }
    }

    /// Where it comes from, without the password that a named one may have.
    pub(crate) fn origin(&self) -> String {
        match self {
            Self::Named(_) => "the server that the environment names".to_owned(),
            Self::Running(url) => format!("{url}, which runs on this machine"),
            Self::Temporary(cluster) => format!("{}, started for this run", cluster.url()),
        }
    }
}

fn url(user: &str, port: u16) -> String {
    format!("postgres://{user}@127.0.0.1:{port}/postgres")
}

/// PATH, then the directories where Debian keeps the server's programs, newest version first.
fn search_path() -> Vec<PathBuf> {
    let mut directories: Vec<_> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = versions.map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    directories.extend(versions.iter().rev().map(|path| path.join("bin")));
    directories
}
