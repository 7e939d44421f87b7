//! The configuration file: JSON in the shape of the compatible product's, every member optional, unknown ones refused.
//!
//! Everything that is wrong is told at once, each by its JSON pointer.

use std::fmt;
use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU64};
use std::path::Path;

use jiff::Timestamp;
use keyward_core::declaration::Declaration;
use keyward_core::event::Thresholds;
use keyward_core::invalid::Pointer;
use keyward_core::limits::Edit;
use keyward_core::meter::EnforcementDefaults;
use keyward_core::price::Price;
use keyward_core::secret::{SecretSource, looks_redacted};
use keyward_core::server_config::{ClientConfig, ClientConfigInput, RotationCooldown};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::observing::{ContentLogging, TelemetryInput};
use super::webhooks::{self, Webhook, WebhookInput};
use super::{ConfigError, JournalSettings, KeyHealthSettings, TokenSources};
use crate::body::refuse_nul;
use crate::json;

mod effectless;
mod governance;
mod limits;
mod mcp;
mod node;
mod providers;
mod reader;
mod references;
mod virtual_keys;

use mcp::McpSection;
pub(crate) use node::Node;
pub(super) use reader::Reader;

/// A configuration file, read.
#[derive(Default)]
pub(super) struct File {
    pub(super) server: Server,
    pub(super) webhooks: Vec<Webhook>,
    pub(super) auth: Auth,
    /// What it declares for the database.
    pub(super) declaration: Declaration,
    pub(super) findings: Findings,
}

/// What was found in a file.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// What is wrong.
    pub errors: Vec<Problem>,
    /// What the file refers to and does not have itself: the database may.
    pub dangling: Vec<Problem>,
    /// Variables of the environment that it names and that are not set.
    pub unset: Vec<Problem>,
    /// What is accepted and worth knowing.
    pub warnings: Vec<Problem>,
}

/// Something to say about a place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The place, as a JSON pointer; `/` for the whole.
    pub pointer: String,
    /// What there is to say.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(at: &Pointer, message: impl Into<String>) -> Self {
        let pointer = at.to_string();
        Self { pointer: if pointer.is_empty() { "/".to_owned() } else { pointer }, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.message)
    }
}

/// How the server runs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    pub(super) listen: Option<SocketAddr>,
    pub(super) database_url: Option<String>,
    pub(super) max_management_body_bytes: usize,
    pub(super) max_gateway_body_bytes: usize,
    pub(super) reveal_virtual_keys: RevealVirtualKeys,
    pub(super) block_private_upstreams: bool,
    pub(super) unpriced_models: UnpricedModels,
    pub(super) default_enforcement: EnforcementDefaults,
    pub(super) shutdown_timeout_seconds: u64,
    pub(super) drain_after_cancel_seconds: u64,
    pub(super) session_idle_limit_seconds: u64,
    pub(super) min_output_tokens: NonZeroU64,
    pub(super) journal: JournalSettings,
    pub(super) token_sources: TokenSources,
    pub(super) key_health: KeyHealthSettings,
    pub(super) ledger_retention_days: Option<NonZeroU16>,
    pub(super) batch_poll_seconds: NonZeroU64,
    pub(super) thresholds: Thresholds,
    pub(super) content_logging: ContentLogging,
    pub(super) telemetry: TelemetryInput,
    webhooks: Vec<WebhookInput>,
}

/// The least that OpenAI's responses take for a cap, and the least that makes an answer.
const MIN_OUTPUT_TOKENS: NonZeroU64 = NonZeroU64::MIN.saturating_add(15);

/// Batches take minutes at least, and most of them hours.
const BATCH_POLL_SECONDS: NonZeroU64 = NonZeroU64::MIN.saturating_add(59);

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: None,
            database_url: None,
            max_management_body_bytes: 10 * 1024 * 1024,
            max_gateway_body_bytes: 32 * 1024 * 1024,
            reveal_virtual_keys: RevealVirtualKeys::Always,
            block_private_upstreams: false,
            unpriced_models: UnpricedModels::Refuse,
            default_enforcement: EnforcementDefaults::default(),
            shutdown_timeout_seconds: 30,
            drain_after_cancel_seconds: 30,
            session_idle_limit_seconds: 7 * 24 * 60 * 60,
            min_output_tokens: MIN_OUTPUT_TOKENS,
            journal: JournalSettings::default(),
            token_sources: TokenSources::default(),
            key_health: KeyHealthSettings::default(),
            ledger_retention_days: None,
            batch_poll_seconds: BATCH_POLL_SECONDS,
            thresholds: Thresholds::default(),
            content_logging: ContentLogging::default(),
            telemetry: TelemetryInput::default(),
            webhooks: Vec::new(),
        }
    }
}

