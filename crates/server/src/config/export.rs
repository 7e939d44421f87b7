//! The state of a database as a configuration file that would leave it as it is. There are no secrets in it: those of variables
//! are references, others are redacted, and the values of virtual keys are left out.

use std::collections::BTreeMap;
use std::sync::mpsc;

use keyward_core::budget::Budget;
use keyward_core::ids::ProviderKeyId;
use keyward_core::limits::Limits;
use keyward_core::list::Page;
use keyward_core::mcp_client::{McpClient, McpClientFilter};
use keyward_core::provider::{DEMO_PROVIDER, Provider};
use keyward_core::provider_config::ProviderConfig;
use keyward_core::rate_limit::RateLimit;
use keyward_core::routing_rule::RoutingRuleFilter;
use keyward_core::secret::EnvVar;
use keyward_core::virtual_key::{McpConfig, VirtualKey};
use keyward_core::zone::Zone;
use keyward_store::{ConfigRecord, Policies, Store, StoreError, StoredPassword};
use serde::Serialize;
use serde_json::json;

use super::file::Node;

/// Why the state cannot be written down.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database cannot be read.
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
    /// Something cannot be written as JSON.
    #[error("the state cannot be written down")]
    Json(#[from] serde_json::Error),
}

/// The file as text: the same state is the same text.
///
/// # Errors
/// Only faults.
pub async fn export(store: &Store) -> Result<String, ExportError> {
    let providers = store.provider_list().await?;
    let rules = store.routing_rule_list(RoutingRuleFilter::default()).await?.entries;
    let every_client = McpClientFilter { page: Page::unbounded(), ..McpClientFilter::default() };
    let clients = store.mcp_client_list(every_client).await?.entries;
    let config = store.config_get().await?;
    let mut policies = store.policies_load().await?;
    let keys = every_virtual_key(store).await?;
    let names = Names::of(&providers);
    let mut limits = LimitLists::default();
    let mut governance = Node::of(&json!({}))?;
    governance.set("customers", customers(&mut policies, &mut limits)?);
    governance.set("teams", teams(&mut policies, &mut limits)?);
    governance.set("virtual_keys", virtual_keys(keys, &names, &mut limits)?);
    governance.set("model_configs", model_configs(&mut policies, &mut limits)?);
    let mut rules = rules.iter().map(|rule| routing_rule(rule, &names)).collect::<Result<Vec<_>, _>>()?;
    rules.sort_by_key(Node::id);
    governance.set("routing_rules", Node::List(rules));
    governance.set("pricing_overrides", pricing_overrides(&policies, &names)?);
    limits.budgets.sort_by_key(Node::id);
    limits.rate_limits.sort_by_key(Node::id);
    governance.set("budgets", Node::List(limits.budgets));
    governance.set("rate_limits", Node::List(limits.rate_limits));
    if let Some(auth) = auth(&config)? {
        governance.set("auth_config", auth);
    }
    let mut file = Node::of(&json!({}))?;
    file.set("client", client(&config)?);
    file.set("governance", governance);
    let mut mcp = Node::of(&json!({}))?;
    mcp.set("client_configs", mcp_clients(clients.into_iter().map(|entry| entry.config).collect())?);
    file.set("mcp", mcp);
    file.set("providers", provider_map(&providers)?);
    Ok(serde_json::to_string_pretty(&file)? + "\n")
}

/// The names of provider keys by their ids.
struct Names(Vec<(ProviderKeyId, String)>);

impl Names {
    fn of(providers: &[Provider]) -> Self {
        let keys = providers.iter().flat_map(|provider| &provider.keys);
        Self(keys.map(|key| (key.id.clone(), key.name.clone())).collect())
    }

    fn name(&self, id: &ProviderKeyId) -> String {
        let found = self.0.iter().find(|(known, _)| known == id);
        found.map_or_else(|| id.to_string(), |(_, name)| name.clone())
    }
}

/// The sections of limits while they are written.
#[derive(Default)]
struct LimitLists {
    budgets: Vec<Node>,
    rate_limits: Vec<Node>,
}

