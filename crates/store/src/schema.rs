//! The tables as the queries know them, once for both backends.

macro_rules! tables {
    ($(#[$doc:meta])* $list:ident: $($table:ident ($($key:ident),+) { $($column:ident -> $head:ident $(<$inner:ident>)?,)+ })+) => {
        $(diesel::table! {
            use diesel::sql_types::*;
            use crate::instant::InstantColumn;

            $table ($($key),+) {
                $($column -> $head $(<$inner>)?,)+
            }
        })+

        $(#[$doc])*
        pub(crate) const $list: &[(&str, &[&str])] = &[$((stringify!($table), &[$(stringify!($column)),+]),)+];
    };
}

mod books;
mod objects;
mod outbox;

pub(crate) use books::{
    ledger, ledger_adjustments, meter_adjustments, meters, price_catalogues, retired_meters, usage_folding,
    usage_rollups, usage_series,
};
pub(crate) use objects::provider_objects;
pub(crate) use outbox::{event_deliveries, events};

/// Every table with its columns. Opening a store checks that the database has them all.
pub const TABLES: [&[(&str, &[&str])]; 4] = [CONFIGURATION, books::BOOKS, objects::OBJECTS, outbox::OUTBOX];

tables! {
    /// What is configured, who may change it, and who has.
    CONFIGURATION:

    root_key_check (id) {
        id -> Integer,
        sealed -> Binary,
    }

    customers (id) {
        id -> Text,
        name -> Text,
        calendar_aligned -> Bool,
        config_hash -> Text,
        created_at -> InstantColumn,
        updated_at -> InstantColumn,
    }

    teams (id) {
        id -> Text,
        name -> Text,
        customer_id -> Nullable<Text>,
        calendar_aligned -> Bool,
        config_hash -> Text,
        created_at -> InstantColumn,
        updated_at -> InstantColumn,
    }

    virtual_keys (id) {
        id -> Text,
        name -> Text,
        description -> Text,
        value_hash -> Binary,
        value_sealed -> Binary,
        value_redacted -> Text,
        is_active -> Bool,
        allow_all_providers -> Bool,
        team_id -> Nullable<Text>,
        customer_id -> Nullable<Text>,
        max_parallel_requests -> Nullable<BigInt>,
        calendar_aligned -> Bool,
        expires_at -> Nullable<InstantColumn>,
        delete_after_expire -> Bool,
        disable_content_logging -> Nullable<Bool>,
        rotated_at -> Nullable<InstantColumn>,
        previous_value_hash -> Nullable<Binary>,
        previous_value_expires_at -> Nullable<InstantColumn>,
        config_hash -> Text,
        created_at -> InstantColumn,
        updated_at -> InstantColumn,
    }

    virtual_key_metadata (virtual_key_id, key) {
        virtual_key_id -> Text,
        key -> Text,
        value -> Text,
    }

    providers (number) {
        number -> BigInt,
        name -> Text,
        base_url -> Nullable<Text>,
        request_timeout_seconds -> Nullable<Integer>,
        headers_shown -> Text,
        headers_sealed -> Nullable<Binary>,
        max_retries -> Nullable<Integer>,
        retry_backoff_initial_ms -> Nullable<Integer>,
        retry_backoff_max_ms -> Nullable<Integer>,
        concurrency -> Nullable<BigInt>,
        buffer_size -> Nullable<BigInt>,
        send_back_raw_request -> Bool,
        send_back_raw_response -> Bool,
        store_raw_request_response -> Bool,
        custom_provider_config -> Nullable<Text>,
        description -> Text,
        config_hash -> Text,
        created_at -> InstantColumn,
        updated_at -> InstantColumn,
    }

    provider_keys (number) {
        number -> BigInt,
        id -> Text,
        provider_number -> BigInt,
        name -> Text,
        source -> Text,
        value_shown -> Text,
        value_sealed -> Nullable<Binary>,
        models -> Text,
        blacklisted_models -> Text,
        aliases -> Text,
        description -> Text,
        settings_shown -> Text,
        settings_sealed -> Nullable<Binary>,
        weight -> Double,
        enabled -> Bool,
        use_for_batch_api -> Bool,
        config_hash -> Text,
        created_at -> InstantColumn,
        updated_at -> InstantColumn,
    }

    provider_configs (id) {
        id -> BigInt,
        virtual_key_id -> Text,
        provider -> Text,
        weight -> Nullable<Double>,
        allowed_models -> Text,
        blacklisted_models -> Text,
        allow_all_keys -> Bool,
    }

    provider_config_keys (provider_config_id, provider_key_number) {
        provider_config_id -> BigInt,
        provider_key_number -> BigInt,
    }

    model_configs (id) {
        id -> Text,
        model_name -> Text,
        provider -> Nullable<Text>,
        virtual_key_id -> Nullable<Text>,
        calendar_aligned -> Bool,
        config_hash -> Text,
        created_at -> InstantColumn,
        updated_at -> InstantColumn,
    }

    model_budgets (id) {
        id -> Text,
        provider_config_id -> BigInt,
        model -> Text,
    }

    mcp_clients (number) {
        number -> BigInt,
        id -> Text,
        name -> Text,
        connection_type -> Text,
        auth_type -> Text,
        connection_shown -> Text,
        connection_sealed -> Nullable<Binary>,
        stdio_config -> Nullable<Text>,
        allowed_extra_headers -> Text,
        tools_to_execute -> Text,
        tools_to_auto_execute -> Text,
        tool_pricing -> Text,
        tool_sync_interval -> BigInt,
        tool_execution_timeout -> BigInt,
        is_code_mode_client -> Bool,
        is_ping_available -> Bool,
        allow_on_all_virtual_keys -> Bool,
        disabled -> Bool,
        config_hash -> Text,
        created_at -> InstantColumn,
        updated_at -> InstantColumn,
    }

    mcp_configs (id) {
        id -> BigInt,
        virtual_key_id -> Text,
        mcp_client_number -> BigInt,
        tools_to_execute -> Text,
    }

    pricing_overrides (id) {
        id -> Text,
        name -> Text,
        scope_kind -> Text,
        virtual_key_id -> Nullable<Text>,
        provider_id -> Nullable<Text>,
        provider_key_id -> Nullable<Text>,
        match_type -> Text,
        pattern -> Text,
        request_types -> Text,
        patch -> Text,
        config_hash -> Text,
        created_at -> InstantColumn,
        updated_at -> InstantColumn,
    }

    budgets (id) {
        id -> Text,
        customer_id -> Nullable<Text>,
        team_id -> Nullable<Text>,
        virtual_key_id -> Nullable<Text>,
        provider_config_id -> Nullable<BigInt>,
        model_config_id -> Nullable<Text>,
        model_budget_id -> Nullable<Text>,
        max_limit -> BigInt,
        reset_duration -> Text,
        calendar_aligned -> Bool,
        timezone -> Text,
        quarter_start_month -> Nullable<BigInt>,
        enforcement -> Nullable<Text>,
        output_clamp -> Nullable<Text>,
        override_amount -> Nullable<BigInt>,
        override_until -> Nullable<InstantColumn>,
        config_hash -> Text,
        created_at -> InstantColumn,
        updated_at -> InstantColumn,
    }

    rate_limits (id) {
        id -> Text,
        customer_id -> Nullable<Text>,
        team_id -> Nullable<Text>,
        virtual_key_id -> Nullable<Text>,
        provider_config_id -> Nullable<BigInt>,
        model_config_id -> Nullable<Text>,
        model_budget_id -> Nullable<Text>,
        token_max_limit -> Nullable<BigInt>,
        token_reset_duration -> Nullable<Text>,
        request_max_limit -> Nullable<BigInt>,
        request_reset_duration -> Nullable<Text>,
        calendar_aligned -> Bool,
        enforcement -> Nullable<Text>,
        output_clamp -> Nullable<Text>,
        config_hash -> Text,
        created_at -> InstantColumn,
        updated_at -> InstantColumn,
    }

    routing_rules (id) {
        id -> Text,
        name -> Text,
        description -> Text,
        enabled -> Bool,
        chain_rule -> Bool,
        cel_expression -> Text,
        targets -> Text,
        fallbacks -> Text,
        scope -> Text,
        scope_id -> Text,
        query -> Nullable<Text>,
        priority -> Integer,
        ttft_timeout_ms -> Nullable<BigInt>,
        config_hash -> Text,
        created_at -> InstantColumn,
        updated_at -> InstantColumn,
    }

    audit_log (sequence) {
        sequence -> BigInt,
        at -> InstantColumn,
        actor_kind -> Text,
        actor_name -> Text,
        actor_id -> Text,
        source -> Text,
        request_id -> Text,
        action -> Text,
        resource -> Text,
        resource_id -> Text,
        state_before -> Nullable<Text>,
        state_after -> Nullable<Text>,
        hash -> Binary,
    }

    audit_head (id) {
        id -> Integer,
        sequence -> BigInt,
        hash -> Binary,
    }

    idempotency_keys (actor_kind, actor_name, operation, key) {
        actor_kind -> Text,
        actor_name -> Text,
        operation -> Text,
        key -> Text,
        fingerprint -> Binary,
        resource_id -> Text,
        created_at -> InstantColumn,
    }

    server_config (id) {
        id -> Integer,
        rotation_cooldown -> BigInt,
        allowed_origins -> Text,
        auth_is_enabled -> Nullable<Bool>,
        admin_username -> Nullable<Text>,
        admin_password_hash -> Nullable<Text>,
        admin_password_variable -> Nullable<Text>,
        config_hash -> Text,
        updated_at -> InstantColumn,
    }

    sessions (id) {
        id -> Text,
        token_hash -> Binary,
        credential -> Binary,
        username -> Text,
        management_key_id -> Nullable<Text>,
        from_dashboard -> Bool,
        source -> Text,
        created_at -> InstantColumn,
        last_used_at -> InstantColumn,
        expires_at -> InstantColumn,
    }

    management_keys (id) {
        id -> Text,
        name -> Text,
        description -> Text,
        value_hash -> Binary,
        permissions -> Text,
        team_id -> Nullable<Text>,
        customer_id -> Nullable<Text>,
        is_active -> Bool,
        expires_at -> Nullable<InstantColumn>,
        created_at -> InstantColumn,
        updated_at -> InstantColumn,
    }
}

diesel::joinable!(provider_keys -> providers (provider_number));
diesel::joinable!(provider_config_keys -> provider_keys (provider_key_number));
diesel::joinable!(provider_config_keys -> provider_configs (provider_config_id));
diesel::joinable!(mcp_configs -> virtual_keys (virtual_key_id));
diesel::allow_tables_to_appear_in_same_query!(mcp_configs, mcp_clients, virtual_keys);
diesel::joinable!(event_deliveries -> events (event_id));
diesel::allow_tables_to_appear_in_same_query!(event_deliveries, events);
diesel::joinable!(model_configs -> virtual_keys (virtual_key_id));
diesel::allow_tables_to_appear_in_same_query!(model_configs, virtual_keys);
diesel::allow_tables_to_appear_in_same_query!(providers, provider_keys, provider_config_keys, provider_configs);
diesel::allow_tables_to_appear_in_same_query!(budgets, rate_limits, meters, provider_configs, virtual_keys);
diesel::allow_tables_to_appear_in_same_query!(virtual_keys, virtual_key_metadata);
diesel::allow_tables_to_appear_in_same_query!(virtual_keys, teams);
diesel::allow_tables_to_appear_in_same_query!(management_keys, teams);

diesel::define_sql_function! {
    /// Lower case of the ASCII letters: names have the byte-wise collation in PostgreSQL.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}
