//! Secrets and what may be shown of them.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::invalid::{Invalid, Pointer};

/// How every virtual key's secret begins.
pub const VIRTUAL_KEY_PREFIX: &str = "sk-bf-";

/// What a virtual key's holder sends: the secret itself, or its redacted form where it may not be seen.
///
/// It serialises as it is, since the management API answers with it; `Debug` never shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "sk-bf-00000000-0000-4000-8000-000000000000")]
pub struct VirtualKeyValue(String);

impl VirtualKeyValue {
    /// The secret made of a fresh random UUID.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(format!("{VIRTUAL_KEY_PREFIX}{uuid}"))
    }

    /// Takes a secret, or a redacted one, as text.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(text)
    }

    /// The secret itself. Do not log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What may be shown instead.
    #[must_use]
    pub fn redacted(&self) -> Self {
        Self(redacted(&self.0))
    }
}

impl fmt::Debug for VirtualKeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// How every management key's secret begins.
pub const MANAGEMENT_KEY_PREFIX: &str = "sk-kw-";

/// What a management key's holder sends. It serialises as it is, for the one answer that shows it; `Debug` never does.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "sk-kw-00000000-0000-4000-8000-000000000000")]
pub struct ManagementKeyValue(String);

impl ManagementKeyValue {
    /// The secret made of a fresh random UUID.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(format!("{MANAGEMENT_KEY_PREFIX}{uuid}"))
    }

    /// The secret itself. Do not log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ManagementKeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A keyed hash of a secret: how its owner is found without the secret being stored readably.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

/// A secret with its middle replaced: the first and last four characters of a long one, nothing of a short one.
#[must_use]
pub fn redacted(secret: &str) -> String {
    let length = secret.chars().count();
    if length <= 8 {
        return "*".repeat(length);
    }
    let head: String = secret.chars().take(4).collect();
    let tail: String = secret.chars().skip(length - 4).collect();
    format!("{head}{MASK}{tail}")
}

/// A setting that is a literal or names an environment variable, as answers show it: secrets are redacted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct EnvVar {
    /// The redacted literal; empty when the value comes from the environment.
    pub value: String,
    /// The reference, such as `env.OPENAI_API_KEY`; empty for a literal.
    pub env_var: String,
    /// True when the value comes from the environment.
    pub from_env: bool,
}

/// A secret as requests give it: a string (`env.NAME` is a reference), or an object.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum SecretSource {
    /// The secret itself.
    Literal(String),
    /// The name of an environment variable of the server, without the `env.` prefix.
    Environment(String),
}

/// The object form of a secret, in both generations of it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct SecretObject {
    /// The secret itself, or `env.NAME`.
    value: String,
    /// A reference such as `env.NAME`; it wins over `value`.
    env_var: String,
    /// Accepted and not looked at: `env_var` tells.
    #[serde(rename = "from_env")]
    _from_env: bool,
    /// A reference such as `env.NAME`; it wins over `value`.
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// `plain_text` or `env`. Secrets in a vault are not supported.
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Why a text or object is no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum InvalidSecret {
    #[error("secrets in a vault are not supported: give the secret itself, or env.NAME")]
    Vault,
    #[error("type must be plain_text or env, not '{0}'")]
    Kind(String),
}

impl SecretSource {
    fn parse(text: &str) -> Result<Self, InvalidSecret> {
        if text.starts_with("vault.") {
            return Err(InvalidSecret::Vault);
        }
        Ok(Self::from_text(text))
    }

    /// The secret, or the variable that an `env.NAME` names.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        match text.strip_prefix("env.") {
            Some(name) => Self::Environment(name.to_owned()),
            None => Self::Literal(text.to_owned()),
        }
    }
}

impl TryFrom<SecretObject> for SecretSource {
    type Error = InvalidSecret;

    fn try_from(object: SecretObject) -> Result<Self, InvalidSecret> {
        let SecretObject { value, env_var, _from_env, reference, kind } = object;
        let reference = reference.filter(|text| !text.is_empty()).unwrap_or(env_var);
        let named = |text: &str| Self::Environment(text.trim_start_matches("env.").to_owned());
        match kind.as_deref() {
            Some("vault") => Err(InvalidSecret::Vault),
            None | Some("" | "plain_text" | "env") if reference.starts_with("vault.") => Err(InvalidSecret::Vault),
            None | Some("" | "plain_text" | "env") if !reference.is_empty() => Ok(named(&reference)),
            Some("env") => Ok(named(&value)),
            None | Some("" | "plain_text") => Self::parse(&value),
            Some(other) => Err(InvalidSecret::Kind(other.to_owned())),
        }
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = SecretSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an object")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretSource, E> {
                SecretSource::parse(text).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<SecretSource, A::Error> {
                let object = SecretObject::deserialize(MapAccessDeserializer::new(members))?;
                SecretSource::try_from(object).map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_any(Forms)
    }
}

impl PartialSchema for SecretSource {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).description(Some("The secret, or `env.NAME`."));
        let forms = OneOfBuilder::new().item(text).item(SecretObject::schema());
        forms.description(Some("A secret: its text, a reference to a variable of the server, or an object.")).into()
    }
}

impl ToSchema for SecretSource {}

