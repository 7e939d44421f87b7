//! Paths that are served by the handlers of others. Those of earlier generations of the management API are shown as deprecated;
//! those of the gateway are as good as the ones that they stand for.

use utoipa::openapi::{Deprecated, OpenApi};

/// Each path, and the one that it had before.
const ALIASES: [(&str, &str); 2] = [
    ("/api/routing/rules", "/api/governance/routing-rules"),
    ("/api/routing/rules/{rule_id}", "/api/governance/routing-rules/{rule_id}"),
];

/// What paths of the gateway begin with, and what they may begin with instead.
const PREFIXES: [(&str, &str); 3] =
    [("/v1/", "/openai/v1/"), ("/anthropic/v1/messages", "/v1/messages"), ("/genai/v1beta/", "/v1beta/")];

/// The management API's document with the earlier paths in it.
pub(super) fn shown(mut document: OpenApi) -> OpenApi {
    for (path, alias) in ALIASES {
        add(&mut document, path, alias.to_owned(), Deprecated::True);
    }
    document
}

/// The gateway's document with every path in it that its router serves.
pub(super) fn of_gateway(mut document: OpenApi) -> OpenApi {
    let paths: Vec<String> = document.paths.paths.keys().cloned().collect();
    for path in paths {
        let alias = |(prefix, other): &(&str, &str)| Some(format!("{other}{}", path.strip_prefix(prefix)?));
        if let Some(alias) = PREFIXES.iter().find_map(alias) {
            add(&mut document, &path, alias, Deprecated::False);
        }
    }
    document
}

fn add(document: &mut OpenApi, path: &str, alias: String, deprecated: Deprecated) {
    if let Some(mut item) = document.paths.paths.get(path).cloned() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            operation.deprecated = Some(deprecated.clone()).filter(|it| matches!(it, Deprecated::True));
            operation.operation_id = operation.operation_id.take().map(|id| format!("{id}_alias"));
        }
        document.paths.paths.insert(alias, item);
    }
}
