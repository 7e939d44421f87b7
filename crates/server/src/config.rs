//! Configuration: command line over environment over file over defaults, checked once, at start.
//!
//! This is the one place that reads the environment.

use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU64};
use std::path::{Path, PathBuf};
use std::time::Duration;

use keyward_core::crash_point::Probe;
use keyward_core::declaration::Declaration;
use keyward_core::event::{EventPolicy, Thresholds};
use keyward_core::invalid::Pointer;
use keyward_core::meter::EnforcementDefaults;
use keyward_store::{RootKey, StoreError};
use secrecy::SecretString;

use crate::admin::AdminCredential;

mod crash;
mod export;
mod file;
mod journal;
mod key_health;
mod observing;
mod token_sources;
mod webhooks;

pub use export::{ExportError, export};
pub use file::{Findings, Problem, RevealVirtualKeys, UnpricedModels};
pub use journal::{JournalSettings, JournalSync};
pub use key_health::KeyHealthSettings;
pub use observing::{ContentLogging, ContentLoggingMode, TelemetrySettings};
pub use token_sources::TokenSources;
pub use webhooks::{InvalidWebhookSecret, Webhook, WebhookSecret};

/// Where the server listens unless told otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";
/// Where the data is unless told otherwise.
const DEFAULT_DATABASE_URL: &str = "sqlite://keyward.db";

/// How long to wait after each attempt in vain to deliver an event, in seconds: what the Standard Webhooks suggest.
const WEBHOOK_RETRIES: [u64; 9] = {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]
};

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// `sqlite://PATH` or `postgres://…`.
    pub database_url: String,
    /// Who may manage; none: every program on this machine.
    pub admin: Option<AdminCredential>,
    /// The largest body of a management request, in bytes.
    pub max_management_body_bytes: usize,
    /// The largest body of a gateway request, in bytes.
    pub max_gateway_body_bytes: usize,
    /// Whether list and get answer with virtual keys' secrets.
    pub reveal_virtual_keys: RevealVirtualKeys,
    /// Whether providers at private addresses are refused.
    pub block_private_upstreams: bool,
    /// What to do with a model without a price under a budget.
    pub unpriced_models: UnpricedModels,
    /// How strictly limits are held that do not say it themselves.
    pub default_enforcement: EnforcementDefaults,
    /// How long running attempts may take to end after SIGTERM.
    pub shutdown_timeout: Duration,
    /// How long the rest of a stream is read for its usage after its client went away.
    pub drain_after_cancel: Duration,
    /// How often the server looks for expired virtual keys that it shall delete.
    pub expiry_interval: Duration,
    /// How many days entries of the ledger are kept; none: for ever.
    pub ledger_retention_days: Option<NonZeroU16>,
    /// How often the server looks for entries of the ledger that are older.
    pub retention_interval: Duration,
    /// How often providers are asked what became of batches.
    pub batch_interval: Duration,
    /// The shares of a cap that are told when usage reaches them.
    pub thresholds: Thresholds,
    /// Who is told.
    pub webhooks: Vec<Webhook>,
    /// How long to wait after each attempt in vain to deliver an event; after as many, it is given up.
    pub webhook_retries: Vec<Duration>,
    /// How long a session may lie idle.
    pub session_idle_limit: Duration,
    /// The least output cap that is set for a client which set none, in tokens: a request that cannot pay for it is refused.
    pub min_output_tokens: NonZeroU64,
    /// When provider keys are passed over.
    pub key_health: KeyHealthSettings,
    /// How many threads serve requests.
    pub workers: usize,
    /// How the journal is kept.
    pub journal: JournalSettings,
    /// Where tokens for providers come from.
    pub token_sources: TokenSources,
    /// Whether and how contents are logged.
    pub content_logging: ContentLogging,
    /// Where traces and metrics go; none: nowhere.
    pub telemetry: Option<TelemetrySettings>,
    /// What is told when a crash point is reached: nothing, but in tests.
    pub probe: Probe,
    /// What the configuration file declares for the database.
    pub declaration: Declaration,
    /// What there is to say about the configuration file.
    pub warnings: Vec<Problem>,
}

