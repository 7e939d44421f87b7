//! What the entities of a file refer to: everything that the file does not have itself is told. The database may have it.

use std::collections::HashSet;

use keyward_core::declaration::{Declaration, DeclaredKey, DeclaredProvider};
use keyward_core::invalid::Pointer;
use keyward_core::patch::Patch;
use keyward_core::provider::CreateProviderKey;
use keyward_core::secret::{SecretSource, looks_redacted};
use serde_json::Value;

use super::Problem;
use super::reader::Reader;

/// What a file has, by id or name.
struct Known<'a> {
    customers: HashSet<&'a str>,
    teams: HashSet<&'a str>,
    virtual_keys: HashSet<&'a str>,
    providers: HashSet<&'a str>,
    keys: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(file: &'a Declaration) -> Self {
        let keys = file.providers.iter().flatten().flat_map(|provider| provider.keys.iter().flatten());
        let names = keys.flat_map(|key| key.id.iter().map(|id| id.as_str()).chain([key.request.name.as_str()]));
        Self {
            customers: file.customers.iter().flatten().map(|one| one.id.as_str()).collect(),
            teams: file.teams.iter().flatten().map(|one| one.id.as_str()).collect(),
            virtual_keys: file.virtual_keys.iter().flatten().map(|one| one.id.as_str()).collect(),
            providers: file.providers.iter().flatten().map(|one| one.name.as_str()).collect(),
            keys: names.collect(),
        }
    }
}

/// Checks that everything is there that the file refers to, and that names are given once.
pub(super) fn check(file: &Declaration, reader: &mut Reader) {
    let known = Known::of(file);
    let mut missing = |set: &HashSet<&str>, id: Option<&str>, what: &str, at: Pointer| {
        if let Some(id) = id.filter(|id| !id.is_empty() && !set.contains(id)) {
            reader.dangling.push(Problem::new(&at, format!("{what} '{id}' is not in this file")));
        }
    };
    for team in file.teams.iter().flatten() {
        let customer = team.request.customer_id.as_ref().map(|id| id.as_str());
        missing(&known.customers, customer, "customer", team.at.member("customer_id"));
    }
    for key in file.virtual_keys.iter().flatten() {
        let (team, customer) = (&key.request.team_id, &key.request.customer_id);
        missing(&known.teams, team.as_ref().map(|id| id.as_str()), "team", key.at.member("team_id"));
        missing(&known.customers, customer.as_ref().map(|id| id.as_str()), "customer", key.at.member("customer_id"));
        let mut keys = |list: Option<&Vec<keyward_core::ids::ProviderKeyId>>, at: Pointer| {
            for (index, id) in list.into_iter().flatten().enumerate().filter(|(_, id)| id.as_str() != "*") {
                missing(&known.keys, Some(id.as_str()), "provider key", at.element(index));
            }
        };
        keys(key.request.key_ids.as_ref(), key.at.member("key_ids"));
        for (index, config) in key.request.provider_configs.iter().flatten().enumerate() {
            let at = key.at.member("provider_configs").element(index);
            keys(config.key_ids.as_ref(), at.member("key_ids"));
        }
        for (index, config) in key.request.provider_configs.iter().flatten().enumerate() {
            let at = key.at.member("provider_configs").element(index);
            let provider = config.provider.as_ref().map(|name| name.as_str());
            missing(&known.providers, provider, "provider", at.member("provider"));
        }
    }
    policies(file, &known, &mut missing);
    names(file, reader);
}

fn policies(
    file: &Declaration,
    known: &Known<'_>,
    missing: &mut dyn FnMut(&HashSet<&str>, Option<&str>, &str, Pointer),
) {
    for config in file.model_configs.iter().flatten() {
        let provider = config.request.provider.as_ref().map(|name| name.as_str());
        missing(&known.providers, provider, "provider", config.at.member("provider"));
        let key = config.request.scope_id.as_ref().map(|id| id.as_str());
        missing(&known.virtual_keys, key, "virtual key", config.at.member("scope_id"));
    }
    for rule in file.routing_rules.iter().flatten() {
        let scope_id = rule.request.scope_id.as_deref();
        let (set, what) = match rule.request.scope.as_deref() {
            Some("team") => (&known.teams, "team"),
            Some("customer") => (&known.customers, "customer"),
            _ => (&known.virtual_keys, "virtual key"),
        };
        missing(set, scope_id, what, rule.at.member("scope_id"));
        for (index, target) in rule.request.targets.iter().flatten().enumerate() {
            let pinned = target.key_id.as_ref().map(|id| id.as_str());
            missing(&known.keys, pinned, "provider key", rule.at.member("targets").element(index).member("key_id"));
        }
    }
    for price in file.pricing_overrides.iter().flatten() {
        let request = &price.request;
        let key = request.virtual_key_id.as_ref().map(|id| id.as_str());
        missing(&known.virtual_keys, key, "virtual key", price.at.member("virtual_key_id"));
        let provider = request.provider_id.as_ref().map(|name| name.as_str());
        missing(&known.providers, provider, "provider", price.at.member("provider_id"));
        let pinned = request.provider_key_id.as_ref().map(|id| id.as_str());
        missing(&known.keys, pinned, "provider key", price.at.member("provider_key_id"));
    }
}

