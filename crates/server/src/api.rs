//! The management API: each resource has a file, each operation a handler that extracts, calls, and answers.

use keyward_core::error_body::ErrorBody;
use utoipa::IntoResponses;

use crate::routes::Routes;

mod audit;
mod config;
mod customers;
mod events;
mod explain;
mod ledger;
mod limits;
mod management_keys;
mod mcp_clients;
mod model_configs;
mod pricing_overrides;
mod provider_governance;
mod provider_keys;
mod providers;
mod quota;
mod routing_rules;
mod sessions;
mod teams;
mod usage;
mod virtual_keys;

pub(crate) use providers::{check_variable, is_servers_own};
pub(crate) use virtual_keys::table_of_keys;

/// Every operation of the management API.
pub(crate) fn routes(routes: &mut Routes<'_>) {
    // The quota's path would also match as a virtual key's id, so it comes first.
    routes
        .service(quota::virtual_key_quota)
        .service(virtual_keys::virtual_key_create)
        .service(virtual_keys::virtual_key_list)
        .service(virtual_keys::virtual_key_get)
        .service(virtual_keys::virtual_key_update)
        .service(virtual_keys::virtual_key_delete)
        .service(virtual_keys::rotation::virtual_keys_rotate)
        .service(virtual_keys::rotation::virtual_key_rotate)
        .service(virtual_keys::reveal::virtual_key_reveal)
        .service(virtual_keys::reveal::virtual_key_copy)
        .service(virtual_keys::budget_overrides::budget_override_set)
        .service(virtual_keys::budget_overrides::budget_override_remove)
        .service(explain::request_explain)
        .service(limits::budget_list)
        .service(limits::rate_limit_list)
        .service(events::event_list)
        .service(usage::usage_report)
        .service(usage::usage_forecast)
        .service(ledger::ledger_list)
        .service(teams::team_create)
        .service(teams::team_list)
        .service(teams::team_get)
        .service(teams::team_update)
        .service(teams::team_delete)
        .service(customers::customer_create)
        .service(customers::customer_list)
        .service(customers::customer_get)
        .service(customers::customer_update)
        .service(customers::customer_delete)
        .service(providers::provider_create)
        .service(providers::provider_list)
        .service(providers::provider_get)
        .service(providers::provider_update)
        .service(providers::provider_delete)
        .service(provider_keys::provider_key_create)
        .service(provider_keys::provider_key_list)
        .service(provider_keys::provider_key_get)
        .service(provider_keys::provider_key_update)
        .service(provider_keys::provider_key_delete)
        .service(provider_keys::key_list)
        .service(model_configs::model_config_create)
        .service(model_configs::model_config_list)
        .service(model_configs::model_config_get)
        .service(model_configs::model_config_update)
        .service(model_configs::model_config_delete)
        .service(provider_governance::provider_governance_list)
        .service(provider_governance::provider_governance_update)
        .service(provider_governance::provider_governance_delete)
        .service(pricing_overrides::pricing_override_create)
        .service(pricing_overrides::pricing_override_list)
        .service(pricing_overrides::pricing_override_get)
        .service(pricing_overrides::pricing_override_update)
        .service(pricing_overrides::pricing_override_patch)
        .service(pricing_overrides::pricing_override_delete)
        .service(mcp_clients::mcp_client_create)
        .service(mcp_clients::mcp_client_list)
        .service(mcp_clients::mcp_client_get)
        .service(mcp_clients::mcp_client_update)
        .service(mcp_clients::mcp_client_delete)
        .service(routing_rules::routing_rule_create)
        .service(routing_rules::routing_rule_list)
        .service(routing_rules::routing_rule_get)
        .service(routing_rules::routing_rule_update)
        .service(routing_rules::routing_rule_delete)
        .service(audit::audit_list)
        .service(audit::audit_verify)
        .service(config::config_get)
        .service(config::config_update)
        .service(sessions::session_login)
        .service(sessions::session_logout)
        .service(sessions::session_status)
        .service(sessions::session_list)
        .service(sessions::session_delete)
        .service(management_keys::management_key_create)
        .service(management_keys::management_key_list)
        .service(management_keys::management_key_get)
        .service(management_keys::management_key_update)
        .service(management_keys::management_key_rotate)
        .service(management_keys::management_key_delete);
}

/// What can go wrong with every operation.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers")]
enum CommonErrors {
    /// The credential is missing or wrong.
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// The management key may not do this; or the request came from a web page of another origin, or, while no admin credential is
    /// configured, through a proxy.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// Too many wrong passwords: wait for `Retry-After`.
    #[response(status = 429)]
    Throttled(ErrorBody),
    /// A fault of the server.
    #[response(status = 500)]
    Internal(ErrorBody),
    /// The database cannot be reached.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// What can go wrong with input.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers")]
enum InputErrors {
    /// The request cannot be carried out as it is; `error.param` points at the member.
    #[response(status = 400)]
    Invalid(ErrorBody),
}

/// What can go wrong with a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers")]
enum BodyErrors {
    /// The request cannot be carried out as it is; `error.param` points at the member.
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// Something with this name exists already.
    #[response(status = 409)]
    Exists(ErrorBody),
    /// The body is larger than the limit.
    #[response(status = 413)]
    TooLarge(ErrorBody),
}

/// What can go wrong with a condition.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers")]
enum VersionErrors {
    /// `If-Match` names another version.
    #[response(status = 412)]
    PreconditionFailed(ErrorBody),
}

/// What can go wrong with an id.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers")]
enum PathErrors {
    /// The request cannot be carried out as it is; `error.param` points at the member.
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// There is no such thing.
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// `If-Match` names another version.
    #[response(status = 412)]
    PreconditionFailed(ErrorBody),
}
