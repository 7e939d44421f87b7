//! What people would use instead, each as near to a virtual key with limits as it comes without a database.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::subject::{Pace, Subject};
use crate::load;
use crate::rig::{Program, Surroundings, filled, free_address, logged, version};

/// The one key that they know.
const KEY: &str = "sk-bf-00000000-0000-4000-8000-000000000000";
/// How long a peer may take until it listens: a Python program with a hundred packages takes its time.
const PATIENCE: Duration = Duration::from_secs(180);

const NGINX: &str = include_str!("../../peers/nginx.conf");
const HAPROXY: &str = include_str!("../../peers/haproxy.cfg");
const LITELLM: &str = include_str!("../../peers/litellm.yaml");
const PORTKEY: &str = include_str!("../../peers/portkey.json");

/// Where the peers are; one that is not given is not measured.
#[derive(clap::Args)]
pub(super) struct Peers {
    /// nginx's binary
    #[arg(long)]
    nginx: Option<PathBuf>,
    /// haproxy's binary
    #[arg(long)]
    haproxy: Option<PathBuf>,
    /// The program that starts Portkey's gateway
    #[arg(long)]
    portkey: Option<PathBuf>,
    /// The program that starts LiteLLM's proxy
    #[arg(long)]
    litellm: Option<PathBuf>,
}

impl Peers {
    /// Starts those that are given. What cannot be measured, of one or of all of one, is told with the reason.
    pub(super) async fn start(
        &self,
        upstream: SocketAddr,
        around: Surroundings<'_>,
        not_measured: &mut Vec<String>,
    ) -> Vec<Subject> {
        let mut started = Vec::new();
        if let Some(binary) = &self.nginx {
            started.push(("nginx", nginx(binary, upstream, around).await));
        }
        if let Some(binary) = &self.haproxy {
            started.push(("haproxy", haproxy(binary, upstream, around).await));
        }
        if let Some(binary) = &self.portkey {
            started.push(("portkey", portkey(binary, upstream, around).await));
        }
        if let Some(binary) = &self.litellm {
            started.push(("litellm", litellm(binary, upstream, around).await));
        }
        let mut all = Vec::new();
        for (name, subjects) in started {
            match subjects {
                Err(error) => not_measured.push(format!("{name}: {error:#}")),
                Ok(subjects) => {
                    for subject in subjects {
                        all.extend(tried(subject, not_measured).await);
                    }
                }
            }
        }
        all
    }
}

/// A subject that has answered each of its calls once. One that only its streams fail of is measured without them.
async fn tried(subject: Subject, not_measured: &mut Vec<String>) -> Option<Subject> {
    if let Err(error) = load::once(subject.address, &subject.completions).await {
        not_measured.push(format!("{}: {error:#}", subject.name));
        return None;
    }
    match load::once(subject.address, &subject.streams).await {
        Ok(()) => Some(subject),
        Err(error) => {
            not_measured.push(format!("{}, streams: {error:#}", subject.name));
            Some(Subject { streams: Vec::new().into(), ..subject })
        }
    }
}

/// nginx twice: as a plain proxy, and with key check and rate limit. It is one process that listens on two ports.
async fn nginx(binary: &Path, upstream: SocketAddr, around: Surroundings<'_>) -> Result<Vec<Subject>> {
    let (plain, governed) = (free_address()?, free_address()?);
    let addresses = [("upstream", upstream), ("plain", plain), ("governed", governed)];
    let file = write(NGINX, &addresses, around.directory, "nginx.conf")?;
    let mut command = logged(binary, &around.logs.join("nginx.log"))?;
    let prefix = around.directory.display().to_string();
    command.args(["-e", "stderr", "-p", &prefix, "-c"]).arg(file);
    let mut program = Program::new(around.cores.start_gateway(&mut command)?);
    program.listens(plain, PATIENCE).await?;
    program.listens(governed, PATIENCE).await?;
    let (program, version) = (Rc::new(program), version(binary, "-v")?);
    let subject =
        |name, address| Subject::gateway(name, version.clone(), address, &[KEY.to_owned()]).run_by(program.clone());
    let plain = Subject { refusals: Vec::new(), ..subject("nginx", plain) };
    Ok(vec![plain, subject("nginx, key and limit", governed)])
}

