//! Packages of other languages, in the versions that lock files pin, below `target/`.
//!
//! Another version is written into `requirements.in` or `package.json`, and locked by `pip-compile --generate-hashes --strip-extras` or
//! `npm install --package-lock-only --ignore-scripts` there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::succeed;

/// A program that installs or runs packages, and the first release that will do.
struct Program {
    name: &'static str,
    least: (u32, u32),
    debian: &'static str,
}

const PYTHON: Program = Program { name: "python3", least: (3, 11), debian: "python3-venv" };
const NODE: Program = Program { name: "node", least: (20, 19), debian: "nodejs" };
const NPM: Program = Program { name: "npm", least: (9, 0), debian: "npm" };

/// A virtual environment `venv` with the packages of `requirements.txt`.
pub(crate) fn python(sources: &Path, target: &Path) -> Result<()> {
    let version = PYTHON.version()?;
    let lock = sources.join("requirements.txt");
    once(target.join("python.installed"), &version, &lock, || {
        println!("installing Python packages into {}", target.display());
        let venv = target.join("venv");
        succeed(Command::new(PYTHON.name).args(["-m", "venv", "--clear"]).arg(&venv))
            .context("this needs python3 and its venv module (Debian: apt-get install python3-venv)")?;
        let mut pip = Command::new(venv.join("bin").join("pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]);
        succeed(pip.args(["--only-binary", ":all:", "--requirement"]).arg(&lock))
    })
}

/// The packages of `package-lock.json` in `node`, beside a link to the scripts, so that these find them.
pub(crate) fn node(sources: &Path, target: &Path) -> Result<()> {
    let version = format!("{} {}", NODE.version()?, NPM.version()?);
    let home = target.join("node");
    once(target.join("node.installed"), &version, &sources.join("package-lock.json"), || {
        println!("installing Node packages into {}", home.display());
        fs::create_dir_all(&home)?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(sources.join(file), home.join(file))?;
        }
        let quietly = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        succeed(Command::new(NPM.name).current_dir(&home).args(quietly))?;
        let scripts = home.join("scripts");
        if fs::symlink_metadata(&scripts).is_ok() {
            fs::remove_file(&scripts)?;
        }
        symlink(sources, scripts)?;
        Ok(())
    })
}

/// Installs unless the stamp says that it was done, by the same program from the same lock file.
fn once(stamp: impl AsRef<Path>, version: &str, lock: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let locked = fs::read_to_string(lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let wanted = format!("{version}\n{locked}");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    Ok(fs::write(stamp, wanted)?)
}

impl Program {
    /// The installed version, if it will do.
    fn version(&self) -> Result<String> {
        let Self { name, least: (major, minor), debian } = self;
        let advice = format!("this needs {name} {major}.{minor} or later (Debian: apt-get install {debian})");
        let output = Command::new(name).arg("--version").stderr(Stdio::inherit()).output();
        let output = output.with_context(|| advice.clone())?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        match release(&text) {
            Some(found) if found >= self.least => Ok(text),
            Some(_) | None => bail!("{advice}, not {text:?}"),
        }
    }
}

/// The first two numbers of a version, such as `v20.1.0` or `Python 3.11.7`.
fn release(text: &str) -> Option<(u32, u32)> {
    let numbers = text.trim_start_matches(|character: char| !character.is_ascii_digit());
    let mut numbers = numbers.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn versions_are_read_as_each_program_says_them() {
        assert_eq!(release("v20.20.2"), Some((20, 20)));
        assert_eq!(release("Python 3.11.7"), Some((3, 11)));
        assert_eq!(release("10.8.2"), Some((10, 8)));
        assert_eq!(release("not found"), None);
    }

    #[test]
    fn nothing_is_installed_twice_and_everything_again_when_its_lock_changes() {
        let directory = tempfile::tempdir().unwrap();
        let (lock, stamp) = (directory.path().join("lock"), directory.path().join("stamp"));
        let installed = Cell::new(0);
        let install = |version: &str| {
            once(&stamp, version, &lock, || {
                installed.set(installed.get() + 1);
                Ok(())
            })
        };
        assert!(install("1").is_err(), "there is no lock file");
        fs::write(&lock, "a==1").unwrap();
        install("1").unwrap();
        install("1").unwrap();
        assert_eq!(installed.get(), 1);
        fs::write(&lock, "a==2").unwrap();
        install("1").unwrap();
        install("2").unwrap();
        assert_eq!(installed.get(), 3);
        fs::write(&lock, "a==3").unwrap();
        assert!(once(&stamp, "2", &lock, || bail!("no network")).is_err());
        install("2").unwrap();
        assert_eq!(installed.get(), 4, "what failed is done again");
    }
}