impl LimitLists {
    /// Adds the limits of an owner, which budgets name by `member`.
    fn add(
        &mut self,
        limits: &Limits,
        calendar_aligned: bool,
        member: &str,
        owner: &impl Serialize,
    ) -> Result<(), serde_json::Error> {
        for budget in &limits.budgets {
            let mut node = budget_node(budget, calendar_aligned)?;
            node.set("id", Node::of(&budget.id)?);
            node.set(member, Node::of(owner)?);
            self.budgets.push(node);
        }
        if let Some(limit) = &limits.rate_limit {
            let mut node = rate_limit_node(limit, calendar_aligned)?;
            node.set("id", Node::of(&limit.id)?);
            self.rate_limits.push(node);
        }
        Ok(())
    }
}

/// A rate limit without its id. What it has from its owner's calendar setting is not repeated.
fn rate_limit_node(limit: &RateLimit, calendar_aligned: bool) -> Result<Node, serde_json::Error> {
    let members = [
        "token_max_limit",
        "token_reset_duration",
        "request_max_limit",
        "request_reset_duration",
        "enforcement",
        "output_clamp",
    ];
    let mut node = only(limit, &members)?;
    if limit.calendar_aligned != (calendar_aligned && limit.can_be_aligned()) {
        node.set("calendar_aligned", Node::of(&limit.calendar_aligned)?);
    }
    Ok(node)
}

/// A budget without its id and its owner. What it has from its owner's calendar setting is not repeated.
fn budget_node(budget: &Budget, calendar_aligned: bool) -> Result<Node, serde_json::Error> {
    let mut node = only(budget, &["max_limit", "reset_duration", "reset_config", "enforcement", "output_clamp"])?;
    if budget.calendar_aligned != (calendar_aligned && budget.reset_duration.calendar().is_some()) {
        node.set("calendar_aligned", Node::of(&budget.calendar_aligned)?);
    }
    if budget.timezone != Zone::default() {
        node.set("timezone", Node::of(&budget.timezone)?);
    }
    Ok(node)
}

/// The thing with these members and no others.
fn only(thing: &impl Serialize, names: &[&str]) -> Result<Node, serde_json::Error> {
    let mut node = Node::of(thing)?;
    node.keep(|name, value| names.contains(&name) && !value.is_null());
    Ok(node)
}

fn customers(policies: &mut Policies, limits: &mut LimitLists) -> Result<Node, serde_json::Error> {
    policies.customers.sort_by(|one, other| one.id.cmp(&other.id));
    let nodes = policies.customers.iter().map(|customer| {
        limits.add(&customer.limits(), customer.calendar_aligned, "customer_id", &customer.id)?;
        only(customer, &["id", "name", "calendar_aligned", "rate_limit_id"])
    });
    Ok(Node::List(nodes.collect::<Result<_, _>>()?))
}

fn teams(policies: &mut Policies, limits: &mut LimitLists) -> Result<Node, serde_json::Error> {
    policies.teams.sort_by(|one, other| one.id.cmp(&other.id));
    let nodes = policies.teams.iter().map(|team| {
        limits.add(&team.limits(), team.calendar_aligned, "team_id", &team.id)?;
        only(team, &["id", "name", "customer_id", "calendar_aligned", "rate_limit_id"])
    });
    Ok(Node::List(nodes.collect::<Result<_, _>>()?))
}

const OF_VIRTUAL_KEYS: [&str; 13] = [
    "allow_all_providers",
    "calendar_aligned",
    "customer_id",
    "delete_after_expire",
    "description",
    "disable_content_logging",
    "expires_at",
    "id",
    "is_active",
    "max_parallel_requests",
    "metadata",
    "name",
    "rate_limit_id",
];

/// Every virtual key, in an order that is the same in every database.
async fn every_virtual_key(store: &Store) -> Result<Vec<VirtualKey>, StoreError> {
    let (found, keys) = mpsc::channel();
    // Whoever receives them waits until all are there.
    store.virtual_keys_each(move |_, key| drop(found.send(key))).await?;
    let mut keys: Vec<VirtualKey> = keys.into_iter().collect();
    keys.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(keys)
}

