//! Management keys that may do next to nothing: every other operation refuses them.

use serde_json::json;

use crate::call::{Call, text};
use crate::document::Operation;
use crate::run::{Run, Stop};

use super::everywhere::{bare, documenting};

/// Operations that look at the page that asks, and not at who asks.
const OF_PAGES: [&str; 3] = ["session_login", "session_logout", "session_status"];
/// The operation that wants a virtual key.
const QUOTA: &str = "virtual_key_quota";

pub(super) async fn play(run: &mut Run) -> Result<(), Stop> {
    let (events, metrics) = (key(run, "events").await?, key(run, "metrics").await?);
    for operation in documenting(run, 403) {
        let id = operation.id.as_str();
        let call = match id {
            "event_list" => bare(&operation).bearer(&metrics),
            QUOTA => Call::to(QUOTA).virtual_key(&events),
            _ if OF_PAGES.contains(&id) => {
                let login = bare(&operation).anonymous().header("origin", "https://elsewhere.invalid");
                login.header("sec-fetch-site", "cross-site")
            }
            _ => granted(run, &operation).bearer(&events),
        };
        if id == "session_login" {
            // The page is looked at after the body.
            let body = json!({ "username": "nobody", "password": "nothing" });
            run.probe(call.json(&body), 403).await;
        } else if id != "session_status" {
            run.probe(call, 403).await;
        }
    }
    Ok(())
}

/// Something that others were granted, where that is known: what is asked for is read at the same time as who asks.
fn granted(run: &Run, operation: &Operation) -> Call {
    match run.granted.get(&operation.id) {
        Some(call) => call.clone(),
        None if operation.has_body() => bare(operation).json(&json!({})),
        None => bare(operation),
    }
}

/// The secret of a new management key that reads one kind of thing.
async fn key(run: &mut Run, resource: &str) -> Result<String, Stop> {
    let name = run.name("management_key");
    let permissions = json!([{ "resource": resource, "access": "read" }]);
    let call = Call::to("management_key_create").json(&json!({ "name": name, "permissions": permissions }));
    let made = run.expect(call, 200).await?.json();
    let id = text(&made, "/management_key/id");
    run.remember(Call::to("management_key_delete").at([("key_id", id.as_str())]));
    Ok(text(&made, "/value"))
}
