//! The server's configuration as far as the API reads and edits it. The password is never in it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::change::Versioned;
use crate::duration::go_duration;
use crate::invalid::{Invalid, Pointer};
use crate::patch::Patch;
use crate::secret::SecretSource;

/// What answers show for a password that is set. Sent back, it keeps the password.
pub const REDACTED: &str = "********";
/// The longest time that a rotated virtual key's old secret may stay valid.
const LONGEST_COOLDOWN: SignedDuration = SignedDuration::from_hours(24 * 30);
/// The most origins in the list.
const MAX_ORIGINS: usize = 100;
/// The longest user name or password, in bytes.
pub const MAX_CREDENTIAL: usize = 1024;
/// The fewest characters of a password (NIST SP 800-63B).
const MIN_PASSWORD: usize = 8;

/// The server's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerConfig {
    /// What holds for the API's clients.
    pub client_config: ClientConfig,
    /// Who may manage.
    pub auth_config: AuthConfig,
    /// When it was last edited over the API; 1970 when it never was.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// What holds for the API's clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientConfig {
    /// How long a rotated virtual key's old secret stays valid, in nanoseconds; 0: not at all.
    #[schema(value_type = i64)]
    pub vk_rotation_cooldown: RotationCooldown,
    /// Always true: inference needs a virtual key.
    pub enforce_auth_on_inference: bool,
    /// Always true: the older name of `enforce_auth_on_inference`.
    pub enforce_governance_header: bool,
    /// The origins whose web pages may call the management API; `*` is any, without cookies.
    pub allowed_origins: Vec<String>,
}

/// Who may manage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuthConfig {
    /// True when managing needs a credential.
    pub is_enabled: bool,
    /// The administrator's name; empty when there is none.
    pub admin_username: String,
    /// The password, redacted, or the variable that has it as `env.NAME`; empty when there is none.
    pub admin_password: String,
    /// Always true: the administrator's credential is never asked for on inference, which needs a virtual key.
    pub disable_auth_on_inference: bool,
    /// Where this comes from.
    pub source: ConfigSource,
}

/// Where the administrator's credential comes from. The earlier wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigSource {
    /// The environment of the server: the API cannot change it.
    Environment,
    /// The database, where the API has put it.
    Database,
    /// The configuration file.
    ConfigFile,
    /// Nobody has said anything.
    Default,
}

/// How long a rotated virtual key's old secret stays valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "CooldownForms", into = "i64")]
pub struct RotationCooldown(SignedDuration);

/// The two ways to write a duration.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum CooldownForms {
    /// Nanoseconds, as answers have them.
    Nanoseconds(i64),
    /// A Go duration such as `24h`; empty or `0`: none.
    Text(String),
}

/// Edits the server's configuration: what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateConfig {
    /// What holds for the API's clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client_config: Option<ClientConfigInput>,
    /// Who may manage.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub auth_config: Option<AuthConfigInput>,
    /// Not looked at, so that an answer can be sent back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// Edits what holds for the API's clients.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientConfigInput {
    /// How long a rotated virtual key's old secret stays valid: a Go duration or nanoseconds, at most 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<CooldownForms>)]
    pub vk_rotation_cooldown: Option<RotationCooldown>,
    /// Only true is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce_auth_on_inference: Option<bool>,
    /// Only true is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce_governance_header: Option<bool>,
    /// The full list of origins whose web pages may call the management API, such as `https://admin.example.com`, or `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_origins: Option<Vec<String>>,
}

/// Edits who may manage.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfigInput {
    /// True: managing needs a credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_enabled: Option<bool>,
    /// The administrator's name; null removes it.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>, max_length = 1024)]
    pub admin_username: Patch<String>,
    /// The password, or `env.NAME` for the server's variable of that name. Asterisks keep the password, null removes it.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<SecretSource>)]
    pub admin_password: Patch<SecretSource>,
    /// Not looked at: the administrator's credential is never asked for on inference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_auth_on_inference: Option<bool>,
    /// Not looked at, so that an answer can be sent back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub source: Option<ConfigSource>,
}

