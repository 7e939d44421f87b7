//! Decoding: JSON bodies into types, with an error that names the place but never repeats a value.

use serde::de::DeserializeOwned;

use crate::error::Error;

/// Reads a body that came with `status`.
///
/// # Errors
/// [`Error::Decode`] with the path to the member that does not fit.
pub(crate) fn decode<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<T, Error> {
    let refuse = |path: String, error: &serde_json::Error| Error::Decode { status, path, reason: reason(error) };
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| refuse(error.path().to_string(), error.inner()))?;
    deserializer.end().map_err(|error| refuse(".".to_owned(), &error))?;
    Ok(value)
}

/// The error's message up to where it begins to quote the body, which may have a secret in it.
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    // These name members of our types, not of the body.
    let quotes_only_names = ["missing field", "duplicate field"].iter().any(|prefix| message.starts_with(prefix));
    match message.find([':', '`', '"', '\'']) {
        Some(quote) if !quotes_only_names => {
            let kind = message.get(..quote).unwrap_or_default().trim_end();
            format!("{kind} at line {} column {}", error.line(), error.column())
        }
        Some(_) | None => message,
    }
}

#[cfg(test)]
mod tests {
    use keyward_core::list::{Done, TeamList, VirtualKeyChanged};
    use keyward_core::refusal::LimitRefusal;

    use super::*;

    fn failure<T: DeserializeOwned + std::fmt::Debug>(body: &str) -> (String, String) {
        match decode::<T>(200, body.as_bytes()) {
            Err(Error::Decode { status: 200, path, reason }) => (path, reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_path_leads_to_the_member_at_fault() {
        let body = r#"{"teams":[{"id":"t","name":7}],"count":1,"total_count":1,"limit":1,"offset":0}"#;
        assert_eq!(failure::<TeamList>(body).0, "teams[0].name");
        let (path, reason) = failure::<Done>("{}");
        assert_eq!((path.as_str(), reason.as_str()), (".", "missing field `message` at line 1 column 2"));
    }

    #[test]
    fn values_are_not_repeated() {
        let bodies = [
            r#"{"message":"","virtual_key":"sk-bf-hunter2"}"#,
            r#"{"message":{"sk":"sk-bf-hunter2"}}"#,
            r#""sk-bf-hunter2""#,
            "sk-bf-hunter2",
            r#"{"message":"","virtual_key":{"id":"","name":"","value":"","description":"","is_active":"sk-bf-hunter2"}}"#,
        ];
        for body in bodies {
            let (path, reason) = failure::<VirtualKeyChanged>(body);
            assert!(!format!("{path} {reason}").contains("hunter2"), "{path}: {reason}");
        }
    }

    #[test]
    fn what_follows_the_value_is_refused() {
        assert_eq!(failure::<Done>(r#"{"message":"x"} {}"#).1, "trailing characters at line 1 column 17");
    }

    #[test]
    fn exact_numbers_survive_the_path_tracking() {
        let body = r#"{"scope":{"kind":"team","id":"t"},"limit":"l","metric":"cost","limit_value":0.010000001,"used":0.3,
            "held":0,"requested":1e-9,"resets_at":"2026-11-24T00:00:00Z"}"#;
        let body = body.replace("1e-9", "0.000000001");
        let refusal: LimitRefusal = decode(200, body.as_bytes()).unwrap();
        assert_eq!(refusal.limit_value.usd().unwrap().nanos(), 10_000_001);
        assert_eq!(refusal.requested.usd().unwrap().nanos(), 1);
    }
}
