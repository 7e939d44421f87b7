//! Paths of earlier generations of the API: the router serves them with the same handlers, and the document shows them as
//! deprecated.

use utoipa::openapi::{Deprecated, OpenApi};

/// Each path, and the one that it had before.
const ALIASES: [(&str, &str); 2] = [
    ("/api/routing/rules", "/api/governance/routing-rules"),
    ("/api/routing/rules/{rule_id}", "/api/governance/routing-rules/{rule_id}"),
];

/// The document with the earlier paths in it.
pub(super) fn shown(mut document: OpenApi) -> OpenApi {
    for (path, alias) in ALIASES {
        let Some(mut item) = document.paths.paths.get(path).cloned() else { continue };
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            operation.deprecated = Some(Deprecated::True);
            operation.operation_id = operation.operation_id.take().map(|id| format!("{id}_alias"));
        }
        document.paths.paths.insert(alias.to_owned(), item);
    }
    document
}
