//! Values that are of the right type and still cannot be carried out, on create and on update.

use super::super::VIRTUAL_KEYS;
use super::{refuse, with_key};
use crate::harness::App;

/// The same on create and on update, with a message; the update is one of an existing key.
async fn refuse_both(app: &App, one: &str, members: &str, param: &str, message: &str) {
    for (method, path) in [("POST", VIRTUAL_KEYS), ("PUT", one)] {
        let reply = refuse(app, method, path, format!(r#"{{"name":"x",{members}}}"#), ("invalid_request", param)).await;
        assert_eq!(reply.json()["error"]["message"], message, "{method} {members}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_cannot_be_are_refused() {
    let (app, one) = with_key().await;
    for (members, param, message) in [
        (
            r#""budget":{"max_limit":0,"reset_duration":"1d"}"#,
            "/budget/max_limit",
            "budget max limit cannot be negative or zero: 0.00",
        ),
        (
            r#""budget":{"max_limit":-0.0,"reset_duration":"1d"}"#,
            "/budget/max_limit",
            "budget max limit cannot be negative or zero: 0.00",
        ),
        (
            r#""budget":{"max_limit":-2.5,"reset_duration":"1d"}"#,
            "/budget/max_limit",
            "Budget max_limit cannot be negative: -2.50",
        ),
        (
            r#""budgets":[{"max_limit":-1,"reset_duration":"1d"}]"#,
            "/budgets/0/max_limit",
            "Budget max_limit cannot be negative: -1.00",
        ),
        (
            r#""budget":{"max_limit":1}"#,
            "/budget/reset_duration",
            "both max_limit and reset_duration are required when creating a new budget",
        ),
        (
            r#""budget":{"reset_duration":"1d"}"#,
            "/budget/max_limit",
            "both max_limit and reset_duration are required when creating a new budget",
        ),
        (
            r#""budget":{"max_limit":1,"reset_duration":""}"#,
            "/budget/reset_duration",
            "Invalid reset duration format: ",
        ),
        (
            r#""budget":{"max_limit":1,"reset_duration":"hourly"}"#,
            "/budget/reset_duration",
            "Invalid reset duration format: hourly",
        ),
        (
            r#""budget":{"max_limit":1,"reset_duration":"1y"}"#,
            "/budget/reset_duration",
            "Invalid reset duration format: 1y",
        ),
        (
            r#""budget":{"max_limit":1,"reset_duration":"0s"}"#,
            "/budget/reset_duration",
            "Invalid reset duration (must be a positive duration): 0s",
        ),
        (
            r#""budget":{"max_limit":1,"reset_duration":"999999h"}"#,
            "/budget/reset_duration",
            "Invalid reset duration (must be between 1s and 100Y, in whole milliseconds): 999999h",
        ),
        (
            r#""budget":{"max_limit":1,"reset_duration":"-1h"}"#,
            "/budget/reset_duration",
            "Invalid reset duration format: -1h",
        ),
        (
            r#""budget":{"max_limit":1,"reset_duration":"1d","timezone":"Mars/Base"}"#,
            "/budget/timezone",
            "unknown time zone: Mars/Base",
        ),
        (
            r#""budget":{"max_limit":1,"reset_duration":"1h","calendar_aligned":true}"#,
            "/budget/calendar_aligned",
            "calendar_aligned needs a reset_duration in d, w, M, Q or Y, not 1h",
        ),
        (
            r#""budget":{"max_limit":0.0000000001,"reset_duration":"1d"}"#,
            "/budget/max_limit",
            "`0.0000000001` has more than 9 decimals",
        ),
        (
            r#""budget":{"max_limit":0.100000000000000000000000000001,"reset_duration":"1d"}"#,
            "/budget/max_limit",
            "`0.100000000000000000000000000001` is not a decimal number",
        ),
        (
            r#""budget":{"max_limit":9223372036.854775808,"reset_duration":"1d"}"#,
            "/budget/max_limit",
            "`9223372036.854775808` is out of range",
        ),
        (
            r#""budget":{"max_limit":1e400,"reset_duration":"1d"}"#,
            "/budget/max_limit",
            "`1e400` is not a decimal number",
        ),
        (
            r#""rate_limit":{"token_max_limit":0,"token_reset_duration":"1m"}"#,
            "/rate_limit/token_max_limit",
            "rate limit token max limit cannot be negative or zero: 0",
        ),
        (
            r#""rate_limit":{"request_max_limit":-3,"request_reset_duration":"1m"}"#,
            "/rate_limit/request_max_limit",
            "rate limit request max limit cannot be negative or zero: -3",
        ),
        (
            r#""rate_limit":{"request_max_limit":3}"#,
            "/rate_limit/request_reset_duration",
            "rate limit request reset duration is required",
        ),
        (
            r#""rate_limit":{"token_max_limit":3,"token_reset_duration":"soon"}"#,
            "/rate_limit/token_reset_duration",
            "Invalid reset duration format: soon",
        ),
        (
            r#""budgets":[{"max_limit":1,"reset_duration":"1d"},{"max_limit":2,"reset_duration":"24h"}]"#,
            "/budgets/1/reset_duration",
            "Duplicate reset_duration in budgets: 24h",
        ),
        (r#""budget":{},"budgets":[]"#, "/budgets", "only one of 'budget' or 'budgets' may be set"),
        (
            r#""provider_configs":[{"provider":"demo","budget":{"max_limit":0,"reset_duration":"1d"}}]"#,
            "/provider_configs/0/budget/max_limit",
            "budget max limit cannot be negative or zero: 0.00",
        ),
    ] {
        refuse_both(&app, &one, members, param, message).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn references_that_lead_nowhere_are_refused() {
    let (app, one) = with_key().await;
    for (members, param, message) in [
        (r#""team_id":"nobody""#, "/team_id", "team 'nobody' not found"),
        (r#""customer_id":"nobody""#, "/customer_id", "customer 'nobody' not found"),
        (
            r#""team_id":"a","customer_id":"b""#,
            "/customer_id",
            "VirtualKey cannot be attached to both Team and Customer",
        ),
        (r#""key_ids":["nobody"]"#, "/key_ids", "some keys not found: expected 1, found 0"),
        (r#""key_ids":["*"]"#, "/key_ids", "some keys not found: expected 1, found 0"),
        (r#""provider_configs":[{}]"#, "/provider_configs/0/provider", "provider name is required"),
        (r#""provider_configs":[{"provider":""}]"#, "/provider_configs/0/provider", "provider name is required"),
        (
            r#""provider_configs":[{"provider":"nobody"}]"#,
            "/provider_configs/0/provider",
            "invalid provider name: nobody",
        ),
        (
            r#""provider_configs":[{"provider":"demo"},{"provider":"demo"}]"#,
            "/provider_configs/1/provider",
            "duplicate provider config for provider demo",
        ),
        (
            r#""provider_configs":[{"provider":"demo","key_ids":["a","b"]}]"#,
            "/provider_configs/0/key_ids",
            "some keys not found for provider demo: expected 2, found 0",
        ),
        (
            r#""provider_configs":[{"provider":"demo","key_ids":["*","a"]}]"#,
            "/provider_configs/0/key_ids",
            "wildcard '*' cannot be used with other values in the whitelist",
        ),
        (
            r#""provider_configs":[{"id":1,"provider":"demo"}]"#,
            "/provider_configs/0/id",
            "provider config 1 does not belong to this virtual key",
        ),
        (
            r#""provider_configs":[{"provider":"demo","allowed_models":["*","a"]}]"#,
            "/provider_configs/0/allowed_models",
            "wildcard '*' cannot be used with other values in the whitelist",
        ),
        (
            r#""provider_configs":[{"provider":"demo","blacklisted_models":["gpt","GPT"]}]"#,
            "/provider_configs/0/blacklisted_models",
            "duplicate value 'GPT' in whitelist",
        ),
        (
            r#""provider_configs":[{"provider":"demo","allowed_models":["regex:a)|(?:b"]}]"#,
            "/provider_configs/0/allowed_models",
            "'regex:a)|(?:b' in whitelist is no regular expression that can be used: unopened group",
        ),
        (
            r#""provider_configs":[{"provider":"demo","allowed_models":[""]}]"#,
            "/provider_configs/0/allowed_models",
            "empty value in whitelist",
        ),
        (
            r#""mcp_configs":[{"mcp_client_name":"files","tools_to_execute":["read"]}]"#,
            "/mcp_configs/0/mcp_client_name",
            "failed to get MCP client: 'files' not found",
        ),
    ] {
        refuse_both(&app, &one, members, param, message).await;
    }
}
