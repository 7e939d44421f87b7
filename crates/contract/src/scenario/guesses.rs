//! Guessing passwords, until the server makes every operation wait.

use serde_json::json;

use crate::call::Call;
use crate::credential::basic;
use crate::run::Run;

use super::everywhere::{bare, documenting};

/// How many guesses at one operation must come to a refusal.
const MOST: u32 = 12;

pub(super) async fn play(run: &mut Run) {
    let guess = basic(&run.prefix.clone(), "not the password");
    for operation in documenting(run, 429) {
        let call = match operation.id.as_str() {
            "session_login" => {
                let body = json!({ "username": run.prefix, "password": "not the password" });
                Call::to("session_login").anonymous().json(&body)
            }
            _ => bare(&operation).anonymous().header("authorization", &guess),
        };
        refused(run, &operation.id, &call).await;
    }
}

/// Guesses until it is told to wait. A wait may end before the next guess, which then makes the next wait longer.
async fn refused(run: &mut Run, operation: &str, call: &Call) {
    for _ in 0..MOST {
        match run.send(call.clone()).await {
            Ok(reply) if reply.status == 429 => {
                if reply.header("retry-after").parse::<u32>().is_err() {
                    run.fail(operation, "429 does not say how long to wait");
                }
                return;
            }
            Ok(reply) if reply.status == 401 => {}
            Ok(reply) => {
                return run.fail(operation, format!("429 was due, and {} came: {}", reply.status, reply.said()));
            }
            Err(_) => return,
        }
    }
    run.fail(operation, format!("{MOST} guesses of a password were let through"));
}
