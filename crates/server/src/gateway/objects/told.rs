//! What providers say of batches, as far as it matters here. Read leniently: what is not understood says nothing.

use jiff::Timestamp;
use keyward_core::provider_object::{ObjectKind, ObjectState, ProviderObject};
use serde::Deserialize;
use serde_json::Value;

/// What a provider said of an object.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    pub(super) id: Option<String>,
    status: Option<String>,
    processing_status: Option<String>,
    /// The file with what came of the requests.
    pub(super) output_file_id: Option<String>,
    error_file_id: Option<String>,
    expires_at: Value,
}

impl Told {
    pub(super) fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// True when nothing more will be worked off, so that the usage is final.
    pub(super) fn is_done(&self, kind: ObjectKind) -> bool {
        let is_one_of =
            |status: &Option<String>, ends: &[&str]| status.as_deref().is_some_and(|status| ends.contains(&status));
        match kind {
            ObjectKind::Response | ObjectKind::File => false,
            ObjectKind::Batch => is_one_of(&self.status, &["completed", "failed", "expired", "cancelled"]),
            ObjectKind::MessageBatch => is_one_of(&self.processing_status, &["ended"]),
        }
    }

    /// The files that a batch has brought forth: they belong to whoever made the batch.
    pub(super) fn files_of(&self, batch: &ProviderObject) -> Vec<ProviderObject> {
        if batch.kind != ObjectKind::Batch {
            return Vec::new();
        }
        let ids = [&self.output_file_id, &self.error_file_id].into_iter().flatten();
        let file = |id: &String| ProviderObject {
            kind: ObjectKind::File,
            id: id.clone(),
            endpoint: None,
            models: Vec::new(),
            state: ObjectState::Kept,
            told: None,
            expires_at: None,
            ..batch.clone()
        };
        ids.filter(|id| ProviderObject::is_id(id)).map(file).collect()
    }

    /// When the object goes by itself, if that was said in seconds, as OpenAI does. What Anthropic says as a text is until when a batch is
    /// worked off: its results stay.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.expires_at.as_i64()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_read_in_seconds_and_hides_nothing_in_another_form() {
        let told = |body: &str| Told::read(body.as_bytes());
        assert_eq!(told(r#"{"id":"a","expires_at":60}"#).expires_at().unwrap().as_second(), 60);
        let text = told(r#"{"id":"a","expires_at":"2026-10-02T12:00:00Z"}"#);
        assert_eq!((text.id.as_deref(), text.expires_at()), (Some("a"), None));
    }

    #[test]
    fn only_what_has_come_to_its_end_is_done() {
        let is_done = |kind, body: &str| Told::read(body.as_bytes()).is_done(kind);
        for status in ["completed", "failed", "expired", "cancelled"] {
            assert!(is_done(ObjectKind::Batch, &format!(r#"{{"status":"{status}"}}"#)), "{status}");
        }
        for status in ["validating", "in_progress", "finalizing", "cancelling", "ended"] {
            assert!(!is_done(ObjectKind::Batch, &format!(r#"{{"status":"{status}"}}"#)), "{status}");
        }
        assert!(is_done(ObjectKind::MessageBatch, r#"{"processing_status":"ended"}"#));
        assert!(!is_done(ObjectKind::MessageBatch, r#"{"processing_status":"canceling"}"#));
        assert!(!is_done(ObjectKind::MessageBatch, "no JSON"));
    }
}