/// Whether list and get answer with virtual keys' secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevealVirtualKeys {
    /// Always, as the compatible API does.
    Always,
    /// Only when a key is made; afterwards it is redacted.
    OnCreate,
}

/// What to do with a model without a price when a budget covers the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnpricedModels {
    /// Refuse it: what has no price cannot be held.
    Refuse,
    /// Take it as free of charge.
    Free,
}

impl UnpricedModels {
    /// What such a model costs; none: it has no price.
    #[must_use]
    pub const fn price(self) -> Option<Price> {
        match self {
            Self::Refuse => None,
            Self::Free => Some(Price::FREE),
        }
    }
}

/// Who may manage, as the file says it.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AuthConfig {
    is_enabled: Option<bool>,
    admin_username: Option<SecretSource>,
    admin_password: Option<SecretSource>,
}

/// Who may manage, with what the environment has of it.
#[derive(Default)]
pub(super) struct Auth {
    /// Whether the file wants a credential.
    pub(super) is_enabled: bool,
    pub(super) username: Option<SecretString>,
    pub(super) password: Option<SecretString>,
}

/// How the file and the database are brought together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
enum SourceOfTruth {
    /// What only the database has stays.
    #[default]
    #[serde(rename = "split")]
    Split,
    /// The sections of the file are all there is.
    #[serde(rename = "config.json")]
    File,
}

/// Reads a configuration file.
///
/// # Errors
/// When there is no text to read.
pub(super) fn read(path: &Path) -> Result<File, ConfigError> {
    let text = std::fs::read(path).map_err(|error| ConfigError::Unreadable(path.to_owned(), error))?;
    let mut reader = Reader::default();
    let mut file = parse(&text, &mut reader);
    let Reader { mut errors, dangling, unset, mut warnings } = reader;
    errors.sort();
    errors.dedup();
    warnings.sort();
    file.findings = Findings { errors, dangling, unset, warnings };
    Ok(file)
}

fn parse(text: &[u8], reader: &mut Reader) -> File {
    let mut file = File::default();
    let parsed = std::str::from_utf8(text)
        .map_err(|error| (Pointer::ROOT, format!("Invalid JSON: {error}")))
        .and_then(|text| Node::parse(text).map_err(|error| (error.at, error.message)));
    let mut tree = match parsed {
        Ok(tree @ Node::Object(_)) => tree,
        Ok(Node::List(_) | Node::Leaf(_)) => {
            reader.error(&Pointer::ROOT, "invalid type: expected an object");
            return file;
        }
        Err((at, message)) => {
            reader.error(&at, message);
            return file;
        }
    };
    if let Err(error) = json::parse(text).and_then(|written| refuse_nul(&written)) {
        let error = error.body("").error;
        reader.error(&Pointer::written(&error.param), error.message);
    }
    effectless::strip(&mut tree, reader);
    older_lists(&mut tree, reader);
    if let Some(node) = tree.take("server") {
        file.server = reader.typed(node, &"server".into()).unwrap_or_default();
        let inputs = std::mem::take(&mut file.server.webhooks);
        file.webhooks = webhooks::read(inputs, file.server.block_private_upstreams, reader);
    }
    file.declaration.is_authoritative =
        tree.take("source_of_truth").and_then(|node| reader.typed::<SourceOfTruth>(node, &"source_of_truth".into()))
            == Some(SourceOfTruth::File);
    file.declaration.client = client(&mut tree, reader);
    file.declaration.providers = providers::read(&mut tree, file.server.block_private_upstreams, reader);
    let mcp = McpSection::read(&mut tree, reader);
    let (at, mut governance) = ("governance".into(), tree.take("governance"));
    if let Some(governance @ Node::Object(_)) = &mut governance {
        governance::read(governance, &at, &mcp, &mut file.declaration, reader);
    }
    file.declaration.mcp_clients = mcp.clients;
    file.auth = auth(&mut tree, governance.as_mut(), reader);
    if let Some(rest) = governance {
        reader.typed::<Sections>(rest, &at);
    }
    reader.typed::<Everything>(tree, &Pointer::ROOT);
    file.declaration = whole(file.declaration, reader);
    file
}

