//! Metadata: labels that people put on virtual keys. Keyward stores and finds them, and gives them no meaning.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::invalid::{Invalid, Pointer};

/// Labels of a virtual key: at most 50, keys of up to 256 letters, digits, `.`, `_` and `-`, values of up to 512 characters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = std::collections::HashMap<String, String>, example = json!({"env": "prod"}))]
pub struct Metadata(BTreeMap<String, String>);

const MAX_ENTRIES: usize = 50;
const MAX_KEY: usize = 256;
const MAX_VALUE_CHARS: usize = 512;
/// Keys that the compatible product uses itself.
const RESERVED: [&str; 1] = ["isAsyncRequest"];
const RESERVED_PREFIX: &str = "bifrost_alb_";

impl Metadata {
    /// True when there is no label.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every label.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Checks the labels of a request.
    ///
    /// # Errors
    /// The first label that is not allowed.
    pub fn check(&self) -> Result<(), Invalid> {
        let at = Pointer::from("metadata");
        if self.0.len() > MAX_ENTRIES {
            return Err(Invalid::at(at, format!("metadata has more than {MAX_ENTRIES} entries")));
        }
        self.0.iter().try_for_each(|(key, value)| {
            let at = at.member(key);
            check_key(key).map_err(|why| Invalid::at(at.clone(), format!("invalid metadata key \"{key}\": {why}")))?;
            if value.chars().count() > MAX_VALUE_CHARS || value.chars().any(char::is_control) {
                let why = format!("its value must have at most {MAX_VALUE_CHARS} characters and no control characters");
                return Err(Invalid::at(at, format!("invalid metadata value of \"{key}\": {why}")));
            }
            Ok(())
        })
    }
}

impl FromIterator<(String, String)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(labels: I) -> Self {
        Self(labels.into_iter().collect())
    }
}

/// Checks the key of a label.
pub(super) fn check_key(key: &str) -> Result<(), &'static str> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if key.is_empty() || key.len() > MAX_KEY {
        Err("it must have 1 to 256 characters")
    } else if !key.chars().all(legal) {
        Err("it may have letters, digits, '.', '_' and '-' only")
    } else if RESERVED.contains(&key) || key.starts_with(RESERVED_PREFIX) {
        Err("it is reserved")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(key: &str, value: &str) -> Option<String> {
        let metadata: Metadata = [(key.to_owned(), value.to_owned())].into_iter().collect();
        metadata.check().err().map(|invalid| invalid.message)
    }

    #[test]
    fn keys_and_values_have_their_limits() {
        assert_eq!(refused("env.name_1-x", "prod"), None);
        assert_eq!(refused(&"k".repeat(256), &"v".repeat(512)), None);
        for key in ["", "a b", "ключ", "isAsyncRequest", "bifrost_alb_x", &"k".repeat(257)] {
            let message = refused(key, "v").unwrap();
            assert!(message.starts_with(&format!("invalid metadata key \"{key}\": ")), "{message}");
        }
        assert!(refused("k", &"v".repeat(513)).is_some());
        assert!(refused("k", "a\nb").is_some());
        let many: Metadata = (0..51).map(|number| (format!("k{number}"), String::new())).collect();
        assert!(many.check().is_err());
    }
}
