//! Expiry: an instant that requests give as text and that must lie ahead.

use jiff::Timestamp;

use crate::invalid::Invalid;

/// Reads the member `expires_at`.
pub(crate) fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, Invalid> {
    let refuse = |message: &str| Invalid::at("expires_at".into(), message);
    let instant: Timestamp = text.parse().map_err(|_| refuse("expires_at must be an RFC3339 timestamp"))?;
    if instant <= now {
        return Err(refuse("expires_at must be a future timestamp"));
    }
    Ok(instant)
}
