//! Refusals in the protocol's form: an error of JSON-RPC, with the error body of the gateway's other routes in `data`.

use keyward_core::error_body::ErrorExtra;
use keyward_core::error_code::ErrorCode;
use keyward_core::mcp_tools::QualifiedTool;
use rmcp::model::{ErrorCode as RpcCode, ErrorData};

use super::TOOL_CALL;
use super::caller::Caller;
use crate::clock;
use crate::error::ApiError;
use crate::state::State;
use crate::usage::Refused;

/// The code of JSON-RPC for what is a server's own to define.
const REFUSED: RpcCode = RpcCode(-32_000);

/// An error for the caller: counted, logged if it is our fault, and said in the protocol's form.
pub(super) fn told(state: &State, caller: &Caller, error: ApiError, about: Option<QualifiedTool<'_>>) -> ErrorData {
    let virtual_key = state.engine.virtual_key_id(&caller.hash, clock::now());
    let extra = ErrorExtra {
        provider: about.map(|tool| format!("mcp:{}", tool.client)).unwrap_or_default(),
        model_requested: about.map(|tool| tool.to_string()).unwrap_or_default(),
        request_type: TOOL_CALL.to_owned(),
    };
    let (provider, model) = (extra.provider.as_str(), extra.model_requested.as_str());
    state.refused(&error, Refused { virtual_key: virtual_key.as_ref(), provider, model });
    error.log(caller.request_id.as_str());
    let code = rpc_code(error.code());
    let body = error.in_gateway(extra).body(caller.request_id.as_str());
    let message = body.error.message.clone();
    ErrorData::new(code, message, serde_json::to_value(&body).ok())
}

/// A message that nobody sent: the handler was reached another way than through the door.
pub(super) fn nobody() -> ErrorData {
    ErrorData::internal_error("The message has no sender", None)
}

/// A tool that may not be used is answered like one that is not there.
const fn rpc_code(code: ErrorCode) -> RpcCode {
    match code.status() {
        400 | 404 => RpcCode::INVALID_PARAMS,
        403 if matches!(code, ErrorCode::McpToolBlocked) => RpcCode::INVALID_PARAMS,
        500 => RpcCode::INTERNAL_ERROR,
        _ => REFUSED,
    }
}
