//! A call of a tool: an attempt like any other, with an admission, a hold and a ledger entry of its own.

use actix_web::web;
use keyward_core::error_body::ErrorExtra;
use keyward_core::error_code::ErrorCode;
use keyward_core::ledger::Outcome;
use keyward_core::mcp_tools::QualifiedTool;
use keyward_core::pricing_override::RequestType;
use keyward_core::refusal::Refusal;
use keyward_engine::{Admission, Attempt, Permit};
use rmcp::model::{CallToolRequestParams, CallToolResult, ErrorData};
use rmcp::service::ServiceError;
use rmcp::transport::streamable_http_client::StreamableHttpError;
use tokio::sync::oneshot;

use super::caller::Caller;
use super::charge::Charge;
use super::servers::Server;
use super::sessions::{Owner, SessionError};
use super::transport::WireError;
use super::{TOOL_CALL, refusing};
use crate::error::ApiError;
use crate::gateway::{Books, Watch, ready};
use crate::metrics::AttemptLabels;
use crate::state::State;
use crate::usage::{LONGEST_NAME, is_recordable};
use crate::{clock, lapses};

/// Why a call has no result.
enum Failure {
    /// Something of ours, or of the way to the server.
    Ours(ApiError),
    /// What the server itself said.
    Servers(ErrorData),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Ours(error)
    }
}

/// A call on its way.
struct Call {
    books: Books,
    server: std::sync::Arc<Server>,
    owner: Owner,
    charge: Charge,
    params: CallToolRequestParams,
}

/// Calls a tool for the caller.
pub(super) async fn call(
    state: &web::Data<State>,
    caller: &Caller,
    params: CallToolRequestParams,
) -> Result<CallToolResult, ErrorData> {
    let name = params.name.to_string();
    if !is_recordable(&name) {
        let message = format!("name must have at most {LONGEST_NAME} bytes and no control characters");
        let error = ApiError::new(ErrorCode::InvalidRequest, message).at("/params/name");
        return Err(refusing::told(state, caller, error, None));
    }
    let asked = QualifiedTool::parse(&name);
    match attempt(state, caller, asked, &name, params).await {
        Ok(result) => Ok(result),
        Err(Failure::Servers(error)) => Err(error),
        Err(Failure::Ours(error)) => Err(refusing::told(state, caller, error, asked)),
    }
}

async fn attempt(
    state: &web::Data<State>,
    caller: &Caller,
    asked: Option<QualifiedTool<'_>>,
    name: &str,
    params: CallToolRequestParams,
) -> Result<CallToolResult, Failure> {
    // One refusal for what is not there and for what may not be used: neither is told from the other.
    let blocked = || ApiError::from(Refusal::ToolBlocked(name.to_owned())).at("/params/name");
    let principal = state.engine.identify(&caller.hash, clock::now()).map_err(ApiError::from)?;
    let version = principal.tools_version();
    let (asked, server) = asked.and_then(|asked| Some((asked, state.mcp.find(asked.client)?))).ok_or_else(blocked)?;
    let virtual_key_id = principal.virtual_key_id().clone();
    let permit = principal.permit_tool(&server.client, asked.tool, &caller.narrowing);
    tracing::info!(
        request_id = %caller.request_id,
        %virtual_key_id,
        tool = name,
        is_allowed = permit.is_ok(),
        virtual_key_version = version.map(tracing::field::display),
        mcp_client_version = %server.client.updated_at,
        "a virtual key asks for a tool"
    );
    let permit = permit.map_err(|_| blocked())?;
    if server.connection.is_none() {
        let message = format!("Tool '{name}' cannot be called: Keyward does not connect to its MCP server");
        return Err(ApiError::new(ErrorCode::ProviderNotSupported, message).into());
    }
    ready(state)?;
    let owner = Owner::key(virtual_key_id, &server.client);
    let charge = Charge::new(&server.client, asked.tool);
    let admission = admit(state, caller, &permit, &charge)?;
    let about = ErrorExtra {
        provider: permit.provider().to_string(),
        model_requested: name.to_owned(),
        request_type: TOOL_CALL.to_owned(),
    };
    let mut params = params;
    params.name = asked.tool.to_owned().into();
    // What a client says of itself to us is not the server's to know.
    params.meta = None;
    let call = Call {
        books: Books::open(state.clone(), admission, about, Watch::counting(AttemptLabels::TOOL_CALL)),
        server,
        owner,
        charge,
        params,
    };
    run(state, call).await
}

