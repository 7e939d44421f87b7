//! `/api/routing/rules`, and `/api/governance/routing-rules`, where they were before.

mod create;
mod delete;
mod list;
mod update;

use serde_json::{Value, json};

use super::{done, send};
use crate::harness::App;

pub(super) const RULES: &str = "/api/routing/rules";
const EARLIER: &str = "/api/governance/routing-rules";

/// A rule that sends everything to a model of the simulated provider.
fn simple(name: &str) -> Value {
    json!({ "name": name, "targets": [{ "provider": "demo", "model": "echo" }] })
}

fn with(mut members: Value, more: Value) -> Value {
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    members
}

/// Makes a rule and gives its id.
async fn made(app: &App, body: Value) -> String {
    done(app, "POST", RULES, body).await["rule"]["id"].as_str().unwrap().to_owned()
}

/// Status, member at fault, and the reason of a refusal.
async fn told(app: &App, method: &str, path: &str, body: &Value) -> (u16, String, String) {
    let reply = send(app, method, path, body).await;
    let (status, _, param) = reply.error();
    (status, param, reply.json()["error"]["message"].as_str().unwrap().to_owned())
}
