//! nginx and haproxy, as near to a virtual key with limits as they come: a key check, and a rate limit that is counted for each key and
//! never reached.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;

use super::program::{Program, filled, free_address, logged, version};
use super::subject::{Subject, Surroundings};

/// The one key that they know.
const KEY: &str = "sk-bf-00000000-0000-4000-8000-000000000000";

const NGINX: &str = include_str!("../../peers/nginx.conf");
const HAPROXY: &str = include_str!("../../peers/haproxy.cfg");

/// nginx twice: as a plain proxy, and with key check and rate limit. It is one process that listens on two ports.
pub(super) async fn nginx(binary: &Path, upstream: SocketAddr, around: &Surroundings<'_>) -> Result<[Subject; 2]> {
    let (plain, governed) = (free_address()?, free_address()?);
    let addresses = [("upstream", upstream), ("plain", plain), ("governed", governed)];
    let file = write(NGINX, &addresses, around.directory, "nginx.conf")?;
    let mut command = logged(binary, &around.logs.join("nginx.log"))?;
    let prefix = around.directory.display().to_string();
    command.args(["-e", "stderr", "-p", &prefix, "-c"]).arg(file);
    let mut program = Program::new(around.cores.start_gateway(&mut command)?);
    program.listens(plain).await?;
    program.listens(governed).await?;
    let (program, version) = (Rc::new(program), version(binary, "-v")?);
    let subject =
        |name, address| Subject::gateway(name, version.clone(), address, &[KEY.to_owned()]).run_by(program.clone());
    let plain = Subject { refusals: Vec::new(), ..subject("nginx", plain) };
    Ok([plain, subject("nginx, key and limit", governed)])
}

/// haproxy with key check and rate limit.
pub(super) async fn haproxy(binary: &Path, upstream: SocketAddr, around: &Surroundings<'_>) -> Result<Subject> {
    let governed = free_address()?;
    let file = write(HAPROXY, &[("upstream", upstream), ("governed", governed)], around.directory, "haproxy.cfg")?;
    let mut command = logged(binary, &around.logs.join("haproxy.log"))?;
    let mut program = Program::new(around.cores.start_gateway(command.args(["-db", "-f"]).arg(file))?);
    program.listens(governed).await?;
    let subject = Subject::gateway("haproxy, key and limit", version(binary, "-v")?, governed, &[KEY.to_owned()]);
    Ok(subject.run_by(Rc::new(program)))
}

fn write(template: &str, addresses: &[(&str, SocketAddr)], directory: &Path, name: &str) -> Result<PathBuf> {
    let addresses: Vec<_> = addresses.iter().map(|(name, address)| (*name, address.to_string())).collect();
    let mut values: Vec<_> = addresses.iter().map(|(name, address)| (*name, address.as_str())).collect();
    values.push(("key", KEY));
    let file = directory.join(name);
    fs::write(&file, filled(template, &values)?)?;
    Ok(file)
}