/// The sections of `governance`, so that others are refused by name: what is known has been taken out.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sections {
    auth_config: (),
    budgets: (),
    customers: (),
    model_configs: (),
    pricing_overrides: (),
    providers: (),
    rate_limits: (),
    routing_rules: (),
    teams: (),
    virtual_keys: (),
}

/// The members of the file, so that others are refused by name: what is known has been taken out.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Everything {
    client: (),
    governance: (),
    mcp: (),
    providers: (),
    server: (),
    source_of_truth: (),
    version: (),
}

/// Looks at the entities as a whole: each by itself, and what they refer to.
fn whole(declaration: Declaration, reader: &mut Reader) -> Declaration {
    references::check(&declaration, reader);
    // A secret in its redacted form stands for the one that is stored, which only the database can tell.
    let mut stand_in = declaration.clone();
    for provider in stand_in.providers.iter_mut().flatten() {
        references::stand_in(provider, reader);
    }
    for client in stand_in.mcp_clients.iter_mut().flatten() {
        references::stand_in_client(client, reader);
    }
    // Ids and instants of this look are thrown away.
    let faults = stand_in.faults(&mut Edit { now: Timestamp::UNIX_EPOCH, mint: &mut Uuid::new_v4 });
    for invalid in faults {
        reader.error(&invalid.pointer, invalid.message);
    }
    declaration
}

fn client(tree: &mut Node, reader: &mut Reader) -> Option<(ClientConfigInput, Pointer)> {
    let at = Pointer::from("client");
    let input: ClientConfigInput = reader.typed(tree.take("client")?, &at)?;
    let checked = ClientConfig::new(RotationCooldown::default(), Vec::new()).edited(input.clone());
    if let Err(invalid) = checked {
        let inner = invalid.pointer.within(&"client_config".into()).unwrap_or_default();
        reader.error(&at.join(&inner), invalid.message);
        return None;
    }
    (input != ClientConfigInput::default()).then_some((input, at))
}

/// The credential of either place where the file may have it; that in `governance` wins.
fn auth(tree: &mut Node, governance: Option<&mut Node>, reader: &mut Reader) -> Auth {
    let outer = tree.take("auth_config").map(|node| (node, Pointer::from("auth_config")));
    let inner = governance.and_then(|governance| governance.take("auth_config"));
    let inner = inner.map(|node| (node, Pointer::from("governance").member("auth_config")));
    let Some((node, at)) = inner.or(outer) else { return Auth::default() };
    let AuthConfig { is_enabled, admin_username, admin_password } = reader.typed(node, &at).unwrap_or_default();
    if !is_enabled.unwrap_or(admin_username.is_some() || admin_password.is_some()) {
        return Auth::default();
    }
    let password = admin_password.filter(|source| {
        let redacted = matches!(source, SecretSource::Literal(text) if looks_redacted(text));
        if redacted {
            reader.error(&at.member("admin_password"), "this is the redacted form of a password");
        }
        !redacted
    });
    Auth {
        is_enabled: true,
        username: admin_username.and_then(|source| reader.resolved(source, &at.member("admin_username"))),
        password: password.and_then(|source| reader.resolved(source, &at.member("admin_password"))),
    }
}

/// Lists that version 1 of the file leaves empty to say: everything.
const OPEN_WHEN_EMPTY: [(&[&str], &str); 4] = [
    (&["providers", "*", "keys", "*"], "models"),
    (&["governance", "virtual_keys", "*"], "provider_configs"),
    (&["governance", "virtual_keys", "*", "provider_configs", "*"], "allowed_models"),
    (&["governance", "virtual_keys", "*", "provider_configs", "*"], "key_ids"),
];

fn older_lists(tree: &mut Node, reader: &mut Reader) {
    let Some(version) = tree.take("version") else { return };
    match version.literal() {
        Some("1") => {
            for (way, name) in OPEN_WHEN_EMPTY {
                effectless::each(tree, way, &Pointer::ROOT, &mut |node, _| {
                    if node.member(name).is_some_and(Node::is_empty_list) {
                        node.take(name);
                    }
                });
            }
        }
        Some("2") => {}
        _ => reader.error(&"version".into(), "version must be 1 or 2"),
    }
}
