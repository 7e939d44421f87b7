//! Which tables queries join.

use super::{
    budgets, management_keys, mcp_clients, mcp_configs, meters, model_configs, provider_config_keys, provider_configs,
    provider_keys, providers, rate_limits, teams, virtual_key_metadata, virtual_keys,
};

diesel::joinable!(provider_keys -> providers (provider_number));
diesel::joinable!(provider_config_keys -> provider_keys (provider_key_number));
diesel::joinable!(provider_config_keys -> provider_configs (provider_config_id));
diesel::joinable!(mcp_configs -> virtual_keys (virtual_key_id));
diesel::allow_tables_to_appear_in_same_query!(mcp_configs, mcp_clients, virtual_keys);
diesel::joinable!(model_configs -> virtual_keys (virtual_key_id));
diesel::allow_tables_to_appear_in_same_query!(model_configs, virtual_keys);
diesel::allow_tables_to_appear_in_same_query!(providers, provider_keys, provider_config_keys, provider_configs);
diesel::allow_tables_to_appear_in_same_query!(budgets, rate_limits, meters, provider_configs, virtual_keys);
diesel::allow_tables_to_appear_in_same_query!(virtual_keys, virtual_key_metadata);
diesel::allow_tables_to_appear_in_same_query!(virtual_keys, teams);
diesel::allow_tables_to_appear_in_same_query!(management_keys, teams);