/// What the command line and the environment say; none: it does not say.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// A configuration file.
    pub config: Option<PathBuf>,
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// The database.
    pub database_url: Option<String>,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {0} cannot be read")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// The file is not what it should be.
    #[error("the configuration file {} has {}", .0.display(), listed(.1))]
    Malformed(PathBuf, Vec<Problem>),
    /// What the file declares cannot be brought into the database.
    #[error("the configuration file has {}", listed(.0))]
    NotApplicable(Vec<Problem>),
    /// One half of the admin's credential is missing.
    #[error(
        "the admin credential needs a user name and a password: set KEYWARD_ADMIN_USERNAME and KEYWARD_ADMIN_PASSWORD, or admin_username and admin_password in the file's governance.auth_config"
    )]
    HalfCredential,
    /// Others could reach the management API.
    #[error(
        "{0} is not a loopback address, and no admin credential is configured: anyone who reaches it could make virtual keys. Set KEYWARD_ADMIN_USERNAME and KEYWARD_ADMIN_PASSWORD, or listen on 127.0.0.1"
    )]
    OpenToOthers(SocketAddr),
    /// The password that the API has put into a variable is not there.
    #[error("the admin password was set to the environment variable {0}, which is not set")]
    UnsetPassword(String),
    /// A variable that says how to reach a collector cannot be used.
    #[error("{0} cannot be used: {1}")]
    Telemetry(&'static str, String),
    /// The root key is not one.
    #[error("KEYWARD_ROOT_KEY cannot be used")]
    RootKey(#[source] StoreError),
}

/// One problem in a sentence, several one a line.
fn listed(problems: &[Problem]) -> String {
    match problems {
        [one] => format!("an error at {one}"),
        several => {
            let lines = several.iter().map(|problem| format!("\n  {problem}"));
            format!("{} errors:{}", several.len(), lines.collect::<String>())
        }
    }
}

/// What there is to say about a configuration file, without a look into a database.
///
/// # Errors
/// When the file cannot be read at all.
pub fn check_file(path: &Path) -> Result<Findings, ConfigError> {
    let file = file::read(path)?;
    let mut findings = file.findings;
    if let (true, Err(error)) = (findings.unset.is_empty(), admin(file.auth)) {
        findings.errors.push(Problem::new(&Pointer::from("governance").member("auth_config"), error.to_string()));
    }
    Ok(findings)
}

impl Settings {
    /// Settings with every default.
    #[must_use]
    pub fn new(listen: SocketAddr, database_url: String) -> Self {
        let file = file::Server::default();
        Self {
            listen,
            database_url,
            admin: None,
            max_management_body_bytes: file.max_management_body_bytes,
            max_gateway_body_bytes: file.max_gateway_body_bytes,
            reveal_virtual_keys: file.reveal_virtual_keys,
            block_private_upstreams: file.block_private_upstreams,
            unpriced_models: file.unpriced_models,
            default_enforcement: file.default_enforcement,
            shutdown_timeout: Duration::from_secs(file.shutdown_timeout_seconds),
            drain_after_cancel: Duration::from_secs(file.drain_after_cancel_seconds),
            expiry_interval: Duration::from_secs(60),
            ledger_retention_days: file.ledger_retention_days,
            retention_interval: Duration::from_secs(60 * 60),
            batch_interval: Duration::from_secs(file.batch_poll_seconds.get()),
            thresholds: file.thresholds,
            webhooks: Vec::new(),
            webhook_retries: WEBHOOK_RETRIES.map(Duration::from_secs).to_vec(),
            session_idle_limit: Duration::from_secs(file.session_idle_limit_seconds),
            min_output_tokens: file.min_output_tokens,
            key_health: file.key_health,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            journal: file.journal,
            token_sources: file.token_sources,
            content_logging: file.content_logging,
            telemetry: None,
            probe: crash::probe(),
            declaration: Declaration::default(),
            warnings: Vec::new(),
        }
    }

    /// Puts the sources together and checks the whole.
    ///
    /// # Errors
    /// The first thing that cannot be used.
    pub fn load(overrides: Overrides) -> Result<Self, ConfigError> {
        let file = overrides.config.as_deref().map(file::read).transpose()?.unwrap_or_default();
        let mut errors = file.findings.errors;
        errors.extend(file.findings.unset);
        if !errors.is_empty() {
            return Err(ConfigError::Malformed(overrides.config.unwrap_or_default(), errors));
        }
        let server = file.server;
        let default_listen = SocketAddr::from(([127, 0, 0, 1], 8080));
        let settings = Self {
            listen: overrides.listen.or(server.listen).unwrap_or(default_listen),
            database_url: overrides
                .database_url
                .or(server.database_url)
                .unwrap_or_else(|| DEFAULT_DATABASE_URL.to_owned()),
            admin: admin(file.auth)?,
            max_management_body_bytes: server.max_management_body_bytes,
            max_gateway_body_bytes: server.max_gateway_body_bytes,
            reveal_virtual_keys: server.reveal_virtual_keys,
            block_private_upstreams: server.block_private_upstreams,
            unpriced_models: server.unpriced_models,
            default_enforcement: server.default_enforcement,
            shutdown_timeout: Duration::from_secs(server.shutdown_timeout_seconds),
            drain_after_cancel: Duration::from_secs(server.drain_after_cancel_seconds),
            session_idle_limit: Duration::from_secs(server.session_idle_limit_seconds),
            min_output_tokens: server.min_output_tokens,
            key_health: server.key_health,
            journal: server.journal,
            token_sources: server.token_sources.with_environment(),
            content_logging: server.content_logging,
            telemetry: observing::telemetry(server.telemetry)?,
            ledger_retention_days: server.ledger_retention_days,
            batch_interval: Duration::from_secs(server.batch_poll_seconds.get()),
            thresholds: server.thresholds,
            webhooks: file.webhooks,
            declaration: file.declaration,
            warnings: file.findings.warnings,
            ..Self::new(default_listen, String::new())
        };
        settings.check()?;
        Ok(settings)
    }

    /// When there is an event, and whom it is delivered to.
    pub(crate) fn event_policy(&self) -> EventPolicy {
        let endpoints = self.webhooks.iter().map(Webhook::endpoint).collect();
        EventPolicy { thresholds: self.thresholds.clone(), endpoints }
    }

    /// Refuses to be reachable by others while anyone may manage, as far as that can be told before the database is opened: one
    /// that is not there cannot have a credential in it.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let is_new = self.database_url.strip_prefix("sqlite://").is_some_and(|path| !Path::new(path).exists());
        match self.admin.is_none() && is_new && !self.listen.ip().is_loopback() {
            true => Err(ConfigError::OpenToOthers(self.listen)),
            false => Ok(()),
        }
    }
}

