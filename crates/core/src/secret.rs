//! Secrets and what may be shown of them.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

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

/// A keyed hash of a virtual key's secret: how the key is found without its secret being stored readably.
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
    const MASK: &str = "************************";
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

/// A secret as requests give it: a string (`env.NAME` is a reference), or the object form of [`EnvVar`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SecretForms", into = "String")]
pub enum SecretSource {
    /// The secret itself.
    Literal(String),
    /// The name of an environment variable of the server, without the `env.` prefix.
    Environment(String),
}

/// The two ways to write a secret.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub enum SecretForms {
    /// The secret, or `env.NAME`.
    Text(String),
    /// The object form; `env_var` wins over `value`.
    Object {
        /// The secret itself.
        #[serde(default)]
        value: String,
        /// A reference such as `env.NAME`.
        #[serde(default)]
        env_var: String,
        /// Accepted and ignored: `env_var` tells.
        #[serde(default)]
        #[schema(inline)]
        from_env: bool,
    },
}

impl From<SecretForms> for SecretSource {
    fn from(forms: SecretForms) -> Self {
        let text = match forms {
            SecretForms::Text(text) => text,
            SecretForms::Object { value, env_var, from_env: _ } if env_var.is_empty() => value,
            SecretForms::Object { env_var, .. } => format!("env.{}", env_var.trim_start_matches("env.")),
        };
        match text.strip_prefix("env.") {
            Some(name) => Self::Environment(name.to_owned()),
            None => Self::Literal(text),
        }
    }
}

impl From<SecretSource> for String {
    fn from(source: SecretSource) -> Self {
        match source {
            SecretSource::Literal(secret) => secret,
            SecretSource::Environment(name) => format!("env.{name}"),
        }
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
    fn secrets_are_read_in_both_forms() {
        let read = |json: &str| serde_json::from_str::<SecretSource>(json).unwrap();
        let env = SecretSource::Environment("NAME".to_owned());
        assert_eq!(read(r#""env.NAME""#), env);
        assert_eq!(read(r#"{"value":"","env_var":"env.NAME","from_env":true}"#), env);
        assert_eq!(read(r#"{"value":"x"}"#), SecretSource::Literal("x".to_owned()));
        assert!(env.shown().from_env);
    }
}