impl From<SecretSource> for String {
    fn from(source: SecretSource) -> Self {
        match source {
            SecretSource::Literal(secret) => secret,
            SecretSource::Environment(name) => format!("env.{name}"),
        }
    }
}

impl From<&EnvVar> for SecretSource {
    /// What was shown, to be sent back: a redacted secret then stays as it is.
    fn from(shown: &EnvVar) -> Self {
        Self::from_text(shown.text())
    }
}

impl EnvVar {
    /// The reference, or what is shown of the literal.
    #[must_use]
    pub fn text(&self) -> &str {
        if self.from_env { &self.env_var } else { &self.value }
    }
}

/// A secret as it shall be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretDraft {
    /// The one that is stored stays.
    Keep,
    /// This one is stored.
    Set(SecretSource),
}

/// Asterisks that stand for the middle of a long secret.
const MASK: &str = "************************";

/// True for text that looks like a redacted secret: nobody's secret does.
#[must_use]
pub fn looks_redacted(text: &str) -> bool {
    text.contains(MASK) || (!text.is_empty() && text.bytes().all(|byte| byte == b'*'))
}

impl SecretSource {
    /// What becomes of a secret that is shown as `shown`, when a request gives this one for it. Sent back as it is shown, it stays.
    ///
    /// # Errors
    /// For a redacted text that is not this secret's own.
    pub fn replacing(self, shown: Option<&str>, at: &Pointer) -> Result<SecretDraft, Invalid> {
        let text = match &self {
            Self::Literal(text) => text.clone(),
            Self::Environment(name) => format!("env.{name}"),
        };
        if shown == Some(text.as_str()) {
            return Ok(SecretDraft::Keep);
        }
        if looks_redacted(&text) {
            let message = "this is the redacted form of a secret, and not of the one that is stored here";
            return Err(Invalid::at(at.clone(), message));
        }
        Ok(SecretDraft::Set(self))
    }
}

impl SecretSource {
    /// What answers show of it.
    #[must_use]
    pub fn shown(&self) -> EnvVar {
        match self {
            Self::Literal(secret) => EnvVar { value: redacted(secret), ..EnvVar::default() },
            Self::Environment(name) => EnvVar { value: String::new(), env_var: format!("env.{name}"), from_env: true },
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(_) => f.write_str("[redacted]"),
            Self::Environment(name) => write!(f, "env.{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redaction_keeps_four_characters_of_each_end_of_a_long_secret() {
        assert_eq!(redacted("12345678"), "********");
        assert_eq!(redacted("sk-fake-1234567890"), "sk-f************************7890");
        assert_eq!(redacted("ключ-секрет"), "ключ************************крет");
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let value = VirtualKeyValue::from_uuid(Uuid::nil());
        let source = SecretSource::Literal("sk-fake".to_owned());
        assert_eq!(format!("{value:?} {source:?}"), "[redacted] [redacted]");
    }

    #[test]
    fn secrets_are_read_in_every_form() {
        let read = |json: &str| serde_json::from_str::<SecretSource>(json).map_err(|error| error.to_string());
        let (env, literal) = (SecretSource::from_text("env.NAME"), SecretSource::from_text("x"));
        for json in [
            r#""env.NAME""#,
            r#"{"value":"","env_var":"env.NAME","from_env":true}"#,
            r#"{"env_var":"NAME"}"#,
            r#"{"value":"","ref":"env.NAME","type":"env"}"#,
            r#"{"ref":"NAME","type":"env"}"#,
            r#"{"value":"env.NAME"}"#,
        ] {
            assert_eq!(read(json), Ok(env.clone()), "{json}");
        }
        for json in [r#""x""#, r#"{"value":"x"}"#, r#"{"value":"x","type":"plain_text"}"#] {
            assert_eq!(read(json), Ok(literal.clone()), "{json}");
        }
        for json in [r#""vault.a/b""#, r#"{"ref":"a/b","type":"vault"}"#, r#"{"ref":"vault.a/b"}"#] {
            assert!(read(json).is_err_and(|error| error.contains("vault are not supported")), "{json}");
        }
        for json in ["7", "[]", r#"{"value":"x","type":"magic"}"#, r#"{"vaule":"x"}"#] {
            assert!(read(json).is_err(), "{json}");
        }
        assert!(env.shown().from_env);
    }

    #[test]
    fn what_is_sent_back_as_it_is_shown_stays() {
        let at = Pointer::from("value");
        let give = |text: &str, shown: &str| SecretSource::from_text(text).replacing(Some(shown), &at);
        let shown = redacted("sk-fake-1234567890");
        assert_eq!(give(&shown, &shown), Ok(SecretDraft::Keep));
        assert_eq!(give("******", "******"), Ok(SecretDraft::Keep));
        assert_eq!(give("env.NAME", "env.NAME"), Ok(SecretDraft::Keep));
        let new = SecretSource::from_text("sk-fake-0987654321");
        assert_eq!(give("sk-fake-0987654321", &shown), Ok(SecretDraft::Set(new)));
        for another in [redacted("sk-fake-0987654321"), "*".repeat(6), "*".repeat(32)] {
            assert!(give(&another, &shown).is_err(), "{another}");
            assert!(SecretSource::from_text(&another).replacing(None, &at).is_err(), "{another}");
        }
    }
}
