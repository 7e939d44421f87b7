//! The programs that the gateway is compared with: packages of Debian.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::process::succeed;

/// A program that people use in the place of a gateway. Its name is that of its package.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Peer {
    /// As a plain proxy, and with key check and rate limit
    Nginx,
    /// With key check and rate limit
    Haproxy,
}

impl Peer {
    pub(super) const ALL: [Self; 2] = [Self::Nginx, Self::Haproxy];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
        }
    }

    /// Where it is installed, if it is. Debian keeps it in a directory that is not in everybody's PATH.
    pub(super) fn find(self) -> Option<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        let directories = env::split_paths(&path).chain([Path::new("/usr/sbin").to_owned()]);
        directories.map(|directory| directory.join(self.name())).find(|program| program.is_file())
    }
}

/// How to get those that are missing.
pub(super) const HOW_TO_GET: &str = "cargo xtask bench peers --install (Debian, as root)";

/// Says which there are, and installs the others if that is wanted.
pub(super) fn run(install: bool) -> Result<()> {
    let missing = missing();
    if install && !missing.is_empty() {
        apt_get(&missing)?;
    }
    for peer in Peer::ALL {
        match peer.find() {
            Some(program) => println!("{}: {}", peer.name(), program.display()),
            None => println!("{}: not installed", peer.name()),
        }
    }
    Ok(())
}

fn missing() -> Vec<&'static str> {
    Peer::ALL.into_iter().filter(|peer| peer.find().is_none()).map(Peer::name).collect()
}

fn apt_get(packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    let asks = |program: &str, argument: &str| Command::new(program).arg(argument).stderr(Stdio::null()).output();
    if asks("apt-get", "--version").is_err() {
        bail!("this is no Debian: install {} in its own way", packages.join(" and "));
    }
    if !asks("id", "-u").is_ok_and(|id| id.stdout == b"0\n") {
        bail!("only root may install: {by_hand}");
    }
    // In this runlevel packages do not start the services that they bring: none is needed, and one would take port 80.
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
    succeed(install.args(["install", "--yes", "--no-install-recommends"]).args(packages))
}