/// Who may manage from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthDraft {
    /// Whether managing needs a credential.
    pub is_enabled: bool,
    /// The administrator's name.
    pub username: Option<String>,
    /// The password to it.
    pub password: PasswordDraft,
}

/// The password from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordDraft {
    /// The one that it is.
    Kept,
    /// None.
    Removed,
    /// Another one.
    New(SecretSource),
}

impl Versioned for ServerConfig {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}

impl RotationCooldown {
    /// The duration; zero: the old secret is refused at once.
    #[must_use]
    pub const fn duration(self) -> SignedDuration {
        self.0
    }

    /// The duration in nanoseconds.
    #[must_use]
    pub fn nanoseconds(self) -> i64 {
        i64::try_from(self.0.as_nanos()).unwrap_or(i64::MAX)
    }

    /// The cooldown of so many nanoseconds, if it may be that long.
    ///
    /// # Errors
    /// When it is negative or over 30 days.
    pub fn from_nanoseconds(nanoseconds: i64) -> Result<Self, String> {
        Self::checked(SignedDuration::from_nanos(nanoseconds))
    }

    fn checked(duration: SignedDuration) -> Result<Self, String> {
        match (SignedDuration::ZERO..=LONGEST_COOLDOWN).contains(&duration) {
            true => Ok(Self(duration)),
            false => Err("vk_rotation_cooldown must be between 0 and 30 days".to_owned()),
        }
    }
}

impl TryFrom<CooldownForms> for RotationCooldown {
    type Error = String;

    fn try_from(forms: CooldownForms) -> Result<Self, String> {
        match forms {
            CooldownForms::Nanoseconds(nanoseconds) => Self::from_nanoseconds(nanoseconds),
            CooldownForms::Text(text) if text.is_empty() || text == "0" => Ok(Self::default()),
            CooldownForms::Text(text) => {
                let duration = go_duration(&text);
                Self::checked(duration.ok_or_else(|| format!("Invalid vk_rotation_cooldown: {text}"))?)
            }
        }
    }
}

impl From<RotationCooldown> for i64 {
    fn from(cooldown: RotationCooldown) -> Self {
        cooldown.nanoseconds()
    }
}

impl ClientConfig {
    /// The configuration with this cooldown and these origins.
    #[must_use]
    pub const fn new(vk_rotation_cooldown: RotationCooldown, allowed_origins: Vec<String>) -> Self {
        Self { vk_rotation_cooldown, enforce_auth_on_inference: true, enforce_governance_header: true, allowed_origins }
    }

    /// What a request makes of it.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn edited(self, input: ClientConfigInput) -> Result<Self, Invalid> {
        let at = Pointer::from("client_config");
        for (name, wish) in [
            ("enforce_auth_on_inference", input.enforce_auth_on_inference),
            ("enforce_governance_header", input.enforce_governance_header),
        ] {
            if wish == Some(false) {
                return Err(Invalid::at(
                    at.member(name),
                    format!("{name} cannot be false: a virtual key is always required"),
                ));
            }
        }
        let allowed_origins = match input.allowed_origins {
            None => self.allowed_origins,
            Some(list) => origins(&list, &at.member("allowed_origins"))?,
        };
        Ok(Self::new(input.vk_rotation_cooldown.unwrap_or(self.vk_rotation_cooldown), allowed_origins))
    }
}

