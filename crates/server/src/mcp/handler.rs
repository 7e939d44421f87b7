//! What our side of the protocol answers. It has tools, and nothing else.

use actix_web::web;
use futures_util::future::join_all;
use keyward_core::mcp_tools::QualifiedTool;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, ErrorData, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};

use super::caller::Caller;
use super::{call, refusing};
use crate::clock;
use crate::error::ApiError;
use crate::state::State;

/// The server that clients of ours see.
#[derive(Clone)]
pub(crate) struct ToolGateway {
    state: web::Data<State>,
}

impl ToolGateway {
    pub(super) const fn new(state: web::Data<State>) -> Self {
        Self { state }
    }

    /// The tools that the caller may use, by the names of their clients.
    async fn tools(&self, caller: &Caller) -> Result<Vec<Tool>, ApiError> {
        let servers = self.state.mcp.servers();
        let lists = join_all(servers.iter().map(|server| server.tools(&self.state))).await;
        // Asking took a while: what the key may do now is what counts.
        let principal = self.state.engine.identify(&caller.hash, clock::now())?;
        let mut tools = Vec::new();
        for (server, list) in servers.iter().zip(lists) {
            let effective = principal.tools(&server.client, &caller.narrowing);
            for tool in list.iter().filter(|tool| effective.allows(&tool.name)) {
                let name = QualifiedTool { client: &server.client.name, tool: &tool.name }.to_string();
                let mut tool = tool.clone();
                tool.name = name.into();
                tools.push(tool);
            }
        }
        Ok(tools)
    }
}

impl ServerHandler for ToolGateway {
    fn get_info(&self) -> ServerConfig {
        let mut info = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        info.server_info = Implementation::new("keyward", env!("CARGO_PKG_VERSION"));
        info
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let caller = Caller::of(&context).ok_or_else(refusing::nobody)?;
        let tools = self.tools(caller).await.map_err(|error| refusing::told(&self.state, caller, error, None))?;
        // Another caller may use others, and this one too, a moment later.
        Ok(ListToolsResult {
            ttl_ms: Some(0),
            cache_scope: Some(CacheScope::Private),
            ..ListToolsResult::with_all_items(tools)
        })
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let caller = Caller::of(&context).ok_or_else(refusing::nobody)?;
        call::call(&self.state, caller, request).await.map(CallToolResponse::Complete)
    }
}
