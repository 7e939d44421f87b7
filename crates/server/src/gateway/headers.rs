//! Headers that cross the gateway. Both directions are allow-lists: what is not named stays out, credentials above all.

use actix_web::http::header::HeaderMap;
use keyward_core::operation::Dialect;

/// Request headers that every provider gets to see.
const TO_PROVIDER: [&str; 4] = ["accept", "user-agent", "traceparent", "tracestate"];
/// What Anthropic's clients send with every request, and the version that a request has without it.
const ANTHROPIC_VERSION: &str = "anthropic-version";
const OLDEST_VERSION: &[u8] = b"2023-06-01";
/// Response headers that the client gets as they are.
const TO_CLIENT: [&str; 7] = [
    "content-type",
    "cache-control",
    "openai-processing-ms",
    "openai-version",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
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
) -> impl Iterator<Item = (String, &'a [u8])> {
    headers.filter_map(|(name, value)| {
        let is_limit = LIMITS.iter().any(|prefix| name.starts_with(prefix));
        let marked = MARKED.contains(&name) || is_limit;
        if TO_CLIENT.contains(&name) {
            Some((name.to_owned(), value))
        } else if marked {
            Some((format!("x-upstream-{}", name.strip_prefix("x-").unwrap_or(name)), value))
        } else {
            None
        }
    })
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
        let told: Vec<String> = to_client(of_provider.iter().map(|(name, value)| (*name, value.as_bytes())))
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