fn virtual_keys(keys: Vec<VirtualKey>, names: &Names, limits: &mut LimitLists) -> Result<Node, serde_json::Error> {
    let mut nodes = Vec::new();
    for key in keys {
        let key = key.with_views();
        limits.add(&key.limits(), key.calendar_aligned, "virtual_key_id", &key.id)?;
        let mut node = only(&key, &OF_VIRTUAL_KEYS)?;
        if let Some(team) = &key.team_id {
            node.set("team_id", Node::of(team)?);
        }
        let mut configs: Vec<&ProviderConfig> = key.provider_configs.iter().collect();
        configs.sort_by(|one, other| one.provider.cmp(&other.provider));
        let configs = configs.into_iter().map(|config| {
            limits.add(&config.limits(), key.calendar_aligned, "provider_config_id", &config.id)?;
            provider_config(config, key.calendar_aligned, names)
        });
        node.set("provider_configs", Node::List(configs.collect::<Result<_, serde_json::Error>>()?));
        node.set("mcp_configs", mcp_configs(&key)?);
        nodes.push(node);
    }
    Ok(Node::List(nodes))
}

fn mcp_configs(key: &VirtualKey) -> Result<Node, serde_json::Error> {
    let mut configs: Vec<&McpConfig> = key.mcp_configs.iter().collect();
    configs.sort_by(|one, other| one.mcp_client_name.cmp(&other.mcp_client_name));
    let nodes = configs.into_iter().map(|config| only(config, &["mcp_client_name", "tools_to_execute"]));
    Ok(Node::List(nodes.collect::<Result<_, _>>()?))
}

fn provider_config(config: &ProviderConfig, aligned: bool, names: &Names) -> Result<Node, serde_json::Error> {
    let members = ["provider", "allowed_models", "blacklisted_models", "rate_limit_id"];
    let mut node = only(config, &members)?;
    node.set("weight", Node::of(&config.weight)?);
    if !config.budgets.is_empty() {
        node.set("id", Node::of(&config.id)?);
    }
    let mut keys: Vec<String> = config.keys.iter().map(|key| names.name(&key.key_id)).collect();
    keys.sort();
    node.set("key_ids", Node::of(&if config.allow_all_keys { vec!["*".to_owned()] } else { keys })?);
    if !config.model_budgets.is_empty() {
        let models = config.model_budgets.iter().map(|model| {
            let mut node = only(model, &["model"])?;
            let budgets = model.budgets.iter().map(|budget| budget_node(budget, aligned));
            node.set("budgets", Node::List(budgets.collect::<Result<_, _>>()?));
            if let Some(limit) = &model.rate_limit {
                node.set("rate_limit", rate_limit_node(limit, aligned)?);
            }
            Ok::<_, serde_json::Error>(node)
        });
        node.set("model_budgets", Node::List(models.collect::<Result<_, _>>()?));
    }
    Ok(node)
}

fn model_configs(policies: &mut Policies, limits: &mut LimitLists) -> Result<Node, serde_json::Error> {
    policies.model_configs.sort_by(|one, other| one.id.cmp(&other.id));
    let nodes = policies.model_configs.iter().map(|config| {
        limits.add(&config.limits(), config.calendar_aligned, "model_config_id", &config.id)?;
        only(config, &["id", "model_name", "provider", "scope", "scope_id", "calendar_aligned", "rate_limit_id"])
    });
    Ok(Node::List(nodes.collect::<Result<_, _>>()?))
}

fn routing_rule(rule: &keyward_core::routing_rule::RoutingRule, names: &Names) -> Result<Node, serde_json::Error> {
    let mut rule = rule.clone();
    for target in &mut rule.targets {
        target.key_id = target.key_id.as_ref().map(|id| names.name(id).into());
    }
    let mut node = Node::of(&rule)?;
    let own = ["config_hash", "created_at", "updated_at", "last_error"];
    node.keep(|name, value| !own.contains(&name) && !value.is_null());
    Ok(node)
}

