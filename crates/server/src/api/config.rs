//! The server's configuration.

use actix_web::{get, put, web};
use keyward_core::server_config::{ServerConfig, UpdateConfig};

use super::{BodyErrors, CommonErrors, VersionErrors};
use crate::auth::{Authed, ConfigRead, ConfigWrite};
use crate::body::Body;
use crate::state::{State, edit};
use crate::tagged::{Tagged, TaggedResult};

/// Shows the server's configuration. The password is redacted.
#[utoipa::path(
    operation_id = "config_get",
    tag = "configuration",
    security((), ("admin" = [])),
    responses((status = 200, description = "The configuration.", body = ServerConfig), CommonErrors),
)]
#[get("/api/config")]
pub(super) async fn config_get(_: Authed<ConfigRead>, state: web::Data<State>) -> TaggedResult<ServerConfig> {
    Ok(Tagged::new(state.access.in_force().shown(), |config| config))
}

/// Edits the server's configuration: what is absent stays. It is in force at once; another credential ends all sessions.
#[utoipa::path(
    operation_id = "config_update",
    tag = "configuration",
    security((), ("admin" = [])),
    request_body = UpdateConfig,
    responses(
        (status = 200, description = "The configuration.", body = ServerConfig),
        BodyErrors,
        VersionErrors,
        CommonErrors,
    ),
)]
#[put("/api/config")]
pub(super) async fn config_update(
    caller: Authed<ConfigWrite>,
    state: web::Data<State>,
    body: Body<UpdateConfig>,
) -> TaggedResult<ServerConfig> {
    let change = caller.change("config_update");
    let config = edit(&state, async move |state| state.access.update(&state, change, body.request).await);
    Ok(Tagged::new(config.await?, |config| config))
}