/// The environment's credential wins over the file's.
fn admin(file: file::Auth) -> Result<Option<AdminCredential>, ConfigError> {
    use secrecy::ExposeSecret as _;
    let (own_username, own_password) = (environment("KEYWARD_ADMIN_USERNAME"), environment("KEYWARD_ADMIN_PASSWORD"));
    let is_fixed = own_username.is_some() || own_password.is_some();
    let (username, password) = (own_username.or(file.username), own_password.or(file.password));
    match (username, password) {
        (Some(username), Some(password)) => {
            let credential = AdminCredential::new(username.expose_secret(), &password);
            Ok(Some(if is_fixed { credential } else { credential.as_seed() }))
        }
        (None, None) if !file.is_enabled => Ok(None),
        (Some(_) | None, Some(_) | None) => Err(ConfigError::HalfCredential),
    }
}

/// The root key of the environment, if there is one.
///
/// # Errors
/// When it is not a base64 text of 32 bytes.
pub fn root_key() -> Result<Option<RootKey>, ConfigError> {
    use secrecy::ExposeSecret as _;
    let text = environment("KEYWARD_ROOT_KEY");
    text.map(|text| RootKey::from_base64(text.expose_secret())).transpose().map_err(ConfigError::RootKey)
}

/// A variable of the environment, unless it is not set, empty, or not text.
#[allow(clippy::disallowed_methods, reason = "this is the one place that may")]
pub(crate) fn environment(name: &str) -> Option<SecretString> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(SecretString::from)
}

/// How the logs look: a filter such as `info` or `keyward_server=debug`, and whether lines are JSON.
#[must_use]
pub fn log_options() -> (String, bool) {
    use secrecy::ExposeSecret as _;
    let text = |name| environment(name).map(|value| value.expose_secret().to_owned());
    (
        text("KEYWARD_LOG").unwrap_or_else(|| "info,actix_server=warn".to_owned()),
        text("KEYWARD_LOG_FORMAT").as_deref() == Some("json"),
    )
}

/// The path of a SQLite URL's database beside `directory`.
#[must_use]
pub(crate) fn sqlite_url(directory: &Path) -> String {
    format!("sqlite://{}", directory.join("keyward.db").display())
}
