//! The management API, operation by operation: the path of a file is the path of its endpoint.

pub mod admin;
mod audit;
mod bad_input;
mod conditions;
mod config;
mod customers;
mod events;
mod golden;
mod limit_policies;
mod management_keys;
mod mcp_clients;
mod model_configs;
mod pricing_overrides;
mod provider_governance;
mod provider_keys;
mod providers;
mod routing_rules;
mod seeds;
mod sessions;
mod teams;
mod usage;
mod virtual_keys;

use std::fmt::Debug;

use keyward_client::{ApiError, BudgetInput, Error, RateLimitInput, ResetDuration};
use serde_json::Value;

use crate::harness::{App, Reply};

const VIRTUAL_KEYS: &str = "/api/governance/virtual-keys";
const TEAMS: &str = "/api/governance/teams";
const CUSTOMERS: &str = "/api/governance/customers";
const MODEL_CONFIGS: &str = "/api/governance/model-configs";
const PRICING_OVERRIDES: &str = "/api/governance/pricing-overrides";
const PROVIDER_GOVERNANCE: &str = "/api/governance/providers";
const PROVIDERS: &str = "/api/providers";

/// Sends JSON as no typed client would.
async fn send(app: &App, method: &str, path: &str, body: &Value) -> Reply {
    app.raw(method, path).body(body.to_string()).send().await
}

/// What a successful request with this body is answered.
async fn done(app: &App, method: &str, path: &str, body: Value) -> Value {
    let reply = send(app, method, path, &body).await;
    assert_eq!(reply.status, 200, "{method} {path} {body}: {}", reply.json());
    reply.json()
}

/// The error that a call of the SDK ended with.
fn refused<T: Debug>(result: Result<T, Error>) -> ApiError {
    let error = result.unwrap_err();
    let Error::Api(api) = error else { panic!("{error:?}") };
    *api
}

/// Status, member at fault, and the reason in words.
fn told(error: &ApiError) -> (u16, &str, &str) {
    (error.status, error.param.as_deref().unwrap_or_default(), &error.message)
}

fn duration(text: &str) -> ResetDuration {
    text.parse().unwrap()
}

fn budget(dollars: &str, reset_duration: &str) -> BudgetInput {
    BudgetInput::new(dollars.parse().unwrap(), duration(reset_duration))
}

fn requests(most: i64, reset_duration: &str) -> RateLimitInput {
    RateLimitInput {
        request_max_limit: most.into(),
        request_reset_duration: duration(reset_duration).into(),
        ..RateLimitInput::default()
    }
}
