//! MCP clients. What is edited is in force at once: at `/mcp`, for lists and for calls.

use actix_web::{delete, get, post, put, web};
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::{McpClientId, VirtualKeyId};
use keyward_core::list::{McpClientChanged, McpClientDetail, McpClientList, McpClientRemoved};
use keyward_core::mcp_client::{CreateMcpClient, McpClient, McpClientEntry, McpClientQuery, UpdateMcpClient};
use keyward_core::permission::{Access, Permission, Resource};

use super::providers::check_variables;
use super::{BodyErrors, CommonErrors, InputErrors, PathErrors};
use crate::auth::{Authed, McpClientsRead, McpClientsWrite};
use crate::body::Body;
use crate::error::{ApiError, ApiResult};
use crate::kept::Kept;
use crate::params::{Path, Query};
use crate::state::{State, edit, editing};
use crate::tagged::{Tagged, TaggedResult};

/// What `status` says of every success.
const SUCCESS: &str = "success";

/// Makes an MCP client known. Its address and the values of its headers are stored encrypted and never shown again.
#[utoipa::path(
    operation_id = "mcp_client_create",
    tag = "MCP clients",
    security((), ("admin" = [])),
    request_body = CreateMcpClient,
    responses((status = 200, description = "The MCP client.", body = McpClientChanged), BodyErrors, CommonErrors),
)]
#[post("/api/mcp/client")]
pub(super) async fn mcp_client_create(
    caller: Authed<McpClientsWrite>,
    state: web::Data<State>,
    body: Body<CreateMcpClient>,
) -> TaggedResult<McpClientChanged> {
    let change = caller.creation("mcp_client_create", &body);
    let request = UpdateMcpClient::from(body.request);
    check_variables(&state, request.variables())?;
    let draft = editing(change.at, |edit| request.make(edit))?;
    let client = edit(&state, async move |state| {
        let created = state.store.mcp_client_create(change, draft).await?;
        state.reload(Kept::McpServers).await?;
        Ok(created)
    });
    changed("MCP client created successfully", client.await?)
}

/// Lists MCP clients, oldest first. Secrets are redacted.
#[utoipa::path(
    operation_id = "mcp_client_list",
    tag = "MCP clients",
    security((), ("admin" = [])),
    params(McpClientQuery),
    responses((status = 200, description = "The MCP clients.", body = McpClientList), InputErrors, CommonErrors),
)]
#[get("/api/mcp/clients")]
pub(super) async fn mcp_client_list(
    _: Authed<McpClientsRead>,
    state: web::Data<State>,
    query: Query<McpClientQuery>,
) -> ApiResult<McpClientList> {
    let filter = query.0.check()?;
    let page = filter.page.clone();
    let listed = state.store.mcp_client_list(filter).await?;
    Ok(web::Json(McpClientList::new(listed, &page)))
}

/// Shows one MCP client. Secrets are redacted.
#[utoipa::path(
    operation_id = "mcp_client_get",
    tag = "MCP clients",
    security((), ("admin" = [])),
    params(("client_id" = String, Path, description = "The MCP client's `client_id`.")),
    responses((status = 200, description = "The MCP client.", body = McpClientDetail), PathErrors, CommonErrors),
)]
#[get("/api/mcp/client/{client_id}")]
pub(super) async fn mcp_client_get(
    _: Authed<McpClientsRead>,
    state: web::Data<State>,
    id: Path<McpClientId>,
) -> TaggedResult<McpClientDetail> {
    let client = state.store.mcp_client_get(id.0).await?;
    Ok(Tagged::new(client, |client| McpClientDetail { client }))
}

/// Edits an MCP client: what is absent stays, null clears. With `vk_configs` exactly these virtual keys may use it.
#[utoipa::path(
    operation_id = "mcp_client_update",
    tag = "MCP clients",
    security((), ("admin" = [])),
    params(("client_id" = String, Path, description = "The MCP client's `client_id`.")),
    request_body = UpdateMcpClient,
    responses(
        (status = 200, description = "The MCP client.", body = McpClientChanged),
        BodyErrors,
        PathErrors,
        CommonErrors,
    ),
)]
#[put("/api/mcp/client/{client_id}")]
pub(super) async fn mcp_client_update(
    caller: Authed<McpClientsWrite>,
    state: web::Data<State>,
    id: Path<McpClientId>,
    body: Body<UpdateMcpClient>,
) -> TaggedResult<McpClientChanged> {
    let (change, request) = (caller.change("mcp_client_update"), body.request);
    check_variables(&state, request.variables())?;
    let keys = request.virtual_keys()?;
    if keys.is_some() && !caller.may(Permission::new(Resource::VirtualKeys, Access::Write)) {
        let message = "The management key may not write virtual keys, which vk_configs does";
        return Err(ApiError::new(ErrorCode::PermissionDenied, message).at("/vk_configs"));
    }
    let client = edit(&state, async move |state| {
        let apply = move |existing: &McpClient, at| editing(at, |edit| request.apply(existing, edit));
        let before = state.store.mcp_client_virtual_keys(id.0.clone()).await?;
        let updated = state.store.mcp_client_update(change, id.0, keys, apply).await?;
        let after = updated.vk_configs.iter().map(|config| config.virtual_key_id.clone());
        in_force(&state, before.into_iter().chain(after).collect()).await?;
        Ok(updated)
    });
    changed("MCP client updated successfully", client.await?)
}

/// Removes an MCP client, and with it the MCP configs of virtual keys for it. Its tools are listed and called no more.
#[utoipa::path(
    operation_id = "mcp_client_delete",
    tag = "MCP clients",
    security((), ("admin" = [])),
    params(("client_id" = String, Path, description = "The MCP client's `client_id`.")),
    responses((status = 200, description = "It is removed.", body = McpClientRemoved), PathErrors, CommonErrors),
)]
#[delete("/api/mcp/client/{client_id}")]
pub(super) async fn mcp_client_delete(
    caller: Authed<McpClientsWrite>,
    state: web::Data<State>,
    id: Path<McpClientId>,
) -> ApiResult<McpClientRemoved> {
    let change = caller.change("mcp_client_delete");
    let deleted = edit(&state, async move |state| {
        let before = state.store.mcp_client_virtual_keys(id.0.clone()).await?;
        state.store.mcp_client_delete(change, id.0).await?;
        in_force(&state, before).await
    });
    deleted.await?;
    let message = "MCP client removed successfully".to_owned();
    Ok(web::Json(McpClientRemoved { status: SUCCESS.to_owned(), message }))
}

/// Brings an edit of a client into force, for these virtual keys too.
async fn in_force(state: &State, keys: Vec<VirtualKeyId>) -> Result<(), ApiError> {
    // Also when the first fails: the second then knows that it is stale.
    let (servers, keys) = (state.reload(Kept::McpServers).await, state.reload_keys(keys).await);
    servers.and(keys)
}

fn changed(message: &str, client: McpClientEntry) -> TaggedResult<McpClientChanged> {
    let (status, message) = (SUCCESS.to_owned(), message.to_owned());
    Ok(Tagged::new(client, |client| McpClientChanged { status, message, client }))
}
