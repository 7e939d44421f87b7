//! Failures of Bedrock in the words of OpenAI's dialect.

use serde::{Deserialize, Serialize};

/// What Bedrock says of a failure.
#[derive(Deserialize)]
struct Told {
    #[serde(alias = "Message")]
    message: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: Detail<'a>,
}

#[derive(Serialize)]
struct Detail<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: (),
    /// The name of the failure as AWS has it.
    code: Option<&'a str>,
}

/// Failures whose message repeats what was signed, a session's token included.
const OF_SIGNATURES: [&str; 6] = [
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignatureException",
    "IncompleteSignature",
    "UnrecognizedClientException",
    "MissingAuthenticationTokenException",
];

/// The body for a failed request. `error_type` is the header `x-amzn-errortype`.
pub(in super::super) fn error_body(status: u16, error_type: Option<&str>, body: &[u8]) -> Vec<u8> {
    // The header may go on with where the failure is described.
    let name = error_type.map(|text| text.split(':').next().unwrap_or_default()).filter(|name| !name.is_empty());
    let told = serde_json::from_slice::<Told>(body).ok().and_then(|told| told.message);
    let fallback = format!("Bedrock answered with status {status}");
    let kind = match status {
        429 => "rate_limit_exceeded",
        401 => "authentication_error",
        403 => "permission_error",
        400..=499 => "invalid_request_error",
        _ => "upstream_error",
    };
    written(name, told.as_deref().unwrap_or(&fallback), kind)
}

/// The body for a failure in a stream, by its name there.
pub(super) fn in_stream(name: &str, payload: &[u8]) -> Vec<u8> {
    let told = serde_json::from_slice::<Told>(payload).ok().and_then(|told| told.message);
    let kind = match name {
        "throttlingException" => "rate_limit_exceeded",
        "validationException" => "invalid_request_error",
        _ => "upstream_error",
    };
    written(Some(name), told.as_deref().unwrap_or("Bedrock's stream ended with a failure"), kind)
}

pub(super) fn written(name: Option<&str>, message: &str, kind: &'static str) -> Vec<u8> {
    let message = match name {
        Some(name) if OF_SIGNATURES.contains(&name) => "Bedrock did not accept the provider key's credential",
        Some(_) | None => message,
    };
    let body = Body { error: Detail { message, kind, param: (), code: name } };
    // Texts always can be written.
    serde_json::to_vec(&body).unwrap_or_default()
}
