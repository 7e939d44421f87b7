//! The OpenAPI documents: collected from the very declarations that the router is made of.

use keyward_core::error_body::{
    AnthropicError, AnthropicErrorDetail, ErrorBody, ErrorDetail, ErrorExtra, GeminiError, GeminiErrorDetail,
    GeminiErrorInfo,
};
use keyward_core::ledger::{LedgerFormat, LedgerOrder};
use keyward_core::refusal::LimitRefusal;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::auth::presented::SESSION_COOKIE;
use crate::routes::Routes;
use crate::{api, gateway, health, mcp};

mod aliases;
mod bounds;
mod conventions;
mod examples;
mod schemas;
mod wording;

/// Which of the two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Document {
    /// The management API, health and metrics.
    Management,
    /// The gateway.
    Gateway,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keyward management API",
        description = "Virtual keys, teams, customers, and providers. Amounts of money are US dollars, instants are RFC 3339.",
        contact(name = "Keyward", url = "https://github.com/keyward/keyward"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "http://127.0.0.1:8080", description = "A server on this machine")),
    tags(
        (name = "virtual keys", description = "The credentials that applications hold."),
        (name = "teams", description = "Owners of virtual keys."),
        (name = "customers", description = "Owners of teams and virtual keys."),
        (name = "budgets and rate limits", description = "The limits of all owners, to read."),
        (name = "providers", description = "Upstreams and their real credentials."),
        (name = "model configs", description = "Limits of models, for everybody or for one virtual key."),
        (name = "provider governance", description = "Limits of providers, for everybody."),
        (name = "pricing overrides", description = "Prices in place of the catalogue's."),
        (name = "routing rules", description = "What decides where requests go."),
        (name = "MCP clients", description = "Servers of tools, and which virtual keys may use them, at `/mcp` of the gateway."),
        (name = "events", description = "What others are told when usage comes near to a cap."),
        (name = "usage", description = "What was spent, by whom and on what; the ledger; when budgets will be used up."),
        (name = "audit", description = "Who changed what."),
        (name = "configuration", description = "What the server's clients may do, and who may manage."),
        (name = "sessions", description = "The administrator's logins."),
        (name = "management keys", description = "Credentials for programs that manage."),
        (name = "operations", description = "Health and metrics."),
    ),
    components(schemas(ErrorBody, ErrorDetail, ErrorExtra, LedgerFormat, LedgerOrder, LimitRefusal)),
    modifiers(&Managing, &Calling),
)]
struct Management;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keyward gateway",
        description = "Inference through virtual keys, in the providers' own dialects.",
        contact(name = "Keyward", url = "https://github.com/keyward/keyward"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "http://127.0.0.1:8080", description = "A server on this machine")),
    tags(
        (name = "inference", description = "Requests that go to a provider."),
        (name = "models", description = "What a virtual key may use."),
        (name = "tools", description = "Tools of MCP servers."),
    ),
    components(schemas(
        ErrorBody,
        ErrorDetail,
        ErrorExtra,
        LimitRefusal,
        AnthropicError,
        AnthropicErrorDetail,
        GeminiError,
        GeminiErrorDetail,
        GeminiErrorInfo,
    )),
    modifiers(&Calling),
)]
struct Gateway;

/// How callers of the management API authenticate.
struct Managing;

impl Modify for Managing {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let admin = HttpBuilder::new().scheme(HttpAuthScheme::Basic).description(Some(
            "The admin's user name and password. Without one configured, every program on the server's machine may manage.",
        ));
        components.add_security_scheme("admin", SecurityScheme::Http(admin.build()));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "A management key, or the token of a session. `x-api-key` carries a management key too.",
        ));
        let cookie = ApiKeyValue::with_description(SESSION_COOKIE, "The token of a session, as a login sets it.");
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// How holders of virtual keys authenticate.
struct Calling;

impl Modify for Calling {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let virtual_key = ApiKeyValue::with_description(
            "x-bf-vk",
            "A virtual key. Authorization (Bearer), x-api-key, x-goog-api-key and api-key carry one too.",
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("virtual_key", SecurityScheme::ApiKey(ApiKey::Header(virtual_key)));
    }
}

impl Document {
    /// The document, as the router has it.
    #[must_use]
    pub fn collect(self) -> utoipa::openapi::OpenApi {
        match self {
            Self::Management => {
                aliases::shown(finished(conventions::applied(collect(Management::openapi(), |routes| {
                    api::routes(routes);
                    health::routes(routes);
                }))))
            }
            Self::Gateway => aliases::of_gateway(finished(collect(Gateway::openapi(), |routes| {
                gateway::routes(routes);
                mcp::routes(routes);
            }))),
        }
    }
}

/// What is done for every operation of both.
fn finished(document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    examples::shown(bounds::bounded(wording::worded(document)))
}

fn collect(mut document: utoipa::openapi::OpenApi, list: impl FnOnce(&mut Routes<'_>)) -> utoipa::openapi::OpenApi {
    list(&mut Routes::Documented(&mut document));
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    document
}
