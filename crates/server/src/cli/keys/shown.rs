//! What a person is shown of one virtual key.

use jiff::Timestamp;
use keyward_client::{ProviderConfig, VirtualKey};

use super::super::limit_rows::{HEAD, of_key};
use super::super::output::{self, instant, plain};

/// Everything about a key but its secret.
pub(super) fn without_secret(key: &VirtualKey, now: Timestamp) -> String {
    whole(key, None, now)
}

/// Everything about a key that was made now.
pub(super) fn with_secret(key: &VirtualKey, now: Timestamp) -> String {
    whole(key, Some(key.value.expose().to_owned()), now)
}

fn whole(key: &VirtualKey, secret: Option<String>, now: Timestamp) -> String {
    let until = |at: Timestamp| format!("{} UTC", instant(at));
    let labels: Vec<String> = key.metadata.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect();
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let members = [
        ("Name", Some(plain(&key.name))),
        ("Id", Some(key.id.to_string())),
        ("Description", some(plain(&key.description))),
        ("Status", Some(status(key, now))),
        ("Owner", Some(owner(key))),
        ("May use", Some(allowed(key))),
        ("In parallel", key.max_parallel_requests.map(|count| format!("at most {count} requests"))),
        ("Labels", some(labels.join(", "))),
        ("Expires", key.expires_at.map(until)),
        ("Made", Some(until(key.created_at))),
        ("Rotated", key.rotated_at.map(until)),
        ("Secret", secret),
        ("Old secret", key.previous_value_expires_at.map(|at| format!("works until {}", until(at)))),
    ];
    format!("{}{}", output::members(members), limits(key))
}

/// Whose key it is.
pub(super) fn owner(key: &VirtualKey) -> String {
    match (&key.team, &key.customer) {
        (Some(team), _) => format!("team {}", plain(&team.name)),
        (None, Some(customer)) => format!("customer {}", plain(&customer.name)),
        (None, None) => "nobody".to_owned(),
    }
}

/// Whether the gateway takes the key.
pub(super) fn status(key: &VirtualKey, now: Timestamp) -> String {
    let has_expired = key.expires_at.is_some_and(|at| at <= now);
    match (key.is_active, has_expired) {
        (false, _) => "inactive",
        (true, true) => "expired",
        (true, false) => "active",
    }
    .to_owned()
}

fn allowed(key: &VirtualKey) -> String {
    let mut lines: Vec<String> = key.provider_configs.iter().map(at_provider).collect();
    match (key.allow_all_providers, lines.is_empty()) {
        (true, true) => lines.push("every provider and model".to_owned()),
        (true, false) => lines.push("every other provider".to_owned()),
        (false, true) => lines.push("nothing".to_owned()),
        (false, false) => {}
    }
    lines.join("\n")
}

fn at_provider(config: &ProviderConfig) -> String {
    let models = match (config.allowed_models.is_everything(), config.allowed_models.entries()) {
        (true, _) => "every model".to_owned(),
        (false, []) => "no model".to_owned(),
        (false, models) => plain(&models.join(", ")),
    };
    let but = match config.blacklisted_models.entries() {
        [] => String::new(),
        models => format!(" but {}", plain(&models.join(", "))),
    };
    format!("{}: {models}{but}", config.provider)
}

fn limits(key: &VirtualKey) -> String {
    let rows = of_key(key);
    if rows.is_empty() {
        return "\nIt has no limits of its own.\n".to_owned();
    }
    let [counts, used, limit, share, window, resets] = HEAD;
    let rows = rows
        .into_iter()
        .map(|(about, [what, used, cap, share, window, resets])| [about, what, used, cap, share, window, resets]);
    format!("\n{}", output::table(["LIMIT OF", counts, used, limit, share, window, resets], rows))
}
