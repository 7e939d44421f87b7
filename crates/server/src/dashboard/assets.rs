//! What pages load: a stylesheet, a script and an icon, compiled in. A name has the hash of what it stands for, so that browsers may
//! keep it for ever.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpResponse, route, web};
use keyward_core::error_code::ErrorCode;
use sha2::{Digest as _, Sha256};

use crate::auth::Open;
use crate::error::ApiError;

/// A file, and where it is.
pub(super) struct Asset {
    /// Its path, with the hash in it.
    pub(super) path: String,
    kind: &'static str,
    content: String,
}

impl Asset {
    fn new(name: &str, ending: &str, kind: &'static str, parts: &[&str]) -> Self {
        let content = parts.join("\n");
        let hash: String = Sha256::digest(&content).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { path: format!("/assets/{name}-{hash}.{ending}"), kind, content }
    }
}

pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("keyward", "css", "text/css; charset=utf-8", &[include_str!("assets/keyward.css")]));

/// One script of several files: each is about one thing, and uses those before it.
pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let parts = [
        include_str!("assets/js/time.js"),
        include_str!("assets/js/theme.js"),
        include_str!("assets/js/form_json.js"),
        include_str!("assets/js/forms.js"),
        include_str!("assets/js/lists.js"),
        include_str!("assets/js/choices.js"),
        include_str!("assets/js/dialogs.js"),
        include_str!("assets/js/live.js"),
        include_str!("assets/js/bulk.js"),
        include_str!("assets/js/elements.js"),
        include_str!("assets/js/playground/meters.js"),
        include_str!("assets/js/playground/saying.js"),
        include_str!("assets/js/playground/sending.js"),
        include_str!("assets/js/playground/flow.js"),
    ];
    Asset::new("keyward", "js", "text/javascript; charset=utf-8", &parts)
});

pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", &[include_str!("assets/icon.svg")]));

#[route("/assets/{name}", method = "GET", method = "HEAD")]
pub(super) async fn asset(_: Open, name: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let path = format!("/assets/{name}");
    let found = [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.path == path);
    let found = found.ok_or_else(|| ApiError::new(ErrorCode::NotFound, format!("There is nothing at GET {path}")))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, found.kind))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(found.content.as_str()))
}
