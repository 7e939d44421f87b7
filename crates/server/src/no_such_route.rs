//! What answers requests that no route takes.

use std::sync::OnceLock;

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use keyward_core::error_code::ErrorCode;
use utoipa::openapi::path::PathItem;

use crate::error::ApiError;
use crate::openapi::Document;

/// Which methods each path has, as the router's own declarations say. They are looked at when somebody asks for what is not there.
#[derive(Default)]
pub(crate) struct Methods(OnceLock<Vec<(ResourceDef, Vec<Method>)>>);

impl Methods {
    /// Those of every route of the server.
    fn of_routes() -> Vec<(ResourceDef, Vec<Method>)> {
        let paths = [Document::Management, Document::Gateway].map(|document| document.collect().paths.paths);
        paths.into_iter().flatten().map(|(path, item)| (ResourceDef::new(path), methods(&item))).collect()
    }

    /// The methods that a path has; none: there is nothing at that path. A path that is declared word for word is that one, and
    /// not also the value of a parameter.
    fn at(&self, path: &str) -> &[Method] {
        let all = self.0.get_or_init(Self::of_routes);
        let exact = all.iter().find(|(pattern, _)| pattern.pattern() == Some(path));
        let found = exact.or_else(|| all.iter().find(|(pattern, _)| pattern.is_match(path)));
        found.map(|(_, methods)| methods.as_slice()).unwrap_or_default()
    }
}

fn methods(item: &PathItem) -> Vec<Method> {
    let declared = [
        (Method::GET, &item.get),
        (Method::POST, &item.post),
        (Method::PUT, &item.put),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ];
    declared.into_iter().filter(|(_, operation)| operation.is_some()).map(|(method, _)| method).collect()
}

/// Says that there is nothing at the path, or which methods it has.
pub(crate) async fn no_such_route(request: HttpRequest, routes: web::Data<Methods>) -> Result<HttpResponse, ApiError> {
    let methods = routes.at(request.path());
    let message = format!("There is nothing at {} {}", request.method(), request.path());
    if methods.is_empty() {
        return Err(ApiError::new(ErrorCode::NotFound, message));
    }
    let allowed = methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
    Err(ApiError::new(ErrorCode::MethodNotAllowed, message).allowing(allowed))
}
