//! Names for people: what every named thing asks of them.

use crate::invalid::Invalid;

/// The longest name, in characters.
const MAX_NAME_CHARS: usize = 256;

/// Checks a name: not blank, not too long, no control characters.
pub(crate) fn check_name(name: &str, when_missing: &str) -> Result<(), Invalid> {
    let refuse = |message: &str| Err(Invalid::at("name".into(), message));
    if name.trim().is_empty() {
        refuse(when_missing)
    } else if name.chars().count() > MAX_NAME_CHARS {
        refuse("name is longer than 256 characters")
    } else if name.chars().any(char::is_control) {
        refuse("name has control characters")
    } else {
        Ok(())
    }
}
