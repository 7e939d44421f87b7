//! Names for people: what every named thing asks of them.

use crate::ids::ProviderName;
use crate::invalid::{Invalid, Pointer};
use crate::provider::KnownProvider;

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

/// The longest name of a model, in bytes: what the gateway takes.
const MAX_MODEL_BYTES: usize = 256;

/// Checks a model's name: not blank, not too long, no control characters.
pub(crate) fn check_model_name(at: &Pointer, name: &str) -> Result<(), Invalid> {
    let refuse = |message: &str| Err(Invalid::at(at.clone(), message));
    if name.trim().is_empty() {
        refuse("Model name is required")
    } else if name.len() > MAX_MODEL_BYTES {
        refuse("model name is longer than 256 bytes")
    } else if name.chars().any(char::is_control) {
        refuse("model name has control characters")
    } else if (name.contains('*') && name != "*") || name.starts_with("regex:") {
        refuse("patterns are not supported as a model name: give one name, or '*' for every model")
    } else {
        Ok(())
    }
}

/// Makes sure that a model of this provider is named as limits and lists of models know it.
pub(crate) fn check_bare_model(at: &Pointer, provider: &ProviderName, model: &str) -> Result<(), Invalid> {
    let bare = KnownProvider::like(provider.as_str()).bare_model(model);
    let message = || format!("model '{model}' is named '{bare}' at provider '{provider}', with nothing before it");
    if bare == model { Ok(()) } else { Err(Invalid::at(at.clone(), message())) }
}
