//! The one list of operations, read in two ways: to serve them, and to write them down in a document.

use actix_web::dev::HttpServiceFactory;
use actix_web::web;
use utoipa::openapi::OpenApi;
use utoipa_actix_web::OpenApiFactory;

/// What is done with each operation. A worker that begins to serve makes no document: that takes more memory than all else that it has.
pub(crate) enum Routes<'a> {
    /// It is served.
    Served(&'a mut web::ServiceConfig),
    /// It is written down.
    Documented(&'a mut OpenApi),
}

impl Routes<'_> {
    /// Adds an operation.
    pub(crate) fn service(&mut self, operation: impl HttpServiceFactory + OpenApiFactory + 'static) -> &mut Self {
        match self {
            Self::Served(config) => {
                config.service(operation);
            }
            Self::Documented(document) => {
                let mut schemas = Vec::new();
                operation.schemas(&mut schemas);
                document.paths.merge(operation.paths());
                document.components.get_or_insert_default().schemas.extend(schemas);
            }
        }
        self
    }

    /// Adds what a list of operations has.
    pub(crate) fn configure(&mut self, list: impl FnOnce(&mut Self)) -> &mut Self {
        list(self);
        self
    }
}