/// Names are unique among the things of a kind, and values among virtual keys.
fn names(file: &Declaration, reader: &mut Reader) {
    let mut twice = |named: Vec<(&Pointer, &str)>, member: &str, what: &dyn Fn(&str) -> String| {
        let mut seen = HashSet::new();
        for (at, name) in named {
            if !name.is_empty() && !seen.insert(name) {
                reader.error(&at.member(member), what(name));
            }
        }
    };
    let name = |name: &str| format!("the name '{name}' is there twice");
    twice(file.customers.iter().flatten().map(|one| (&one.at, one.request.name.as_str())).collect(), "name", &name);
    twice(file.teams.iter().flatten().map(|one| (&one.at, one.request.name.as_str())).collect(), "name", &name);
    let keys = file.virtual_keys.iter().flatten();
    twice(keys.clone().map(|one| (&one.at, one.request.name.as_str())).collect(), "name", &name);
    let values = keys.filter_map(|one| Some((&one.at, one.value.as_ref()?.expose()))).collect();
    twice(values, "value", &|_| "another virtual key of the file has this value".to_owned());
    let rules: Vec<_> = file.routing_rules.iter().flatten().collect();
    for (index, rule) in rules.iter().enumerate() {
        let place = |one: &keyward_core::routing_rule::CreateRoutingRule| {
            (one.scope.clone().filter(|scope| scope != "global"), one.scope_id.clone(), one.name.clone())
        };
        if rules.iter().take(index).any(|other| place(&other.request) == place(&rule.request)) {
            reader.error(
                &rule.at.member("name"),
                format!("the name '{}' is there twice in its scope", rule.request.name),
            );
        }
    }
    let configs: Vec<_> = file.model_configs.iter().flatten().collect();
    for (index, config) in configs.iter().enumerate() {
        let covered = |one: &keyward_core::model_config::CreateModelConfig| {
            (one.model_name.clone(), one.provider.clone(), one.scope_id.clone())
        };
        if configs.iter().take(index).any(|other| covered(&other.request) == covered(&config.request)) {
            reader.error(&config.at, "another element covers the same model, provider and scope");
        }
    }
}

/// Puts something else in the place of redacted secrets, and says what they need.
pub(super) fn stand_in(provider: &mut DeclaredProvider, reader: &mut Reader) {
    let headers = match &mut provider.request.network_config.extra_headers {
        Patch::Value(headers) => Some(headers),
        Patch::Absent | Patch::Null => None,
    };
    let mut redacted = false;
    for source in headers.into_iter().flat_map(|headers| headers.values_mut()) {
        if matches!(source, SecretSource::Literal(text) if looks_redacted(text)) {
            *source = SecretSource::Literal("redacted".to_owned());
            redacted = true;
        }
    }
    for key in provider.keys.iter_mut().flatten() {
        redacted |= key_stand_in(key);
    }
    if redacted {
        reader.warn(
            &provider.at,
            "redacted secrets keep those that are stored: a database without them refuses the file",
        );
    }
}

fn key_stand_in(key: &mut DeclaredKey) -> bool {
    let Ok(mut value) = serde_json::to_value(&key.request) else { return false };
    let redacted = replace(&mut value);
    if let (true, Ok(request)) = (redacted, serde_json::from_value::<CreateProviderKey>(value)) {
        key.request = request;
    }
    redacted
}

fn replace(value: &mut Value) -> bool {
    match value {
        Value::String(text) if looks_redacted(text) => {
            "redacted".clone_into(text);
            true
        }
        Value::Object(members) => members.values_mut().fold(false, |any, member| replace(member) | any),
        // Lists are of models, of which `*` is all.
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
