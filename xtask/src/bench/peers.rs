//! The programs that the gateway is compared with: packages of Debian, and, pinned, of PyPI and npm below `target/peers/`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::packages;
use crate::process::{root, succeed};

/// A program that people use in the place of a gateway.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Peer {
    /// As a plain proxy, and with key check and rate limit
    Nginx,
    /// With key check and rate limit
    Haproxy,
    /// With neither key nor limit, which it does not have
    Portkey,
    /// With its master key and limits of the model
    Litellm,
}

impl Peer {
    pub(super) const ALL: [Self; 4] = [Self::Nginx, Self::Haproxy, Self::Portkey, Self::Litellm];
    /// Those that the gateway is compared with unless others are wanted: they take a few minutes only.
    pub(super) const FAST: [Self; 2] = [Self::Nginx, Self::Haproxy];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Portkey => "portkey",
            Self::Litellm => "litellm",
        }
    }

    /// Where it is installed, if it is.
    pub(super) fn find(self) -> Option<PathBuf> {
        match self {
            Self::Nginx | Self::Haproxy => {
                // Debian keeps it in a directory that is not in everybody's PATH.
                let path = env::var_os("PATH").unwrap_or_default();
                let directories = env::split_paths(&path).chain([Path::new("/usr/sbin").to_owned()]);
                directories.map(|directory| directory.join(self.name())).find(|program| program.is_file())
            }
            Self::Portkey => {
                Some(home().join("node").join("node_modules").join(".bin").join("gateway")).filter(|path| path.exists())
            }
            Self::Litellm => Some(home().join("venv").join("bin").join("litellm")).filter(|path| path.exists()),
        }
    }

    fn install(self) -> Result<()> {
        let sources = root().join("crates").join("bench").join("peers");
        match self {
            Self::Nginx | Self::Haproxy => apt_get(self.name()),
            Self::Portkey => packages::node(&sources, &home()),
            Self::Litellm => packages::python(&sources, &home()),
        }
    }
}

/// How to get those that are missing.
pub(super) const HOW_TO_GET: &str = "cargo xtask bench peers --install";

/// Installs those that are missing, and those of which another version is wanted. Returns the names of those that could not be.
pub(super) fn install() -> Result<Vec<&'static str>> {
    fs::create_dir_all(home())?;
    let mut failed = Vec::new();
    for peer in Peer::ALL {
        // A package of Debian that is there is left as it is.
        if Peer::FAST.contains(&peer) && peer.find().is_some() {
            continue;
        }
        if let Err(error) = peer.install() {
            println!("{}: not installed: {error:#}", peer.name());
            failed.push(peer.name());
        }
    }
    Ok(failed)
}

/// Says which there are.
pub(super) fn tell() {
    for peer in Peer::ALL {
        match peer.find() {
            Some(program) => println!("{}: {}", peer.name(), program.display()),
            None => println!("{}: not installed; {HOW_TO_GET}", peer.name()),
        }
    }
}

fn home() -> PathBuf {
    root().join("target").join("peers")
}

fn apt_get(package: &str) -> Result<()> {
    let asks = |program: &str, argument: &str| Command::new(program).arg(argument).stderr(Stdio::null()).output();
    if asks("apt-get", "--version").is_err() {
        bail!("this is no Debian: install {package} in its own way");
    }
    if !asks("id", "-u").is_ok_and(|id| id.stdout == b"0\n") {
        bail!("only root may install: apt-get install --no-install-recommends {package}");
    }
    // In this runlevel packages do not start the services that they bring: none is needed, and one would take port 80.
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
    succeed(install.args(["install", "--yes", "--no-install-recommends", package]))
}
