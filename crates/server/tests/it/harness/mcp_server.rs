//! A real MCP server: rmcp's, with sessions, on a port of loopback. It remembers what it was asked, and with which headers.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use http_body_util::{BodyDataStream, Full};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{RoleServer, ServerHandler};
use serde_json::json;
use tokio_util::task::TaskTracker;

/// The tools that it has.
const TOOLS: [&str; 6] = ["echo", "count", "fail", "sorry", "never", "read-all"];

/// An MCP server that is running.
pub struct McpServer {
    address: SocketAddr,
    handle: ServerHandle,
    seen: Arc<Seen>,
}

/// What it was asked.
#[derive(Default)]
struct Seen {
    calls: Mutex<Vec<String>>,
    lists: AtomicUsize,
    authorizations: Mutex<Vec<String>>,
}

type Service = StreamableHttpService<Tools, LocalSessionManager>;

impl McpServer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Seen> = Arc::default();
        let (shared, config) = (seen.clone(), StreamableHttpServerConfig::default());
        let tools = move || Ok(Tools { seen: shared.clone(), calls: AtomicUsize::new(0) });
        let service = web::Data::new(Service::new(tools, Arc::default(), config));
        let server = HttpServer::new(move || App::new().app_data(service.clone()).default_service(web::to(serve)));
        let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        let handle = server.handle();
        TaskTracker::new().spawn(server);
        Self { address, handle, seen }
    }

    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// The calls that came, as tool and arguments.
    pub fn calls(&self) -> Vec<String> {
        self.seen.calls.lock().unwrap().clone()
    }

    /// How often its tools were asked for.
    pub fn lists(&self) -> usize {
        self.seen.lists.load(Ordering::Acquire)
    }

    /// The credentials that came with calls.
    pub fn authorizations(&self) -> Vec<String> {
        self.seen.authorizations.lock().unwrap().clone()
    }

    pub async fn stop(&self) {
        self.handle.stop(false).await;
    }
}

async fn serve(request: HttpRequest, service: web::Data<Service>, body: web::Bytes) -> HttpResponse {
    let mut message = http::Request::builder().method(request.method().as_str()).uri("/mcp");
    for (name, value) in request.headers() {
        message = message.header(name.as_str(), value.as_bytes());
    }
    let (head, body) = service.handle(message.body(Full::new(body)).unwrap()).await.into_parts();
    let mut answer = HttpResponse::build(head.status.as_u16().try_into().unwrap());
    for (name, value) in &head.headers {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    answer.streaming(BodyDataStream::new(body))
}

/// The tools of one session.
struct Tools {
    seen: Arc<Seen>,
    calls: AtomicUsize,
}

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.seen.lists.fetch_add(1, Ordering::AcqRel);
        let schema = || json!({ "type": "object" }).as_object().cloned().unwrap();
        let tools = TOOLS.map(|name| Tool::new(name, format!("Does {name}"), schema()));
        Ok(ListToolsResult::with_all_items(tools.into()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = serde_json::to_string(&request.arguments).unwrap();
        self.seen.calls.lock().unwrap().push(format!("{} {arguments}", request.name));
        let parts = context.extensions.get::<http::request::Parts>().unwrap();
        let authorization = parts.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        self.seen.authorizations.lock().unwrap().extend(authorization);
        let text = match request.name.as_ref() {
            "count" => (self.calls.fetch_add(1, Ordering::AcqRel) + 1).to_string(),
            "fail" => return Err(ErrorData::internal_error("the disk is full", None)),
            "sorry" => return Ok(CallToolResult::error(vec![ContentBlock::text("no such file")]).into()),
            "never" => std::future::pending().await,
            name => format!("{name} {arguments}"),
        };
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
    }
}
