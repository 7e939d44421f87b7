//! Operations that are about no resource of the run: health, lists, limits, configuration, the audit log.

use serde_json::{Value, json};

use crate::call::{Call, text};
use crate::run::{Run, Stop};
use crate::unprovoked::is_unaudited;

use super::Ground;
use super::resource::{NO_VERSION, NOBODY};

pub(super) async fn probes(run: &mut Run) -> Result<(), Stop> {
    for operation in ["livez", "readyz", "health"] {
        run.expect(Call::to(operation).anonymous(), 200).await?;
    }
    Ok(())
}

pub(super) async fn lists(run: &mut Run) -> Result<(), Stop> {
    for operation in ["metrics", "budget_list", "rate_limit_list", "event_list", "key_list", "provider_governance_list"]
    {
        run.probe(Call::to(operation), 200).await;
    }
    run.probe(Call::to("virtual_key_list").query("limit", "1").header("accept", "text/csv"), 200).await;
    for format in ["json", "csv", "ndjson"] {
        run.probe(Call::to("ledger_list").query("limit", "2").query("format", format), 200).await;
    }
    let report = Call::to("usage_report").query("group_by", "virtual_key,model").query("interval", "hour");
    run.probe(report, 200).await;
    run.probe(Call::to("usage_forecast").query("limit", "2"), 200).await;
    run.probe(Call::to("audit_list").query("limit", "1"), 200).await;
    let verified = run.expect(Call::to("audit_verify"), 200).await?.json();
    if verified.get("intact") != Some(&Value::Bool(true)) {
        run.fail("audit_verify", "the audit log is not intact");
    }
    Ok(())
}

/// Reads the configuration, and tries to write another version of it, which changes nothing. Only a server that was made for this
/// is set otherwise.
pub(super) async fn config(run: &mut Run) -> Result<(), Stop> {
    let before = run.expect(Call::to("config_get"), 200).await?;
    let cooldown = |text: &str| json!({ "client_config": { "vk_rotation_cooldown": text } });
    run.probe(Call::to("config_update").json(&cooldown("1h")).header("if-match", NO_VERSION), 412).await;
    if !run.is_disposable {
        run.skip("config_update", "it would change the server for everybody");
        return Ok(());
    }
    let after = run.expect(Call::to("config_update").json(&cooldown("1h")), 200).await?;
    if after.header("etag") == before.header("etag") {
        run.fail("config_update", "what was edited has the same version");
    }
    run.expect(Call::to("config_update").json(&cooldown("")), 200).await?;
    Ok(())
}

/// The limits that a provider has for everybody.
pub(super) async fn limits_of_provider(run: &mut Run, ground: &Ground) -> Result<(), Stop> {
    let (update, delete) = ("provider_governance_update", "provider_governance_delete");
    let body = json!({ "budget": { "max_limit": 1, "reset_duration": "1d" } });
    let (own, nobody) = ([("provider_name", ground.provider.as_str())], [("provider_name", NOBODY)]);
    let changed = run.expect(Call::to(update).at(own).json(&body), 200).await?.json();
    if text(&changed, "/provider/provider") != ground.provider {
        run.fail(update, "another provider was changed");
    }
    run.probe(Call::to(update).at(own).json(&body).header("if-match", NO_VERSION), 412).await;
    run.probe(Call::to(delete).at(own).header("if-match", NO_VERSION), 412).await;
    run.probe(Call::to(update).at(nobody).json(&body), 404).await;
    run.probe(Call::to(delete).at(nobody), 404).await;
    run.expect(Call::to(delete).at(own), 200).await?;
    Ok(())
}

/// Every write of this run is in the audit log, under the id of its operation.
pub(super) async fn audited(run: &mut Run) {
    let [management, _] = run.contract.documents();
    let writes = management.operations().iter().filter(|operation| operation.method != "GET");
    let writes: Vec<String> = writes.map(|operation| operation.id.clone()).collect();
    for operation in writes {
        let is_done = run.coverage.has(&operation, 200) || run.coverage.has(&operation, 201);
        if !is_done || is_unaudited(&operation) {
            continue;
        }
        let action = operation.trim_end_matches("_alias");
        let call = Call::to("audit_list").query("action", action).query("limit", "1");
        let Ok(log) = run.expect(call, 200).await else { return };
        if log.json().get("entries").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            run.fail(&operation, "the audit log does not tell of it");
        }
    }
}
