-- Governance: owners, virtual keys, their limits, providers and their keys, counters, and the ledger.
-- Constraints are named <table>_<column>; the names are part of the contract with the code.
-- Instants are microseconds since 1970; booleans are 0 or 1.

CREATE TABLE root_key_check (
    id INTEGER NOT NULL CONSTRAINT root_key_check_pkey PRIMARY KEY CONSTRAINT root_key_check_single CHECK (id = 1),
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE customers (
    id TEXT NOT NULL CONSTRAINT customers_pkey PRIMARY KEY,
    name TEXT NOT NULL CONSTRAINT customers_name UNIQUE,
    calendar_aligned INTEGER NOT NULL CONSTRAINT customers_calendar_aligned CHECK (calendar_aligned IN (0, 1)),
    config_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE teams (
    id TEXT NOT NULL CONSTRAINT teams_pkey PRIMARY KEY,
    name TEXT NOT NULL CONSTRAINT teams_name UNIQUE,
    customer_id TEXT CONSTRAINT teams_customer_id REFERENCES customers (id) ON DELETE SET NULL,
    calendar_aligned INTEGER NOT NULL CONSTRAINT teams_calendar_aligned CHECK (calendar_aligned IN (0, 1)),
    config_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX teams_by_customer ON teams (customer_id);

CREATE TABLE virtual_keys (
    id TEXT NOT NULL CONSTRAINT virtual_keys_pkey PRIMARY KEY,
    name TEXT NOT NULL CONSTRAINT virtual_keys_name UNIQUE,
    description TEXT NOT NULL,
    value_hash BLOB NOT NULL CONSTRAINT virtual_keys_value_hash UNIQUE,
    value_sealed BLOB NOT NULL,
    value_redacted TEXT NOT NULL,
    is_active INTEGER NOT NULL CONSTRAINT virtual_keys_is_active CHECK (is_active IN (0, 1)),
    allow_all_providers INTEGER NOT NULL CONSTRAINT virtual_keys_allow_all_providers CHECK (allow_all_providers IN (0, 1)),
    team_id TEXT CONSTRAINT virtual_keys_team_id REFERENCES teams (id) ON DELETE SET NULL,
    customer_id TEXT CONSTRAINT virtual_keys_customer_id REFERENCES customers (id) ON DELETE SET NULL,
    max_parallel_requests INTEGER
        CONSTRAINT virtual_keys_max_parallel_requests CHECK (max_parallel_requests BETWEEN 1 AND 4294967295),
    calendar_aligned INTEGER NOT NULL CONSTRAINT virtual_keys_calendar_aligned CHECK (calendar_aligned IN (0, 1)),
    expires_at INTEGER,
    delete_after_expire INTEGER NOT NULL
        CONSTRAINT virtual_keys_delete_after_expire CHECK (delete_after_expire IN (0, 1)),
    disable_content_logging INTEGER
        CONSTRAINT virtual_keys_disable_content_logging CHECK (disable_content_logging IN (0, 1)),
    rotated_at INTEGER,
    previous_value_hash BLOB CONSTRAINT virtual_keys_previous_value_hash UNIQUE,
    previous_value_expires_at INTEGER,
    config_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT virtual_keys_previous_value_is_whole
        CHECK ((previous_value_hash IS NULL) = (previous_value_expires_at IS NULL)),
    CONSTRAINT virtual_keys_one_owner CHECK (team_id IS NULL OR customer_id IS NULL)
) STRICT;
CREATE INDEX virtual_keys_by_team ON virtual_keys (team_id);
CREATE INDEX virtual_keys_by_customer ON virtual_keys (customer_id);
CREATE INDEX virtual_keys_by_age ON virtual_keys (created_at, id);
CREATE INDEX virtual_keys_by_expiry ON virtual_keys (expires_at);

CREATE TABLE virtual_key_metadata (
    virtual_key_id TEXT NOT NULL
        CONSTRAINT virtual_key_metadata_virtual_key_id REFERENCES virtual_keys (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT virtual_key_metadata_pkey PRIMARY KEY (virtual_key_id, key)
) STRICT;
CREATE INDEX virtual_key_metadata_by_label ON virtual_key_metadata (key, value);

CREATE TABLE providers (
    number INTEGER NOT NULL CONSTRAINT providers_pkey PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CONSTRAINT providers_name UNIQUE,
    base_url TEXT,
    request_timeout_seconds INTEGER,
    -- The extra headers with what is shown of their values, as JSON; the secrets among them, as sealed JSON.
    headers_shown TEXT NOT NULL,
    headers_sealed BLOB,
    max_retries INTEGER,
    retry_backoff_initial_ms INTEGER,
    retry_backoff_max_ms INTEGER,
    concurrency INTEGER,
    buffer_size INTEGER,
    send_back_raw_request INTEGER NOT NULL CONSTRAINT providers_send_back_raw_request CHECK (send_back_raw_request IN (0, 1)),
    send_back_raw_response INTEGER NOT NULL CONSTRAINT providers_send_back_raw_response CHECK (send_back_raw_response IN (0, 1)),
    store_raw_request_response INTEGER NOT NULL CONSTRAINT providers_store_raw_request_response CHECK (store_raw_request_response IN (0, 1)),
    custom_provider_config TEXT,
    description TEXT NOT NULL,
    config_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE provider_keys (
    number INTEGER NOT NULL CONSTRAINT provider_keys_pkey PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL CONSTRAINT provider_keys_id UNIQUE,
    provider_number INTEGER NOT NULL
        CONSTRAINT provider_keys_provider_number REFERENCES providers (number) ON DELETE CASCADE,
    name TEXT NOT NULL CONSTRAINT provider_keys_name UNIQUE,
    source TEXT NOT NULL CONSTRAINT provider_keys_source CHECK (source IN ('none', 'literal', 'environment')),
    -- The redacted secret of a literal, the name of the variable, or nothing.
    value_shown TEXT NOT NULL,
    value_sealed BLOB,
    models TEXT NOT NULL,
    blacklisted_models TEXT NOT NULL,
    aliases TEXT NOT NULL,
    description TEXT NOT NULL,
    -- The settings with what is shown of them, as JSON; the secrets among them, as sealed JSON.
    settings_shown TEXT NOT NULL,
    settings_sealed BLOB,
    weight REAL NOT NULL,
    enabled INTEGER NOT NULL CONSTRAINT provider_keys_enabled CHECK (enabled IN (0, 1)),
    use_for_batch_api INTEGER NOT NULL CONSTRAINT provider_keys_use_for_batch_api CHECK (use_for_batch_api IN (0, 1)),
    config_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT provider_keys_literal_is_sealed CHECK ((source = 'literal') = (value_sealed IS NOT NULL))
) STRICT;
CREATE INDEX provider_keys_by_provider ON provider_keys (provider_number);

-- The provider is a name and no reference: deleting a provider leaves what virtual keys may do there.
CREATE TABLE provider_configs (
    id INTEGER NOT NULL CONSTRAINT provider_configs_pkey PRIMARY KEY AUTOINCREMENT,
    virtual_key_id TEXT NOT NULL
        CONSTRAINT provider_configs_virtual_key_id REFERENCES virtual_keys (id) ON DELETE CASCADE,
    provider TEXT NOT NULL,
    weight REAL,
    allowed_models TEXT NOT NULL,
    blacklisted_models TEXT NOT NULL,
    allow_all_keys INTEGER NOT NULL CONSTRAINT provider_configs_allow_all_keys CHECK (allow_all_keys IN (0, 1))
) STRICT;
CREATE INDEX provider_configs_by_virtual_key ON provider_configs (virtual_key_id);

CREATE TABLE provider_config_keys (
    provider_config_id INTEGER NOT NULL
        CONSTRAINT provider_config_keys_provider_config_id REFERENCES provider_configs (id) ON DELETE CASCADE,
    provider_key_number INTEGER NOT NULL
        CONSTRAINT provider_config_keys_provider_key_number REFERENCES provider_keys (number) ON DELETE CASCADE,
    CONSTRAINT provider_config_keys_pkey PRIMARY KEY (provider_config_id, provider_key_number)
) STRICT;
CREATE INDEX provider_config_keys_by_key ON provider_config_keys (provider_key_number);

-- Limits of one model ('*': of every model), at one provider or at any. The provider is a name and no reference, as above.
CREATE TABLE model_configs (
    id TEXT NOT NULL CONSTRAINT model_configs_pkey PRIMARY KEY,
    model_name TEXT NOT NULL,
    provider TEXT,
    -- The scope: this virtual key's requests, or everybody's.
    virtual_key_id TEXT CONSTRAINT model_configs_virtual_key_id REFERENCES virtual_keys (id) ON DELETE CASCADE,
    calendar_aligned INTEGER NOT NULL CONSTRAINT model_configs_calendar_aligned CHECK (calendar_aligned IN (0, 1)),
    config_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX model_configs_covered ON model_configs (COALESCE(virtual_key_id, ''), model_name, COALESCE(provider, ''));
CREATE INDEX model_configs_by_virtual_key ON model_configs (virtual_key_id);

-- Limits of one model inside one provider config.
CREATE TABLE model_budgets (
    id TEXT NOT NULL CONSTRAINT model_budgets_pkey PRIMARY KEY,
    provider_config_id INTEGER NOT NULL
        CONSTRAINT model_budgets_provider_config_id REFERENCES provider_configs (id) ON DELETE CASCADE,
    model TEXT NOT NULL
) STRICT;
CREATE INDEX model_budgets_by_provider_config ON model_budgets (provider_config_id);

-- Servers of tools. The secrets are those of the connection: its address and its headers.
CREATE TABLE mcp_clients (
    number INTEGER NOT NULL CONSTRAINT mcp_clients_pkey PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL CONSTRAINT mcp_clients_id UNIQUE,
    name TEXT NOT NULL CONSTRAINT mcp_clients_name UNIQUE,
    connection_type TEXT NOT NULL CONSTRAINT mcp_clients_connection_type CHECK (connection_type IN ('http', 'sse', 'stdio')),
    auth_type TEXT NOT NULL CONSTRAINT mcp_clients_auth_type CHECK (auth_type IN ('none', 'headers')),
    -- The connection with what is shown of it, as JSON; the secrets in it, as sealed JSON.
    connection_shown TEXT NOT NULL,
    connection_sealed BLOB,
    stdio_config TEXT,
    allowed_extra_headers TEXT NOT NULL,
    tools_to_execute TEXT NOT NULL,
    tools_to_auto_execute TEXT NOT NULL,
    tool_pricing TEXT NOT NULL,
    tool_sync_interval INTEGER NOT NULL,
    tool_execution_timeout INTEGER NOT NULL,
    is_code_mode_client INTEGER NOT NULL CONSTRAINT mcp_clients_is_code_mode_client CHECK (is_code_mode_client IN (0, 1)),
    is_ping_available INTEGER NOT NULL CONSTRAINT mcp_clients_is_ping_available CHECK (is_ping_available IN (0, 1)),
    allow_on_all_virtual_keys INTEGER NOT NULL
        CONSTRAINT mcp_clients_allow_on_all_virtual_keys CHECK (allow_on_all_virtual_keys IN (0, 1)),
    disabled INTEGER NOT NULL CONSTRAINT mcp_clients_disabled CHECK (disabled IN (0, 1)),
    config_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT mcp_clients_program CHECK ((connection_type = 'stdio') = (stdio_config IS NOT NULL))
) STRICT;
CREATE INDEX mcp_clients_by_age ON mcp_clients (created_at, number);

-- Which tools of an MCP client a virtual key may use.
CREATE TABLE mcp_configs (
    id INTEGER NOT NULL CONSTRAINT mcp_configs_pkey PRIMARY KEY AUTOINCREMENT,
    virtual_key_id TEXT NOT NULL
        CONSTRAINT mcp_configs_virtual_key_id REFERENCES virtual_keys (id) ON DELETE CASCADE,
    mcp_client_number INTEGER NOT NULL
        CONSTRAINT mcp_configs_mcp_client_number REFERENCES mcp_clients (number) ON DELETE CASCADE,
    tools_to_execute TEXT NOT NULL,
    CONSTRAINT mcp_configs_one_per_client UNIQUE (virtual_key_id, mcp_client_number)
) STRICT;
CREATE INDEX mcp_configs_by_client ON mcp_configs (mcp_client_number, id);

-- Prices in place of the catalogue's. What one is for is named and not referred to.
CREATE TABLE pricing_overrides (
    id TEXT NOT NULL CONSTRAINT pricing_overrides_pkey PRIMARY KEY,
    name TEXT NOT NULL,
    scope_kind TEXT NOT NULL CONSTRAINT pricing_overrides_scope_kind CHECK (scope_kind IN
        ('global', 'provider', 'provider_key', 'virtual_key', 'virtual_key_provider', 'virtual_key_provider_key')),
    virtual_key_id TEXT,
    provider_id TEXT,
    provider_key_id TEXT,
    match_type TEXT NOT NULL CONSTRAINT pricing_overrides_match_type CHECK (match_type IN ('exact', 'wildcard')),
    pattern TEXT NOT NULL,
    request_types TEXT NOT NULL,
    patch TEXT NOT NULL,
    config_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE budgets (
    id TEXT NOT NULL CONSTRAINT budgets_pkey PRIMARY KEY,
    customer_id TEXT CONSTRAINT budgets_customer_id REFERENCES customers (id) ON DELETE CASCADE,
    team_id TEXT CONSTRAINT budgets_team_id REFERENCES teams (id) ON DELETE CASCADE,
    virtual_key_id TEXT CONSTRAINT budgets_virtual_key_id REFERENCES virtual_keys (id) ON DELETE CASCADE,
    provider_config_id INTEGER CONSTRAINT budgets_provider_config_id REFERENCES provider_configs (id) ON DELETE CASCADE,
    model_config_id TEXT CONSTRAINT budgets_model_config_id REFERENCES model_configs (id) ON DELETE CASCADE,
    model_budget_id TEXT CONSTRAINT budgets_model_budget_id REFERENCES model_budgets (id) ON DELETE CASCADE,
    max_limit INTEGER NOT NULL,
    reset_duration TEXT NOT NULL,
    calendar_aligned INTEGER NOT NULL CONSTRAINT budgets_calendar_aligned CHECK (calendar_aligned IN (0, 1)),
    timezone TEXT NOT NULL,
    quarter_start_month INTEGER
        CONSTRAINT budgets_quarter_start_month CHECK (quarter_start_month BETWEEN 1 AND 12),
    enforcement TEXT CONSTRAINT budgets_enforcement CHECK (enforcement IN ('hard', 'soft', 'shadow')),
    output_clamp TEXT CONSTRAINT budgets_output_clamp CHECK (output_clamp IN ('when_absent', 'always', 'never')),
    override_amount INTEGER,
    override_until INTEGER,
    config_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT budgets_one_owner CHECK ((customer_id IS NOT NULL) + (team_id IS NOT NULL)
        + (virtual_key_id IS NOT NULL) + (provider_config_id IS NOT NULL) + (model_config_id IS NOT NULL) + (model_budget_id IS NOT NULL) = 1)
) STRICT;
CREATE INDEX budgets_by_customer ON budgets (customer_id);
CREATE INDEX budgets_by_team ON budgets (team_id);
CREATE INDEX budgets_by_virtual_key ON budgets (virtual_key_id);
CREATE INDEX budgets_by_provider_config ON budgets (provider_config_id);
CREATE INDEX budgets_by_model_config ON budgets (model_config_id);
CREATE INDEX budgets_by_model_budget ON budgets (model_budget_id);

CREATE TABLE rate_limits (
    id TEXT NOT NULL CONSTRAINT rate_limits_pkey PRIMARY KEY,
    customer_id TEXT CONSTRAINT rate_limits_customer_id_fkey REFERENCES customers (id) ON DELETE CASCADE
        CONSTRAINT rate_limits_customer_id UNIQUE,
    team_id TEXT CONSTRAINT rate_limits_team_id_fkey REFERENCES teams (id) ON DELETE CASCADE
        CONSTRAINT rate_limits_team_id UNIQUE,
    virtual_key_id TEXT CONSTRAINT rate_limits_virtual_key_id_fkey REFERENCES virtual_keys (id) ON DELETE CASCADE
        CONSTRAINT rate_limits_virtual_key_id UNIQUE,
    provider_config_id INTEGER
        CONSTRAINT rate_limits_provider_config_id_fkey REFERENCES provider_configs (id) ON DELETE CASCADE
        CONSTRAINT rate_limits_provider_config_id UNIQUE,
    model_config_id TEXT CONSTRAINT rate_limits_model_config_id_fkey REFERENCES model_configs (id) ON DELETE CASCADE
        CONSTRAINT rate_limits_model_config_id UNIQUE,
    model_budget_id TEXT CONSTRAINT rate_limits_model_budget_id_fkey REFERENCES model_budgets (id) ON DELETE CASCADE
        CONSTRAINT rate_limits_model_budget_id UNIQUE,
    token_max_limit INTEGER,
    token_reset_duration TEXT,
    request_max_limit INTEGER,
    request_reset_duration TEXT,
    calendar_aligned INTEGER NOT NULL CONSTRAINT rate_limits_calendar_aligned CHECK (calendar_aligned IN (0, 1)),
    enforcement TEXT CONSTRAINT rate_limits_enforcement CHECK (enforcement IN ('hard', 'soft', 'shadow')),
    output_clamp TEXT CONSTRAINT rate_limits_output_clamp CHECK (output_clamp IN ('when_absent', 'always', 'never')),
    config_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT rate_limits_one_owner CHECK ((customer_id IS NOT NULL) + (team_id IS NOT NULL)
        + (virtual_key_id IS NOT NULL) + (provider_config_id IS NOT NULL) + (model_config_id IS NOT NULL) + (model_budget_id IS NOT NULL) = 1)
) STRICT;

-- Counters. A limit is a budget or a rate limit; its counters are removed together with it.
CREATE TABLE meters (
    limit_id TEXT NOT NULL,
    metric TEXT NOT NULL CONSTRAINT meters_metric CHECK (metric IN ('parallel_requests', 'requests', 'tokens', 'cost')),
    window_start INTEGER NOT NULL,
    window_end INTEGER NOT NULL,
    used INTEGER NOT NULL,
    -- Grows by one each time usage starts again from zero.
    epoch INTEGER NOT NULL,
    CONSTRAINT meters_pkey PRIMARY KEY (limit_id, metric)
) STRICT, WITHOUT ROWID;

-- The last epochs of counters that were removed: a counter that is made again begins with the next one.
CREATE TABLE retired_meters (
    limit_id TEXT NOT NULL,
    metric TEXT NOT NULL CONSTRAINT retired_meters_metric CHECK (metric IN ('parallel_requests', 'requests', 'tokens', 'cost')),
    epoch INTEGER NOT NULL,
    CONSTRAINT retired_meters_pkey PRIMARY KEY (limit_id, metric)
) STRICT, WITHOUT ROWID;

-- What was added to counters by hand, or taken off. A counter is the sum of its postings and adjustments.
CREATE TABLE meter_adjustments (
    number INTEGER NOT NULL CONSTRAINT meter_adjustments_pkey PRIMARY KEY AUTOINCREMENT,
    limit_id TEXT NOT NULL,
    metric TEXT NOT NULL CONSTRAINT meter_adjustments_metric CHECK (metric IN ('parallel_requests', 'requests', 'tokens', 'cost')),
    window_start INTEGER NOT NULL,
    window_end INTEGER NOT NULL,
    -- The counter's epoch that the amount belongs to.
    epoch INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    reason TEXT NOT NULL CONSTRAINT meter_adjustments_reason CHECK (reason IN ('reset', 'rerate')),
    -- The attempt that was priced anew; null for a reset.
    request_id TEXT,
    attempt INTEGER,
    adjusted_at INTEGER NOT NULL,
    CONSTRAINT meter_adjustments_attempt
        CHECK ((reason = 'rerate') = (request_id IS NOT NULL) AND (request_id IS NULL) = (attempt IS NULL))
) STRICT;
CREATE INDEX meter_adjustments_by_epoch ON meter_adjustments (limit_id, metric, epoch);
CREATE INDEX meter_adjustments_by_attempt ON meter_adjustments (request_id, attempt);

-- Catalogues of prices that were imported. The last one is in force, else the one that Keyward ships with.
CREATE TABLE price_catalogues (
    number INTEGER NOT NULL CONSTRAINT price_catalogues_pkey PRIMARY KEY AUTOINCREMENT,
    version TEXT NOT NULL,
    source TEXT NOT NULL CONSTRAINT price_catalogues_source CHECK (source IN ('built_in', 'litellm', 'models.dev', 'keyward')),
    -- Of the list as it was read; null with the catalogue: the one that Keyward ships with.
    sha256 TEXT,
    effective_at INTEGER NOT NULL,
    catalogue TEXT,
    CONSTRAINT price_catalogues_is_whole
        CHECK ((source = 'built_in') = (catalogue IS NULL) AND (catalogue IS NULL) = (sha256 IS NULL))
) STRICT;

-- Append-only. Nothing here refers to a thing that can be deleted.
CREATE TABLE ledger (
    request_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    virtual_key_id TEXT NOT NULL,
    team_id TEXT,
    customer_id TEXT,
    -- Null: free by declaration.
    request_type TEXT,
    provider TEXT NOT NULL,
    provider_key_id TEXT NOT NULL,
    model TEXT NOT NULL,
    model_served TEXT NOT NULL,
    -- Of all classes.
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    -- How much of each class, as JSON: the classes are disjoint, and those of tokens add up to the two columns above.
    usage TEXT NOT NULL,
    service_tier TEXT NOT NULL CONSTRAINT ledger_service_tier CHECK (service_tier IN ('standard', 'flex', 'priority', 'batch')),
    usage_source TEXT NOT NULL CONSTRAINT ledger_usage_source CHECK (usage_source IN ('provider', 'counted', 'estimated')),
    cost INTEGER NOT NULL,
    -- Price version, rates and what each class cost, in pico-dollars, as JSON; null: the model has no price.
    pricing TEXT,
    held INTEGER NOT NULL,
    outcome TEXT NOT NULL CONSTRAINT ledger_outcome
        CHECK (outcome IN ('completed', 'client_cancelled', 'timed_out', 'upstream_error', 'abandoned')),
    admitted_at INTEGER NOT NULL,
    first_byte_at INTEGER,
    settled_at INTEGER NOT NULL,
    -- What it did to each meter of its scope set, in checking order, as JSON: `ledger_postings` names the members.
    postings TEXT NOT NULL,
    -- So that a posting that is gone is noticed.
    posting_count INTEGER NOT NULL,
    CONSTRAINT ledger_pkey PRIMARY KEY (request_id, attempt)
) STRICT;
CREATE INDEX ledger_by_virtual_key ON ledger (virtual_key_id, settled_at);
CREATE INDEX ledger_by_settlement ON ledger (settled_at, request_id, attempt);

-- The postings of all entries, a row for each.
CREATE VIEW ledger_postings AS
    SELECT
        l.request_id,
        l.attempt,
        p.key AS position,
        p.value ->> 0 AS limit_id,
        p.value ->> 1 AS metric,
        -- The window that was current when the attempt was admitted.
        p.value ->> 2 AS window_start,
        p.value ->> 3 AS window_end,
        p.value ->> 4 AS cap,
        p.value ->> 5 AS held,
        p.value ->> 6 AS amount,
        -- True: the limit only watches, and would have refused the attempt.
        p.value ->> 7 AS would_refuse,
        -- The counter's epoch that the amount was counted in; null: its window was over, or the meter has no counter.
        p.value ->> 8 AS epoch
    FROM ledger l, json_each(l.postings) p;

-- What an entry costs since it was priced anew. The entry itself stays as it was written.
CREATE TABLE ledger_adjustments (
    request_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    position INTEGER NOT NULL,
    old_cost INTEGER NOT NULL,
    new_cost INTEGER NOT NULL,
    -- As in the ledger.
    old_pricing TEXT,
    new_pricing TEXT NOT NULL,
    adjusted_at INTEGER NOT NULL,
    CONSTRAINT ledger_adjustments_pkey PRIMARY KEY (request_id, attempt, position),
    CONSTRAINT ledger_adjustments_entry FOREIGN KEY (request_id, attempt) REFERENCES ledger (request_id, attempt)
) STRICT;

-- What usage is told apart by; empty: none, or not told apart. The id is a digest of the rest.
CREATE TABLE usage_series (
    id INTEGER NOT NULL CONSTRAINT usage_series_pkey PRIMARY KEY,
    -- 0: by everything; 1: by customer, team and virtual key alone; 2: by provider, model and outcome alone.
    view INTEGER NOT NULL CONSTRAINT usage_series_view CHECK (view IN (0, 1, 2)),
    customer_id TEXT NOT NULL,
    team_id TEXT NOT NULL,
    virtual_key_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    -- How attempts ended, or the code of a refusal.
    outcome TEXT NOT NULL
) STRICT;
CREATE INDEX usage_series_by_virtual_key ON usage_series (virtual_key_id);
CREATE INDEX usage_series_by_team ON usage_series (team_id);
CREATE INDEX usage_series_by_customer ON usage_series (customer_id);

-- What the ledger comes to, written with it, and how often requests were refused.
CREATE TABLE usage_rollups (
    -- 0 to 2: an hour, in the view of that number. 3 to 5: a day, in the view of three less.
    kind INTEGER NOT NULL CONSTRAINT usage_rollups_kind CHECK (kind BETWEEN 0 AND 5),
    -- The first hour, in hours since 1970.
    start INTEGER NOT NULL,
    series INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    refusals INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    -- Usage by class, and two histograms of durations.
    detail BLOB NOT NULL,
    CONSTRAINT usage_rollups_pkey PRIMARY KEY (kind, start, series)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_rollups_by_series ON usage_rollups (series, kind, start);

-- Before this hour, what the hours of view 0 come to is added up in all other kinds as well. There is one row.
CREATE TABLE usage_folding (
    id INTEGER NOT NULL CONSTRAINT usage_folding_pkey PRIMARY KEY CONSTRAINT usage_folding_single CHECK (id = 1),
    folded_until INTEGER NOT NULL
) STRICT;
INSERT INTO usage_folding (id, folded_until) VALUES (1, 0);

-- What others are told: the usage of a limit has reached a share of its cap. Once for each epoch of the counter, whatever is edited.
CREATE TABLE events (
    id TEXT NOT NULL CONSTRAINT events_pkey PRIMARY KEY,
    at INTEGER NOT NULL,
    limit_id TEXT NOT NULL,
    metric TEXT NOT NULL CONSTRAINT events_metric CHECK (metric IN ('requests', 'tokens', 'cost')),
    epoch INTEGER NOT NULL,
    threshold INTEGER NOT NULL CONSTRAINT events_threshold CHECK (threshold BETWEEN 1 AND 100),
    scope_kind TEXT NOT NULL CONSTRAINT events_scope_kind CHECK (scope_kind IN ('model_config', 'provider', 'customer', 'team',
        'virtual_key', 'virtual_key_model_config', 'provider_config', 'model_budget')),
    scope_id TEXT NOT NULL,
    used INTEGER NOT NULL,
    cap INTEGER NOT NULL,
    window_start INTEGER NOT NULL,
    window_end INTEGER NOT NULL,
    CONSTRAINT events_once UNIQUE (limit_id, metric, epoch, threshold)
) STRICT;
CREATE INDEX events_by_age ON events (at, threshold, id);

-- The delivery of an event to one endpoint. It is pending as long as it has a next attempt.
CREATE TABLE event_deliveries (
    event_id TEXT NOT NULL CONSTRAINT event_deliveries_event_id REFERENCES events (id) ON DELETE CASCADE,
    -- A digest of the endpoint's address, which may have a secret in it.
    endpoint TEXT NOT NULL,
    origin TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER,
    delivered_at INTEGER,
    last_error TEXT,
    CONSTRAINT event_deliveries_pkey PRIMARY KEY (event_id, endpoint),
    CONSTRAINT event_deliveries_one_end CHECK (next_at IS NULL OR delivered_at IS NULL)
) STRICT;
CREATE INDEX event_deliveries_by_next ON event_deliveries (endpoint, next_at, event_id) WHERE next_at IS NOT NULL;

-- Where requests go. The scope's id is a name and no reference: a rule outlives what it is about. Empty in the global scope.
CREATE TABLE routing_rules (
    id TEXT NOT NULL CONSTRAINT routing_rules_pkey PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    enabled INTEGER NOT NULL CONSTRAINT routing_rules_enabled CHECK (enabled IN (0, 1)),
    chain_rule INTEGER NOT NULL CONSTRAINT routing_rules_chain_rule CHECK (chain_rule IN (0, 1)),
    cel_expression TEXT NOT NULL,
    targets TEXT NOT NULL,
    fallbacks TEXT NOT NULL,
    scope TEXT NOT NULL
        CONSTRAINT routing_rules_scope CHECK (scope IN ('global', 'team', 'customer', 'virtual_key')),
    scope_id TEXT NOT NULL CONSTRAINT routing_rules_scope_id CHECK ((scope = 'global') = (scope_id = '')),
    query TEXT,
    priority INTEGER NOT NULL,
    ttft_timeout_ms INTEGER,
    config_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT routing_rules_name UNIQUE (scope, scope_id, name)
) STRICT;
CREATE INDEX routing_rules_by_age ON routing_rules (created_at, id);

-- Every change of what is configured. Append-only; each entry's hash covers the one before.
CREATE TABLE audit_log (
    sequence INTEGER NOT NULL CONSTRAINT audit_log_pkey PRIMARY KEY,
    at INTEGER NOT NULL,
    actor_kind TEXT NOT NULL
        CONSTRAINT audit_log_actor_kind CHECK (actor_kind IN ('local', 'admin', 'management_key', 'config_file', 'server')),
    actor_name TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    source TEXT NOT NULL,
    request_id TEXT NOT NULL,
    action TEXT NOT NULL,
    resource TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    state_before TEXT,
    state_after TEXT,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_log_by_resource ON audit_log (resource, resource_id, sequence);

-- The end of the chain; whoever appends holds this row.
CREATE TABLE audit_head (
    id INTEGER NOT NULL CONSTRAINT audit_head_pkey PRIMARY KEY CONSTRAINT audit_head_single CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, x'');

-- What was made under which Idempotency-Key.
CREATE TABLE idempotency_keys (
    actor_kind TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    resource_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (actor_kind, actor_name, operation, key)
) STRICT;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- What the API has said about the server's configuration. There is one row, from the beginning.
CREATE TABLE server_config (
    id INTEGER NOT NULL CONSTRAINT server_config_pkey PRIMARY KEY CONSTRAINT server_config_single CHECK (id = 1),
    rotation_cooldown INTEGER NOT NULL,
    allowed_origins TEXT NOT NULL,
    -- Null until the API has said who may manage.
    auth_is_enabled INTEGER CONSTRAINT server_config_auth_is_enabled CHECK (auth_is_enabled IN (0, 1)),
    admin_username TEXT,
    -- The password's Argon2id hash, or the name of the environment variable that has the password.
    admin_password_hash TEXT,
    admin_password_variable TEXT,
    -- Of what the configuration file said last; empty when it said nothing.
    config_hash TEXT NOT NULL DEFAULT '',
    updated_at INTEGER NOT NULL,
    CONSTRAINT server_config_one_password CHECK (admin_password_hash IS NULL OR admin_password_variable IS NULL)
) STRICT;
INSERT INTO server_config (id, rotation_cooldown, allowed_origins, updated_at) VALUES (1, 0, '[]', 0);

CREATE TABLE sessions (
    id TEXT NOT NULL CONSTRAINT sessions_pkey PRIMARY KEY,
    token_hash BLOB NOT NULL CONSTRAINT sessions_token_hash UNIQUE,
    -- Which credential opened it, or the hash of the management key's secret: with another one in force, the session is over.
    credential BLOB NOT NULL,
    username TEXT NOT NULL,
    -- None: the administrator's. It is no reference: sessions of a key that is gone are over, and removed with it.
    management_key_id TEXT,
    from_dashboard INTEGER NOT NULL CONSTRAINT sessions_from_dashboard CHECK (from_dashboard IN (0, 1)),
    source TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_age ON sessions (created_at, id);

-- Team and customer are no references: a key whose team is gone must reach nothing, and not everything.
CREATE TABLE management_keys (
    id TEXT NOT NULL CONSTRAINT management_keys_pkey PRIMARY KEY,
    name TEXT NOT NULL CONSTRAINT management_keys_name UNIQUE,
    description TEXT NOT NULL,
    value_hash BLOB NOT NULL CONSTRAINT management_keys_value_hash UNIQUE,
    permissions TEXT NOT NULL,
    team_id TEXT,
    customer_id TEXT,
    is_active INTEGER NOT NULL CONSTRAINT management_keys_is_active CHECK (is_active IN (0, 1)),
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT management_keys_one_owner CHECK (team_id IS NULL OR customer_id IS NULL)
) STRICT;
CREATE INDEX management_keys_by_age ON management_keys (created_at, id);

-- What providers keep beyond one request, and whose it is. Nothing is referred to: a batch is charged although its virtual key was
-- changed, and what a deleted one has left is removed.
CREATE TABLE provider_objects (
    kind TEXT NOT NULL CONSTRAINT provider_objects_kind CHECK (kind IN ('response', 'file', 'batch', 'message_batch')),
    provider TEXT NOT NULL,
    id TEXT NOT NULL,
    virtual_key_id TEXT NOT NULL,
    provider_key_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    endpoint TEXT,
    models TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT provider_objects_state CHECK (state IN ('kept', 'open', 'charged', 'lost')),
    told TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    CONSTRAINT provider_objects_pkey PRIMARY KEY (kind, provider, id)
) STRICT;
CREATE INDEX provider_objects_by_owner ON provider_objects (virtual_key_id, kind, created_at, id);
CREATE INDEX provider_objects_open ON provider_objects (created_at, id) WHERE state = 'open';
CREATE INDEX provider_objects_expiring ON provider_objects (expires_at) WHERE expires_at IS NOT NULL;
