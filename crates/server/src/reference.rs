//! The interactive reference at `/docs/`: Swagger UI on the two API documents, all of it in the binary. It asks nobody else for
//! anything.

use std::sync::{Arc, OnceLock};

use actix_web::http::header::{self, ContentType};
use actix_web::{HttpResponse, get, web};
use bytes::Bytes;
use keyward_core::error_code::ErrorCode;
use utoipa_swagger_ui::{Config, Url, serve};

use crate::auth::Open;
use crate::error::ApiError;
use crate::openapi::Document;

/// What the pages may load: what comes from here. Swagger UI styles single elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The pages and the documents, which are made when somebody asks for them.
pub(crate) struct Reference {
    pages: Arc<Config<'static>>,
    management: OnceLock<Bytes>,
    gateway: OnceLock<Bytes>,
}

impl Reference {
    pub(crate) fn new() -> Self {
        // Where they are as seen from the page: a copy of all files works anywhere.
        let documents = [
            Url::with_primary("Management API", "openapi/management.json", true),
            Url::new("Gateway", "openapi/gateway.json"),
        ];
        let pages = Config::new(documents)
            .validator_url("none")
            .deep_linking(true)
            .display_operation_id(true)
            .doc_expansion("none")
            .filter(true)
            .persist_authorization(false);
        Self { pages: Arc::new(pages), management: OnceLock::new(), gateway: OnceLock::new() }
    }

    fn document(&self, document: Document) -> Result<Bytes, serde_json::Error> {
        let kept = match document {
            Document::Management => &self.management,
            Document::Gateway => &self.gateway,
        };
        match kept.get() {
            Some(bytes) => Ok(bytes.clone()),
            None => {
                let bytes = Bytes::from(serde_json::to_vec(&document.collect())?);
                Ok(kept.get_or_init(|| bytes).clone())
            }
        }
    }
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(door).service(management).service(gateway).service(page);
}

#[get("/docs")]
async fn door(_: Open) -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

#[get("/docs/openapi/management.json")]
async fn management(_: Open, reference: web::Data<Reference>) -> Result<HttpResponse, ApiError> {
    document(&reference, Document::Management)
}

#[get("/docs/openapi/gateway.json")]
async fn gateway(_: Open, reference: web::Data<Reference>) -> Result<HttpResponse, ApiError> {
    document(&reference, Document::Gateway)
}

fn document(reference: &Reference, document: Document) -> Result<HttpResponse, ApiError> {
    let written = reference.document(document);
    let bytes =
        written.map_err(|error| ApiError::new(ErrorCode::Internal, "The document cannot be written").because(error))?;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(bytes))
}

#[get("/docs/{file:.*}")]
async fn page(_: Open, file: web::Path<String>, reference: web::Data<Reference>) -> Result<HttpResponse, ApiError> {
    let lost = |error: Box<dyn std::error::Error>| {
        ApiError::new(ErrorCode::Internal, "The page cannot be written").because(error.to_string())
    };
    let found = serve(&file, Arc::clone(&reference.pages)).map_err(lost)?;
    let found =
        found.ok_or_else(|| ApiError::new(ErrorCode::NotFound, format!("There is nothing at GET /docs/{file}")))?;
    Ok(HttpResponse::Ok()
        .content_type(found.content_type)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .body(found.bytes.into_owned()))
}
