//! Paths that are served by the handlers of others. Those of earlier generations of the management API are shown as deprecated;
//! those of the gateway are as good as the ones that they stand for.

use utoipa::openapi::{Deprecated, OpenApi};

/// Each path, and the one that it had before.
const ALIASES: [(&str, &str); 2] = [
    ("/api/routing/rules", "/api/governance/routing-rules"),
    ("/api/routing/rules/{rule_id}", "/api/governance/routing-rules/{rule_id}"),
];

/// What paths of the gateway begin with, and what they may begin with instead.
const PREFIXES: [(&str, &[&str]); 4] = [
    ("/v1/", &["/openai/v1/"]),
    ("/anthropic/v1/messages", &["/v1/messages"]),
    ("/genai/v1beta/models/{model}:", &["/v1beta/models/{model}:", "/genai/v1/models/{model}:", "/v1/models/{model}:"]),
    ("/genai/v1beta/", &["/v1beta/", "/genai/v1/"]),
];

/// The management API's document with the earlier paths in it.
pub(super) fn shown(mut document: OpenApi) -> OpenApi {
    for (path, alias) in ALIASES {
        add(&mut document, path, alias.to_owned(), "alias", Deprecated::True);
    }
    document
}

/// The gateway's document with every path in it that its router serves.
pub(super) fn of_gateway(mut document: OpenApi) -> OpenApi {
    let paths: Vec<String> = document.paths.paths.keys().cloned().collect();
    for path in paths {
        let of_prefix =
            |(prefix, others): &(&str, &'static [&str])| Some((path.strip_prefix(prefix)?.to_owned(), *others));
        let Some((rest, others)) = PREFIXES.iter().find_map(of_prefix) else { continue };
        for (index, other) in others.iter().enumerate() {
            let number = if index == 0 { String::new() } else { format!("_{}", index + 1) };
            add(&mut document, &path, format!("{other}{rest}"), &format!("alias{number}"), Deprecated::False);
        }
    }
    document
}

fn add(document: &mut OpenApi, path: &str, alias: String, suffix: &str, deprecated: Deprecated) {
    if let Some(mut item) = document.paths.paths.get(path).cloned() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            operation.deprecated = Some(deprecated.clone()).filter(|it| matches!(it, Deprecated::True));
            operation.operation_id = operation.operation_id.take().map(|id| format!("{id}_{suffix}"));
        }
        document.paths.paths.insert(alias, item);
    }
}