fn origins(list: &[String], at: &Pointer) -> Result<Vec<String>, Invalid> {
    if list.len() > MAX_ORIGINS {
        return Err(Invalid::at(at.clone(), format!("there are more than {MAX_ORIGINS} origins")));
    }
    let mut origins: Vec<String> = Vec::new();
    for (index, text) in list.iter().enumerate() {
        let origin = origin(text).ok_or_else(|| {
            Invalid::at(
                at.element(index),
                "an origin is '*', or a scheme, a host and maybe a port, such as https://admin.example.com",
            )
        })?;
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    Ok(origins)
}

/// The origin as browsers write it.
fn origin(text: &str) -> Option<String> {
    if text == "*" {
        return Some(text.to_owned());
    }
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    (bare && anonymous).then(|| url.origin().ascii_serialization())
}

impl AuthConfig {
    /// What a request makes of it. `is_public`: others can reach the server.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn edited(&self, input: AuthConfigInput, is_public: bool) -> Result<AuthDraft, Invalid> {
        let at = Pointer::from("auth_config");
        let present = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let username = input.admin_username.or_keep(present(&self.admin_username)).filter(|name| !name.is_empty());
        let password = password(input.admin_password);
        if let Some(username) = &username {
            check_username(username, &at.member("admin_username"))?;
        }
        if let PasswordDraft::New(SecretSource::Literal(secret)) = &password {
            check_password(secret, &at.member("admin_password"))?;
        }
        if matches!(&password, PasswordDraft::New(SecretSource::Environment(name)) if name.is_empty()) {
            return Err(Invalid::at(at.member("admin_password"), "admin_password names no environment variable"));
        }
        let draft = AuthDraft { is_enabled: input.is_enabled.unwrap_or(self.is_enabled), username, password };
        let has_password = match draft.password {
            PasswordDraft::Kept => !self.admin_password.is_empty(),
            PasswordDraft::Removed => false,
            PasswordDraft::New(_) => true,
        };
        let refuse = |member: &str, message: &str| Err(Invalid::at(at.member(member), message));
        match (draft.is_enabled, draft.username.is_some(), has_password) {
            (true, false, _) => refuse("admin_username", "admin_username is required while authentication is enabled"),
            (true, true, false) => {
                refuse("admin_password", "admin_password is required while authentication is enabled")
            }
            (false, _, _) if is_public => refuse(
                "is_enabled",
                "authentication cannot be switched off while the server listens on an address that others can reach",
            ),
            (true | false, true | false, true | false) => Ok(draft),
        }
    }

    /// Whether the draft is this all over again.
    #[must_use]
    pub fn is_kept_by(&self, draft: &AuthDraft) -> bool {
        draft.is_enabled == self.is_enabled
            && draft.username.as_deref().unwrap_or_default() == self.admin_username
            && match &draft.password {
                PasswordDraft::Kept => true,
                PasswordDraft::Removed => self.admin_password.is_empty(),
                PasswordDraft::New(source) => String::from(source.clone()) == self.admin_password,
            }
    }
}

fn password(input: Patch<SecretSource>) -> PasswordDraft {
    match input {
        Patch::Absent => PasswordDraft::Kept,
        Patch::Null => PasswordDraft::Removed,
        Patch::Value(SecretSource::Literal(text)) if text.is_empty() => PasswordDraft::Removed,
        Patch::Value(SecretSource::Literal(text)) if text.bytes().all(|byte| byte == b'*') => PasswordDraft::Kept,
        Patch::Value(source) => PasswordDraft::New(source),
    }
}

fn check_username(username: &str, at: &Pointer) -> Result<(), Invalid> {
    let refuse = |message: &str| Err(Invalid::at(at.clone(), message));
    if username.contains(':') {
        refuse("admin_username cannot have a colon: HTTP Basic ends the name there")
    } else if username.chars().any(char::is_control) {
        refuse("admin_username has control characters")
    } else if username.len() > MAX_CREDENTIAL {
        refuse("admin_username is longer than 1024 bytes")
    } else {
        Ok(())
    }
}

fn check_password(secret: &str, at: &Pointer) -> Result<(), Invalid> {
    if secret.len() > MAX_CREDENTIAL {
        return Err(Invalid::at(at.clone(), format!("admin_password is longer than {MAX_CREDENTIAL} bytes")));
    }
    if secret.chars().count() < MIN_PASSWORD {
        return Err(Invalid::at(at.clone(), format!("admin_password has fewer than {MIN_PASSWORD} characters")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