/// haproxy with key check and rate limit.
async fn haproxy(binary: &Path, upstream: SocketAddr, around: Surroundings<'_>) -> Result<Vec<Subject>> {
    let governed = free_address()?;
    let file = write(HAPROXY, &[("upstream", upstream), ("governed", governed)], around.directory, "haproxy.cfg")?;
    let mut command = logged(binary, &around.logs.join("haproxy.log"))?;
    let mut program = Program::new(around.cores.start_gateway(command.args(["-db", "-f"]).arg(file))?);
    program.listens(governed, PATIENCE).await?;
    let subject = Subject::gateway("haproxy, key and limit", version(binary, "-v")?, governed, &[KEY.to_owned()]);
    Ok(vec![subject.run_by(Rc::new(program))])
}

/// Portkey's gateway. It has neither keys nor limits: every request says which provider is asked, and with which key.
async fn portkey(binary: &Path, upstream: SocketAddr, around: Surroundings<'_>) -> Result<Vec<Subject>> {
    // The program is a link into its package.
    let program = fs::canonicalize(binary)?;
    let package = program.parent().and_then(Path::parent).context("it is in no package")?.join("package.json");
    let package: Value = serde_json::from_str(&fs::read_to_string(package)?)?;
    let version = format!("Portkey gateway {}", package.get("version").and_then(Value::as_str).unwrap_or_default());
    let address = free_address()?;
    let mut command = logged(binary, &around.logs.join("portkey.log"))?;
    // Else it refuses to ask this machine.
    command.env("TRUSTED_CUSTOM_HOSTS", "127.0.0.1").args(["--headless", &format!("--port={}", address.port())]);
    let mut program = Program::new(around.cores.start_gateway(&mut command)?);
    program.listens(address, PATIENCE).await?;
    let config: Value = serde_json::from_str(&filled(PORTKEY, &[("upstream", &upstream.to_string())])?)?;
    let headers = [("x-portkey-config", config.to_string())];
    let subject = Subject::rewriting("portkey, neither key nor limit", version, address, KEY, &headers);
    let slower = Pace { connections: 64, requests_per_second: 100, streams_per_second: 10 };
    Ok(vec![subject.at(slower).run_by(Rc::new(program))])
}

/// LiteLLM's proxy with its master key and limits of the model. Its virtual keys need a database.
async fn litellm(binary: &Path, upstream: SocketAddr, around: Surroundings<'_>) -> Result<Vec<Subject>> {
    let address = free_address()?;
    let file = write(LITELLM, &[("upstream", upstream)], around.directory, "litellm.yaml")?;
    let mut command = logged(binary, &around.logs.join("litellm.log"))?;
    // What it knows of prices it would fetch.
    command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True").env("LITELLM_LOG", "ERROR").arg("--config").arg(file);
    command.args(["--host", "127.0.0.1", "--port", &address.port().to_string()]);
    command.args(["--num_workers", "1", "--telemetry", "False"]);
    let mut program = Program::new(around.cores.start_gateway(&mut command)?);
    program.listens(address, PATIENCE).await?;
    let subject = Subject::rewriting("litellm, key and limit", version(binary, "--version")?, address, KEY, &[]);
    let slower = Pace { connections: 16, requests_per_second: 20, streams_per_second: 2 };
    Ok(vec![subject.at(slower).run_by(Rc::new(program))])
}

fn write(template: &str, addresses: &[(&str, SocketAddr)], directory: &Path, name: &str) -> Result<PathBuf> {
    let addresses: Vec<_> = addresses.iter().map(|(name, address)| (*name, address.to_string())).collect();
    let mut values: Vec<_> = addresses.iter().map(|(name, address)| (*name, address.as_str())).collect();
    values.push(("key", KEY));
    let file = directory.join(name);
    fs::write(&file, filled(template, &values)?)?;
    Ok(file)
}