fn admit(state: &State, caller: &Caller, permit: &Permit, charge: &Charge) -> Result<Admission, ApiError> {
    let attempt = Attempt {
        request_id: caller.request_id.clone(),
        attempt: 0,
        request_type: Some(RequestType::McpToolCall),
        provider_key_id: "".into(),
        model_served: permit.model().clone(),
        price: Some(charge.price.clone()),
        demand: charge.demand(),
    };
    Ok(state.engine.admit(permit, attempt, clock::now())?)
}

/// Runs an admitted call in a task of its own, which outlives the client, and waits for its result.
async fn run(state: &web::Data<State>, mut call: Call) -> Result<CallToolResult, Failure> {
    let lost = || ApiError::new(ErrorCode::Internal, "The call was interrupted");
    let Some(admission) = call.books.admission() else { return Err(lost().into()) };
    if let Err(error) = state.held_durably(admission).await {
        call.books.release();
        return Err(error.into());
    }
    let pulse = admission.pulse();
    let (reply, result) = oneshot::channel();
    let give_up = state.give_up.clone();
    // A call that is given up is dropped, and so are its books: they charge what was held.
    let task = async move {
        tokio::select! {
            () = give_up.cancelled() => {}
            () = call.run(reply) => {}
            () = lapses::keep_alive(pulse) => {}
        }
    };
    state.tasks.spawn_on(task, &state.runtime);
    result.await.unwrap_or_else(|_| match state.give_up.is_cancelled() {
        true => Err(ApiError::new(ErrorCode::ShuttingDown, "The server stopped before the tool had answered").into()),
        false => Err(lost().into()),
    })
}

impl Call {
    async fn run(mut self, reply: oneshot::Sender<Result<CallToolResult, Failure>>) {
        self.books.leaves();
        let timeout = self.server.timeout();
        let place = self.books.state().mcp.sessions.of(self.owner.clone(), clock::now());
        let (server, params) = (self.server.clone(), std::mem::take(&mut self.params));
        let asking = async { Ok(place.open(&server).await?.peer().call_tool(params).await?) };
        let result = match tokio::time::timeout(timeout, asking).await {
            Ok(Ok(result)) => {
                self.books.answer_began();
                let outcome = if reply.is_closed() { Outcome::ClientCancelled } else { Outcome::Completed };
                self.books.settle(Some(self.charge.used()), outcome);
                Ok(result)
            }
            Ok(Err(error)) => Err(self.failed(error, place.has_reached())),
            Err(_) if !place.has_reached() => {
                self.books.release();
                Err(timed_out(timeout).into())
            }
            Err(_) => {
                self.books.settle(None, Outcome::TimedOut);
                Err(timed_out(timeout).into())
            }
        };
        // A client that went away has no use for it.
        let _ = reply.send(result);
    }

    /// Closes the books of a call that failed. What the server refused is free; what broke off in the middle is charged as it was held.
    fn failed(&mut self, error: SessionError, has_reached: bool) -> Failure {
        match Progress::of(&error) {
            _ if !has_reached => self.books.release(),
            Progress::NotSent => self.books.release(),
            Progress::Refused => drop(self.books.settle(Some(Charge::nothing()), Outcome::UpstreamError)),
            Progress::Broken => drop(self.books.settle(None, Outcome::UpstreamError)),
        }
        match error {
            SessionError::Answer(ServiceError::McpError(error)) => Failure::Servers(error),
            SessionError::NoAddress | SessionError::Opening(_) | SessionError::Answer(_) => {
                let message = "The MCP server cannot be reached, or did not answer as the protocol wants it";
                ApiError::new(ErrorCode::UpstreamUnreachable, message).because(error).into()
            }
        }
    }
}

fn timed_out(timeout: std::time::Duration) -> ApiError {
    let message = format!("The tool took longer than {} seconds", timeout.as_secs_f64());
    ApiError::new(ErrorCode::UpstreamTimeout, message)
}

/// How far a call came that failed.
enum Progress {
    /// No byte of it left.
    NotSent,
    /// The server did not take it.
    Refused,
    /// Nobody knows.
    Broken,
}

impl Progress {
    fn of(error: &SessionError) -> Self {
        match error {
            SessionError::NoAddress | SessionError::Opening(_) | SessionError::Answer(ServiceError::McpError(_)) => {
                Self::Refused
            }
            SessionError::Answer(ServiceError::TransportSend(error)) => match error.error.downcast_ref() {
                Some(StreamableHttpError::Client(WireError::NotConnected(_) | WireError::Unsendable(_))) => {
                    Self::NotSent
                }
                Some(StreamableHttpError::Client(WireError::Status(_))) => Self::Refused,
                Some(_) | None => Self::Broken,
            },
            SessionError::Answer(_) => Self::Broken,
        }
    }
}
