//! A PostgreSQL server of our own: made in a temporary directory, on a free port, stopped and removed when dropped.
//!
//! PostgreSQL refuses to run as root; it then runs as `postgres` or `nobody`. It gives up durability for speed, so
//! that nothing but tests may use it.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::{probe, url};

const USER: &str = "postgres";
const START_TIMEOUT: Duration = Duration::from_secs(60);
const SETTINGS: [&str; 6] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=300",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
];

/// The directory of `initdb`, `postgres` and `pg_ctl`.
pub(crate) struct Programs(PathBuf);

pub(crate) struct Cluster {
    server: Child,
    directory: Directory,
    stop: Command,
    url: String,
}

/// Who owns the files and runs the server, if not the current user.
#[derive(Clone, Copy)]
struct Owner {
    user: u32,
    group: u32,
}

struct Directory {
    path: TempDir,
    owner: Option<Owner>,
}

impl Programs {
    /// The first of these directories that has all three programs.
    pub(crate) fn find(directories: Vec<PathBuf>) -> Option<Self> {
        let complete = |path: &PathBuf| ["initdb", "postgres", "pg_ctl"].iter().all(|name| path.join(name).is_file());
        directories.into_iter().find(complete).map(Self)
    }

    /// One of the programs, as the directory's owner, silent but for its log.
    fn command(&self, name: &str, directory: &Directory) -> Result<Command> {
        let log = File::options().create(true).append(true).open(directory.log())?;
        let mut command = Command::new(self.0.join(name));
        command.env("LC_ALL", "C").current_dir(directory.path.path()).arg("-D").arg(directory.data());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        if let Some(Owner { user, group }) = directory.owner {
            command.uid(user).gid(group);
        }
        Ok(command)
    }
}

impl Directory {
    fn create() -> Result<Self> {
        let path = tempfile::Builder::new().prefix("keyward-postgres-").tempdir()?;
        let runs_as_root = path.path().metadata()?.uid() == 0;
        let owner = if runs_as_root { Some(unprivileged_owner()?) } else { None };
        if let Some(Owner { user, group }) = owner {
            chown(path.path(), Some(user), Some(group))?;
        }
        Ok(Self { path, owner })
    }

    fn data(&self) -> PathBuf {
        self.path.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.path.path().join("log")
    }

    /// An error that ends with what the programs said.
    fn error(&self, what: &str) -> anyhow::Error {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        anyhow::anyhow!("{what}:\n{}", lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n"))
    }
}

impl Cluster {
    /// Makes a cluster, starts it, and waits until it answers.
    pub(crate) fn start(programs: &Programs) -> Result<Self> {
        let directory = Directory::create()?;
        let mut make = programs.command("initdb", &directory)?;
        make.args(["--username", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        if !make.status().context("cannot start initdb")?.success() {
            return Err(directory.error("initdb failed"));
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut serve = programs.command("postgres", &directory)?;
        serve.arg("-p").arg(port.to_string()).args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        let mut stop = programs.command("pg_ctl", &directory)?;
        stop.args(["stop", "--mode=immediate", "--silent"]);
        let server = serve.spawn().context("cannot start postgres")?;
        let mut cluster = Self { server, directory, stop, url: url(USER, port) };
        cluster.wait(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        Ok(cluster)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn wait(&mut self, address: SocketAddr) -> Result<()> {
        let start = Instant::now();
        while !probe::accepts(address, USER) {
            if let Some(status) = self.server.try_wait()? {
                return Err(self.directory.error(&format!("postgres ended with {status}")));
            }
            if start.elapsed() > START_TIMEOUT {
                return Err(self.directory.error("postgres does not answer"));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Only an orderly stop takes the server's own children and its shared memory along.
        let stopped = self.stop.status().is_ok_and(|status| status.success());
        if !stopped {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}

fn unprivileged_owner() -> Result<Owner> {
    let accounts = fs::read_to_string(Path::new("/etc/passwd")).context("cannot read /etc/passwd")?;
    let Some(owner) = [USER, "nobody"].iter().find_map(|name| owner(&accounts, name)) else {
        bail!("PostgreSQL does not run as root, and there is neither a user postgres nor nobody");
    };
    Ok(owner)
}

/// One account of a passwd file.
fn owner(accounts: &str, name: &str) -> Option<Owner> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next()? == name;
        let user = fields.nth(1)?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        found.then_some(Owner { user, group })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts =
            "root:x:0:0:root:/root:/bin/bash\npostgres2:x:7:8::/:/bin/sh\npostgres:x:105:113:,,,:/var:/bin/sh\n";
        let found = owner(accounts, "postgres").map(|owner| (owner.user, owner.group));
        assert_eq!(found, Some((105, 113)));
        assert!(owner(accounts, "nobody").is_none());
    }

    #[test]
    fn programs_are_found_only_together() {
        let directory = tempfile::tempdir().unwrap();
        File::create(directory.path().join("initdb")).unwrap();
        File::create(directory.path().join("postgres")).unwrap();
        assert!(Programs::find(vec![directory.path().to_owned()]).is_none());
        File::create(directory.path().join("pg_ctl")).unwrap();
        assert!(Programs::find(vec![directory.path().to_owned()]).is_some());
    }
}
