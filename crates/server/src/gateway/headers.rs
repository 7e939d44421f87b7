//! Headers that cross the gateway. Both directions are allow-lists: what is not named stays out, credentials above all.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use keyward_core::operation::Dialect;

/// Request headers that every provider gets to see.
const TO_PROVIDER: [&str; 4] = ["accept", "user-agent", "traceparent", "tracestate"];
/// What Anthropic's clients send with every request, and the version that a request has without it.
const ANTHROPIC_VERSION: &str = "anthropic-version";
const OLDEST_VERSION: &[u8] = b"2023-06-01";
/// Response headers that the client gets as they are.
const TO_CLIENT: [HeaderName; 7] = [
    CONTENT_TYPE,
    CACHE_CONTROL,
    HeaderName::from_static("openai-processing-ms"),
    HeaderName::from_static("openai-version"),
    RETRY_AFTER,
    HeaderName::from_static("retry-after-ms"),
    HeaderName::from_static("x-should-retry"),
];
/// Response headers that speak of the provider's account: the client gets them under a name that says so.
const MARKED: [&str; 2] = ["x-request-id", "request-id"];
/// How the names of headers begin that tell the provider's limits, which are not ours.
const LIMITS: [&str; 3] = ["x-ratelimit-", "ratelimit", "anthropic-ratelimit-"];

/// The client's headers for a provider whose dialect it speaks.
pub(super) fn to_provider(headers: &HeaderMap, dialect: Dialect) -> Vec<(&'static str, Vec<u8>)> {
    let own: &[&'static str] = match dialect {
        Dialect::OpenAi => &["openai-beta"],
        Dialect::Anthropic => &[ANTHROPIC_VERSION, "anthropic-beta"],
        Dialect::Gemini => &["x-goog-api-client"],
    };
    let pick = |name: &'static str| Some((name, headers.get(name)?.as_bytes().to_vec()));
    let mut picked: Vec<_> = TO_PROVIDER.into_iter().chain(own.iter().copied()).filter_map(pick).collect();
    if dialect == Dialect::Anthropic && !headers.contains_key(ANTHROPIC_VERSION) {
        picked.push((ANTHROPIC_VERSION, OLDEST_VERSION.to_vec()));
    }
    picked
}

/// The provider's headers for the client.
pub(super) fn to_client<'a>(
    headers: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> impl Iterator<Item = (HeaderName, &'a [u8])> {
    headers.filter_map(|(name, value)| Some((name_for_client(name)?, value)))
}

/// What the client gets a provider's header as; none: not at all.
fn name_for_client(name: &str) -> Option<HeaderName> {
    if let Some(known) = TO_CLIENT.iter().find(|known| *known == name) {
        return Some(known.clone());
    }
    let is_marked = MARKED.contains(&name) || LIMITS.iter().any(|prefix| name.starts_with(prefix));
    let marked = || HeaderName::try_from(format!("x-upstream-{}", name.strip_prefix("x-").unwrap_or(name))).ok();
    is_marked.then(marked).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_providers_limits_are_never_told_as_ours() {
        let of_provider = [
            ("content-type", "application/json"),
            ("set-cookie", "a=b"),
            ("x-ratelimit-limit-tokens", "1"),
            ("anthropic-ratelimit-tokens-remaining", "2"),
            ("ratelimit", "3"),
            ("ratelimit-policy", "4"),
        ];
        let told: Vec<HeaderName> = to_client(of_provider.iter().map(|(name, value)| (*name, value.as_bytes())))
            .map(|(name, _)| name)
            .collect();
        let expected = [
            "content-type",
            "x-upstream-ratelimit-limit-tokens",
            "x-upstream-anthropic-ratelimit-tokens-remaining",
            "x-upstream-ratelimit",
            "x-upstream-ratelimit-policy",
        ];
        assert_eq!(told, expected);
    }
}
