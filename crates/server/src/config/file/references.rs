//! What the entities of a file refer to: everything that the file does not have itself is told. The database may have it.

use std::collections::HashSet;

use keyward_core::declaration::{Declaration, DeclaredKey, DeclaredMcpClient, DeclaredProvider};
use keyward_core::ids::ProviderKeyId;
use keyward_core::invalid::Pointer;
use keyward_core::model_config::CreateModelConfig;
use keyward_core::patch::Patch;
use keyward_core::provider::CreateProviderKey;
use keyward_core::routing_rule::CreateRoutingRule;
use keyward_core::secret::{SecretSource, looks_redacted};
use serde_json::Value;

use super::Problem;
use super::reader::Reader;

/// What a file has, by id or name, and where what it does not have is told.
struct Look<'a> {
    customers: HashSet<&'a str>,
    teams: HashSet<&'a str>,
    virtual_keys: HashSet<&'a str>,
    providers: HashSet<&'a str>,
    keys: HashSet<&'a str>,
    mcp_clients: HashSet<&'a str>,
    dangling: &'a mut Vec<Problem>,
}

/// What can be referred to.
#[derive(Clone, Copy)]
enum Kind {
    Customer,
    Team,
    VirtualKey,
    Provider,
    Key,
    McpClient,
}

impl<'a> Look<'a> {
    fn at(file: &'a Declaration, dangling: &'a mut Vec<Problem>) -> Self {
        let keys = file.providers.iter().flatten().flat_map(|provider| provider.keys.iter().flatten());
        let names = keys.flat_map(|key| key.id.iter().map(|id| id.as_str()).chain([key.request.name.as_str()]));
        let clients = file.mcp_clients.iter().flatten().map(|client| &client.request);
        let clients =
            clients.flat_map(|client| client.client_id.iter().map(|id| id.as_str()).chain([client.name.as_str()]));
        Self {
            customers: file.customers.iter().flatten().map(|one| one.id.as_str()).collect(),
            teams: file.teams.iter().flatten().map(|one| one.id.as_str()).collect(),
            virtual_keys: file.virtual_keys.iter().flatten().map(|one| one.id.as_str()).collect(),
            providers: file.providers.iter().flatten().map(|one| one.name.as_str()).collect(),
            keys: names.collect(),
            mcp_clients: clients.collect(),
            dangling,
        }
    }

    /// The member `member` of what stands at `at` refers to this.
    fn for_one(&mut self, kind: Kind, id: Option<&str>, at: &Pointer, member: &str) {
        self.for_named(kind, id, &at.member(member));
    }

    /// What stands at `at` refers to this.
    fn for_named(&mut self, kind: Kind, id: Option<&str>, at: &Pointer) {
        let (known, what) = match kind {
            Kind::Customer => (&self.customers, "customer"),
            Kind::Team => (&self.teams, "team"),
            Kind::VirtualKey => (&self.virtual_keys, "virtual key"),
            Kind::Provider => (&self.providers, "provider"),
            Kind::Key => (&self.keys, "provider key"),
            Kind::McpClient => (&self.mcp_clients, "MCP client"),
        };
        if let Some(id) = id.filter(|id| !id.is_empty() && !known.contains(id)) {
            self.dangling.push(Problem::new(at, format!("{what} '{id}' is not in this file")));
        }
    }

    fn for_keys(&mut self, list: Option<&Vec<ProviderKeyId>>, at: &Pointer) {
        for (index, id) in list.into_iter().flatten().enumerate().filter(|(_, id)| id.as_str() != "*") {
            self.for_one(Kind::Key, Some(id.as_str()), &at.member("key_ids"), &index.to_string());
        }
    }
}

