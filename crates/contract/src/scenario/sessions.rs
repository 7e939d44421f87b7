//! Sessions of the administrator, on a server that was made for the run: a login elsewhere would be somebody's.

use serde_json::{Value, json};

use crate::call::{Call, Reply, text};
use crate::run::{Run, Stop, id_of};

use super::resource::{NO_VERSION, NOBODY};

/// Finds out whether managing needs a credential.
pub(super) async fn status(run: &mut Run) -> Result<(), Stop> {
    let status = run.expect(Call::to("session_status").anonymous(), 200).await?.json();
    run.is_guarded = status.get("is_auth_enabled") != Some(&Value::Bool(false));
    Ok(())
}

pub(super) async fn play(run: &mut Run) -> Result<(), Stop> {
    let Some((username, password)) = run.password() else {
        run.skip("session_login", "only a password opens sessions");
        return Ok(());
    };
    let body = |password: &str| json!({ "username": username, "password": password });
    run.probe(Call::to("session_login").anonymous().json(&body("not the password")), 401).await;
    let login = Call::to("session_login").anonymous().json(&body(&password));
    let (one, other) = (token(run, login.clone()).await?, token(run, login).await?);
    let status = run.expect(Call::to("session_status").bearer(&one), 200).await?.json();
    if status.get("has_valid_token") != Some(&Value::Bool(true)) {
        run.fail("session_status", "the token of a new session is not valid");
    }
    let list = run.expect(Call::to("session_list").bearer(&one), 200).await?.json();
    let sessions = list.get("sessions").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(id) = sessions.last().and_then(|session| id_of(session, "/id")) else {
        run.fail("session_list", "a new session is not in the list");
        return Err(Stop);
    };
    let delete = |id: &str| Call::to("session_delete").at([("session_id", id)]);
    run.probe(delete(&id).header("if-match", NO_VERSION), 412).await;
    run.probe(delete(NOBODY), 404).await;
    run.expect(delete(&id), 200).await?;
    run.probe(Call::to("session_list").bearer(&other), 401).await;
    run.expect(Call::to("session_logout").bearer(&one), 200).await?;
    run.probe(Call::to("session_list").bearer(&one), 401).await;
    Ok(())
}

/// The token of a new session.
async fn token(run: &mut Run, login: Call) -> Result<String, Stop> {
    let reply: Reply = run.expect(login, 200).await?;
    let cookie = reply.header("set-cookie").split(';').next().unwrap_or_default();
    match cookie.strip_prefix("token=") {
        Some(token) => Ok(token.to_owned()),
        None => {
            run.fail("session_login", format!("no cookie has the token: {}", text(&reply.json(), "/message")));
            Err(Stop)
        }
    }
}
