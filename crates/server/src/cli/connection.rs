//! The server that a command talks to: where it is, with which credential, and what its errors mean to a person.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use keyward_client::{Client, Error};
use secrecy::{ExposeSecret as _, SecretString};

use super::failure::{Exit, Failure, innermost};
use super::output;
use crate::config::environment;

/// How long an answer of the management API may take; an edit waits for the ledger for up to 5 seconds.
const TIMEOUT: Duration = Duration::from_secs(60);
const ADMIN_USERNAME: &str = "KEYWARD_ADMIN_USERNAME";
const ADMIN_PASSWORD: &str = "KEYWARD_ADMIN_PASSWORD";
const TOKEN: &str = "KEYWARD_TOKEN";

/// What the help says of the environment.
pub(super) const ENVIRONMENT: &str = "\
Environment of commands that talk to a running server:
  KEYWARD_URL               where it is [default: http://127.0.0.1:8080]
  KEYWARD_TOKEN             a management key, or the token of a session; without, KEYWARD_ADMIN_USERNAME and
                            KEYWARD_ADMIN_PASSWORD
  KEYWARD_VIRTUAL_KEY       the virtual key that `keyward usage --own` is about";

/// Where the server is, with which credential to manage it, and how to answer.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(super) struct Connection {
    /// Where the server is
    #[arg(long, global = true, value_name = "URL", env = "KEYWARD_URL", hide_env_values = true)]
    #[arg(default_value = "http://127.0.0.1:8080")]
    url: String,
    /// A management key, or the token of a session. The shell's history keeps it: better set KEYWARD_TOKEN
    #[arg(long, global = true, value_name = "TOKEN", conflicts_with_all = ["token_file", "username"])]
    token: Option<SecretString>,
    /// A file with a management key, or with the token of a session
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "username")]
    token_file: Option<PathBuf>,
    /// The administrator's name; the password comes from KEYWARD_ADMIN_PASSWORD
    #[arg(long, global = true, value_name = "NAME")]
    username: Option<String>,
    /// Prints what the API answers, as one JSON document
    #[arg(long, global = true)]
    json: bool,
}

/// A credential, and where it is from.
enum Credential {
    Token(SecretString, &'static str),
    Password(String, SecretString),
    None,
}

/// A server to talk to.
pub(super) struct Server {
    pub(super) client: Client,
    pub(super) json: bool,
    url: String,
    credential: &'static str,
}

impl Connection {
    /// The client of this server with a credential for managing it.
    pub(super) fn open(self) -> Result<Server, Failure> {
        let credential = self.credential()?;
        let builder = Client::builder().base_url(&self.url).timeout(TIMEOUT).user_agent(USER_AGENT);
        let (builder, from) = match credential {
            Credential::Token(token, from) => (builder.management_token(token), from),
            Credential::Password(username, password) => (builder.admin(username, password), ADMIN_PASSWORD),
            Credential::None => (builder, ""),
        };
        let client = builder.build().map_err(|error| unusable(&error))?;
        Ok(Server { client, json: self.json, url: self.url, credential: from })
    }

    /// The client of this server as the holder of a virtual key.
    pub(super) fn open_as_holder(self, variable: &'static str) -> Result<Server, Failure> {
        let missing = || Failure::new(Exit::Denied, format!("no virtual key is given: set {variable} to its secret"));
        let key = environment(variable).ok_or_else(missing)?;
        let builder = Client::builder().base_url(&self.url).timeout(TIMEOUT).user_agent(USER_AGENT);
        let client = builder.virtual_key(key).build().map_err(|error| unusable(&error))?;
        Ok(Server { client, json: self.json, url: self.url, credential: variable })
    }

    /// The first of: the command line, a management key of the environment, the administrator of the environment.
    fn credential(&self) -> Result<Credential, Failure> {
        if let Some(token) = &self.token {
            output::warn("the shell's history and the list of processes show --token: better set KEYWARD_TOKEN");
            return Ok(Credential::Token(token.clone(), "--token"));
        }
        if let Some(file) = &self.token_file {
            return Ok(Credential::Token(secret_file(file)?, "--token-file"));
        }
        let named = self.username.clone();
        if let Some(token) = environment(TOKEN).filter(|_| named.is_none()) {
            return Ok(Credential::Token(token, TOKEN));
        }
        let username = named.or_else(|| environment(ADMIN_USERNAME).map(|name| name.expose_secret().to_owned()));
        match (username, environment(ADMIN_PASSWORD)) {
            (Some(username), Some(password)) => Ok(Credential::Password(username, password)),
            (None, None) => Ok(Credential::None),
            (Some(_), None) => Err(half(ADMIN_PASSWORD)),
            (None, Some(_)) => Err(half(ADMIN_USERNAME)),
        }
    }
}

const USER_AGENT: &str = concat!("keyward/", env!("CARGO_PKG_VERSION"));

fn half(missing: &str) -> Failure {
    let what = format!("the administrator is a name and a password, and {missing} is not set");
    Failure::new(Exit::Denied, what).advising(format!("Set it, or set {TOKEN} to a management key."))
}

fn unusable(error: &Error) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}

/// A secret that is a file's whole content, but for the white space around it; `-` is standard input.
pub(super) fn secret_file(path: &Path) -> Result<SecretString, Failure> {
    let read = match path.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(path),
    };
    let name = path.display();
    let text = read.map_err(|error| Failure::here(format!("{name} cannot be read"), &error))?;
    match text.trim() {
        "" => Err(Failure::new(Exit::Failed, format!("{name} is empty"))),
        secret => Ok(secret.into()),
    }
}

impl Server {
    /// Waits for an answer, and says in a person's words why there is none.
    pub(super) async fn call<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
        call.await.map_err(|error| self.failure(&error))
    }

    /// What an error means, and what to do next.
    pub(super) fn failure(&self, error: &Error) -> Failure {
        if let Error::Transport(cause) = error {
            return self.unreachable(&innermost(cause));
        }
        if matches!(error, Error::Timeout { .. }) {
            return self.unreachable(&error.to_string());
        }
        let told = error.to_string();
        match error.status() {
            Some(401) => Failure::new(Exit::Denied, told).advising(self.about_credentials()),
            Some(403) => Failure::new(Exit::Denied, told),
            Some(404) => Failure::new(Exit::NotFound, told),
            Some(400..=499) => Failure::new(Exit::Refused, told),
            Some(_) | None => Failure::new(Exit::Failed, told),
        }
    }

    fn unreachable(&self, cause: &str) -> Failure {
        let advice = "Start one with `keyward serve`, or say with --url or KEYWARD_URL where it is.";
        Failure::new(Exit::Unreachable, format!("no server answers at {}: {cause}", self.url)).advising(advice)
    }

    fn about_credentials(&self) -> String {
        match self.credential {
            "" => format!(
                "Set {TOKEN} to a management key, or {ADMIN_USERNAME} and {ADMIN_PASSWORD} to those that the server has."
            ),
            ADMIN_PASSWORD => {
                format!(
                    "Check {ADMIN_USERNAME} (or --username) and {ADMIN_PASSWORD}: they must be those of the server."
                )
            }
            from => format!("Check {from}: what it says is not known here, or is no longer valid."),
        }
    }
}