/// Checks that everything is there that the file refers to, and that names are given once.
pub(super) fn check(file: &Declaration, reader: &mut Reader) {
    let mut look = Look::at(file, &mut reader.dangling);
    for team in file.teams.iter().flatten() {
        let customer = team.request.customer_id.as_ref().map(|id| id.as_str());
        look.for_one(Kind::Customer, customer, &team.at, "customer_id");
    }
    for key in file.virtual_keys.iter().flatten() {
        let request = &key.request;
        look.for_one(Kind::Team, request.team_id.as_ref().map(|id| id.as_str()), &key.at, "team_id");
        look.for_one(Kind::Customer, request.customer_id.as_ref().map(|id| id.as_str()), &key.at, "customer_id");
        look.for_keys(request.key_ids.as_ref(), &key.at);
        for (index, config) in request.provider_configs.iter().flatten().enumerate() {
            let at = key.at.member("provider_configs").element(index);
            look.for_one(Kind::Provider, config.provider.as_ref().map(|name| name.as_str()), &at, "provider");
            look.for_keys(config.key_ids.as_ref(), &at);
        }
        for (config, place) in request.mcp_configs.iter().flatten().zip(&key.mcp_places) {
            look.for_named(Kind::McpClient, config.mcp_client_name.as_deref(), &place.client);
        }
    }
    policies(file, &mut look);
    names(file, reader);
}

fn policies(file: &Declaration, look: &mut Look<'_>) {
    for config in file.model_configs.iter().flatten() {
        let request = &config.request;
        look.for_one(Kind::Provider, request.provider.as_ref().map(|name| name.as_str()), &config.at, "provider");
        look.for_one(Kind::VirtualKey, request.scope_id.as_ref().map(|id| id.as_str()), &config.at, "scope_id");
    }
    for rule in file.routing_rules.iter().flatten() {
        let kind = match rule.request.scope.as_deref() {
            Some("team") => Kind::Team,
            Some("customer") => Kind::Customer,
            Some(_) | None => Kind::VirtualKey,
        };
        look.for_one(kind, rule.request.scope_id.as_deref(), &rule.at, "scope_id");
        for (index, target) in rule.request.targets.iter().flatten().enumerate() {
            let at = rule.at.member("targets").element(index);
            look.for_one(Kind::Key, target.key_id.as_ref().map(|id| id.as_str()), &at, "key_id");
        }
    }
    for price in file.pricing_overrides.iter().flatten() {
        let (request, at) = (&price.request, &price.at);
        look.for_one(Kind::VirtualKey, request.virtual_key_id.as_ref().map(|id| id.as_str()), at, "virtual_key_id");
        look.for_one(Kind::Provider, request.provider_id.as_ref().map(|name| name.as_str()), at, "provider_id");
        look.for_one(Kind::Key, request.provider_key_id.as_ref().map(|id| id.as_str()), at, "provider_key_id");
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
    let clients = file.mcp_clients.iter().flatten();
    twice(clients.clone().map(|one| (&one.at, one.request.name.as_str())).collect(), "name", &name);
    let ids = clients.filter_map(|one| Some((&one.at, one.request.client_id.as_ref()?.as_str()))).collect();
    twice(ids, "client_id", &|id| format!("the client_id '{id}' is there twice"));
    let keys = file.virtual_keys.iter().flatten();
    twice(keys.clone().map(|one| (&one.at, one.request.name.as_str())).collect(), "name", &name);
    let values = keys.filter_map(|one| Some((&one.at, one.value.as_ref()?.expose()))).collect();
    twice(values, "value", &|_| "another virtual key of the file has this value".to_owned());
    let rules: Vec<_> = file.routing_rules.iter().flatten().collect();
    for (index, rule) in rules.iter().enumerate() {
        let place = |one: &CreateRoutingRule| {
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
        let covered = |one: &CreateModelConfig| (one.model_name.clone(), one.provider.clone(), one.scope_id.clone());
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
        warn_of_redacted(&provider.at, reader);
    }
}

/// The same for an MCP client.
pub(super) fn stand_in_client(client: &mut DeclaredMcpClient, reader: &mut Reader) {
    let is_redacted = |source: &SecretSource| matches!(source, SecretSource::Literal(text) if looks_redacted(text));
    let mut redacted = false;
    if let Patch::Value(address) = &mut client.request.connection_string
        && is_redacted(address)
    {
        *address = SecretSource::Literal("https://redacted.invalid".to_owned());
        redacted = true;
    }
    if let Patch::Value(headers) = &mut client.request.headers {
        for source in headers.values_mut().filter(|source| is_redacted(source)) {
            *source = SecretSource::Literal("redacted".to_owned());
            redacted = true;
        }
    }
    if redacted {
        warn_of_redacted(&client.at, reader);
    }
}

fn warn_of_redacted(at: &Pointer, reader: &mut Reader) {
    reader.warn(at, "redacted secrets keep those that are stored: a database without them refuses the file");
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