fn pricing_overrides(policies: &Policies, names: &Names) -> Result<Node, serde_json::Error> {
    let nodes = policies.pricing_overrides.iter().map(|price| {
        let members = [
            "id",
            "name",
            "scope_kind",
            "virtual_key_id",
            "provider_id",
            "match_type",
            "pattern",
            "request_types",
            "pricing_patch",
        ];
        let mut node = only(price, &members)?;
        if let Some(key) = &price.provider_key_id {
            node.set("provider_key_name", Node::of(&names.name(key))?);
        }
        Ok(node)
    });
    let mut nodes = nodes.collect::<Result<Vec<_>, serde_json::Error>>()?;
    nodes.sort_by_key(Node::id);
    Ok(Node::List(nodes))
}

/// The providers by name. The simulated one is the server's own.
fn provider_map(providers: &[Provider]) -> Result<Node, serde_json::Error> {
    let mut map = Node::of(&json!({}))?;
    for provider in providers.iter().filter(|provider| provider.name.as_str() != DEMO_PROVIDER) {
        let mut node = Node::of(provider)?;
        let own = ["config_hash", "created_at", "keys", "name", "provider_status", "status", "updated_at"];
        node.keep(|name, value| !own.contains(&name) && !value.is_null());
        let mut keys = Vec::new();
        for key in &provider.keys {
            let mut node = Node::of(key)?;
            let own = ["config_hash", "created_at", "status", "updated_at"];
            node.keep(|name, value| !own.contains(&name) && !value.is_null());
            if key.value == EnvVar::default() {
                node.keep(|name, _| name != "value");
            }
            for (_, group) in node.children_mut() {
                // The older name of the aliases.
                group.keep(|name, _| name != "deployments");
            }
            plain_secrets(&mut node)?;
            keys.push(node);
        }
        keys.sort_by_key(Node::id);
        node.set("keys", Node::List(keys));
        map.set(provider.name.as_str(), node);
    }
    Ok(map)
}

fn mcp_clients(mut clients: Vec<McpClient>) -> Result<Node, serde_json::Error> {
    clients.sort_by(|one, other| one.client_id.cmp(&other.client_id));
    let nodes = clients.iter().map(|client| {
        let mut node = Node::of(client)?;
        let own = ["config_hash", "created_at", "id", "updated_at"];
        node.keep(|name, value| !own.contains(&name) && !value.is_null());
        if let Some(address) = &client.connection_string {
            node.set("connection_string", Node::of(&address.text())?);
        }
        let headers: BTreeMap<_, _> = client.headers.iter().map(|(name, value)| (name, value.text())).collect();
        node.set("headers", Node::of(&headers)?);
        Ok(node)
    });
    Ok(Node::List(nodes.collect::<Result<_, serde_json::Error>>()?))
}

/// Secrets as texts instead of objects: the reference, or what is shown.
fn plain_secrets(node: &mut Node) -> Result<(), serde_json::Error> {
    for (_, child) in node.children_mut() {
        match serde_json::from_str::<EnvVar>(&serde_json::to_string(child)?) {
            Ok(secret) => *child = Node::of(&secret.text())?,
            Err(_) => plain_secrets(child)?,
        }
    }
    Ok(())
}

fn client(config: &ConfigRecord) -> Result<Node, serde_json::Error> {
    Node::of(&json!({
        "allowed_origins": config.allowed_origins,
        "vk_rotation_cooldown": config.rotation_cooldown,
    }))
}

/// The administrator, when the password is a variable's: any other cannot be written down.
fn auth(config: &ConfigRecord) -> Result<Option<Node>, serde_json::Error> {
    let Some(auth) = &config.auth else { return Ok(None) };
    let Some(password @ StoredPassword::Variable(_)) = &auth.password else { return Ok(None) };
    let node = json!({
        "is_enabled": auth.is_enabled, "admin_username": auth.username, "admin_password": password.shown(),
    });
    Node::of(&node).map(Some)
}
