//! Headers of answers that hold for whole classes of them, so that no operation's description repeats them.

use crate::document::Operation;

/// Where a header may be.
enum Place {
    /// In any answer.
    Anywhere,
    /// In answers with one of these statuses.
    At(&'static [u16]),
    /// In errors, of any status.
    Errors,
    /// In any answer of one of these operations.
    Of(&'static [&'static str]),
}

/// Names and places. A name that ends in `*` is a prefix.
const CONVENTIONS: [(&str, Place); 29] = [
    // HTTP itself, and what stands in front of a server.
    ("content-type", Place::Anywhere),
    ("content-length", Place::Anywhere),
    ("transfer-encoding", Place::Anywhere),
    ("connection", Place::Anywhere),
    ("keep-alive", Place::Anywhere),
    ("date", Place::Anywhere),
    ("server", Place::Anywhere),
    ("via", Place::Anywhere),
    ("alt-svc", Place::Anywhere),
    ("strict-transport-security", Place::Anywhere),
    ("vary", Place::Anywhere),
    ("access-control-*", Place::Anywhere),
    ("cache-control", Place::Anywhere),
    // docs/api.md, "Answers".
    ("x-request-id", Place::Anywhere),
    ("request-id", Place::Anywhere),
    ("x-should-retry", Place::Errors),
    ("retry-after", Place::At(&[402, 429, 503])),
    ("retry-after-ms", Place::At(&[402, 429, 503])),
    ("www-authenticate", Place::At(&[401])),
    ("allow", Place::At(&[405])),
    ("set-cookie", Place::Of(&["session_login", "session_logout"])),
    // docs/limits.md, and what the gateway tells besides and passes on.
    ("ratelimit", Place::Anywhere),
    ("ratelimit-policy", Place::Anywhere),
    ("x-ratelimit-*", Place::Anywhere),
    ("x-keyward-*", Place::Anywhere),
    ("x-upstream-*", Place::Anywhere),
    ("openai-processing-ms", Place::Anywhere),
    ("openai-version", Place::Anywhere),
    ("x-accel-buffering", Place::Of(&["mcp_message_create"])),
];

/// Headers that every answer must have.
pub(crate) const REQUIRED: [&str; 1] = ["x-request-id"];

/// Whether a header may be in an answer, by the document or by a convention.
pub(crate) fn is_known(name: &str, status: u16, operation: &Operation) -> bool {
    let response = operation.response(&status.to_string());
    let mut declared = response.and_then(|response| response.get("headers")?.as_object()).into_iter().flatten();
    declared.any(|(declared, _)| declared.eq_ignore_ascii_case(name))
        || CONVENTIONS.iter().any(|(known, place)| is_named(known, name) && place.holds(status, operation))
}

fn is_named(known: &str, name: &str) -> bool {
    known.strip_suffix('*').map_or(known == name, |prefix| name.starts_with(prefix))
}

impl Place {
    fn holds(&self, status: u16, operation: &Operation) -> bool {
        match self {
            Self::Anywhere => true,
            Self::At(statuses) => statuses.contains(&status),
            Self::Errors => status >= 400,
            Self::Of(operations) => operations.contains(&operation.id.as_str()),
        }
    }
}
