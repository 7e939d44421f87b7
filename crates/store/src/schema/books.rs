//! The books: counters, the ledger, and what adjusts them.

tables! {
    /// The tables of the books.
    BOOKS:

    meters (limit_id, metric) {
        limit_id -> Text,
        metric -> Text,
        window_start -> InstantColumn,
        window_end -> InstantColumn,
        used -> BigInt,
        epoch -> BigInt,
    }

    retired_meters (limit_id, metric) {
        limit_id -> Text,
        metric -> Text,
        epoch -> BigInt,
    }

    meter_adjustments (number) {
        number -> BigInt,
        limit_id -> Text,
        metric -> Text,
        window_start -> InstantColumn,
        window_end -> InstantColumn,
        epoch -> BigInt,
        amount -> BigInt,
        reason -> Text,
        request_id -> Nullable<Text>,
        attempt -> Nullable<Integer>,
        adjusted_at -> InstantColumn,
    }

    price_catalogues (number) {
        number -> BigInt,
        version -> Text,
        source -> Text,
        sha256 -> Nullable<Text>,
        effective_at -> InstantColumn,
        catalogue -> Nullable<Text>,
    }

    ledger (request_id, attempt) {
        request_id -> Text,
        attempt -> Integer,
        virtual_key_id -> Text,
        team_id -> Nullable<Text>,
        customer_id -> Nullable<Text>,
        request_type -> Nullable<Text>,
        provider -> Text,
        provider_key_id -> Text,
        model -> Text,
        model_served -> Text,
        input_tokens -> BigInt,
        output_tokens -> BigInt,
        usage -> Text,
        service_tier -> Text,
        usage_source -> Text,
        cost -> BigInt,
        pricing -> Nullable<Text>,
        held -> BigInt,
        outcome -> Text,
        admitted_at -> InstantColumn,
        first_byte_at -> Nullable<InstantColumn>,
        settled_at -> InstantColumn,
        postings -> Text,
        posting_count -> Integer,
    }

    ledger_adjustments (request_id, attempt, position) {
        request_id -> Text,
        attempt -> Integer,
        position -> Integer,
        old_cost -> BigInt,
        new_cost -> BigInt,
        old_pricing -> Nullable<Text>,
        new_pricing -> Text,
        adjusted_at -> InstantColumn,
    }

    usage_series (id) {
        id -> BigInt,
        view -> Integer,
        customer_id -> Text,
        team_id -> Text,
        virtual_key_id -> Text,
        provider -> Text,
        model -> Text,
        outcome -> Text,
    }

    usage_rollups (kind, start, series) {
        kind -> Integer,
        start -> BigInt,
        series -> BigInt,
        requests -> BigInt,
        refusals -> BigInt,
        cost -> BigInt,
        input_tokens -> BigInt,
        output_tokens -> BigInt,
        detail -> Binary,
    }

    usage_folding (id) {
        id -> Integer,
        folded_until -> BigInt,
    }
}
