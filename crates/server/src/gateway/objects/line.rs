//! The lines of a file for a batch: each is one request, read before the file leaves.

use bytes::{BufMut, Bytes, BytesMut};
use keyward_core::error_code::ErrorCode;
use keyward_core::operation::Operation;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::collected::Collected;
use crate::error::ApiError;
use crate::gateway::scan::span;
use crate::json::parse;

/// The paths that requests in a batch may be for.
const PATHS: [(&str, Operation); 5] = [
    ("/v1/chat/completions", Operation::ChatCompletions),
    ("/v1/completions", Operation::Completions),
    ("/v1/responses", Operation::Responses),
    ("/v1/embeddings", Operation::Embeddings),
    ("/v1/moderations", Operation::Moderations),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(rename = "custom_id")]
    _custom_id: IgnoredAny,
    method: String,
    url: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// What the file is for, and the file as the provider shall get it.
pub(super) struct Written {
    pub(super) endpoint: &'static str,
    pub(super) content: Bytes,
}

/// The operation that an endpoint of a batch is.
pub(super) fn operation(endpoint: &str) -> Option<Operation> {
    PATHS.into_iter().find(|(path, _)| *path == endpoint).map(|(_, operation)| operation)
}

/// Reads a file for a batch.
///
/// # Errors
/// The first line that would be refused on its own, by its number.
pub(super) fn read(content: &Bytes, collected: &mut Collected<'_>) -> Result<Written, ApiError> {
    let mut written = BytesMut::with_capacity(content.len());
    let mut endpoint = None;
    for (index, line) in content.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            written.put_slice(line);
            continue;
        }
        let taken = take(content, line, &mut endpoint, collected, &mut written);
        taken.map_err(|error| error.within(format_args!("line {}", index + 1)).at("/file"))?;
    }
    let endpoint =
        endpoint.ok_or_else(|| ApiError::new(ErrorCode::InvalidRequest, "The file has no line").at("/file"))?;
    Ok(Written { endpoint, content: written.freeze() })
}

fn take(
    content: &Bytes,
    line: &[u8],
    endpoint: &mut Option<&'static str>,
    collected: &mut Collected<'_>,
    written: &mut BytesMut,
) -> Result<(), ApiError> {
    let invalid = |message: String| ApiError::new(ErrorCode::InvalidRequest, message);
    let Line { _custom_id: _, method, url, body } = parse(line)?;
    if method != "POST" {
        return Err(invalid(format!("method must be 'POST', not '{method}'")));
    }
    let known = PATHS.into_iter().find(|(path, _)| *path == url);
    let (path, operation) = known.ok_or_else(|| {
        let paths = PATHS.map(|(path, _)| path).join(", ");
        invalid(format!("url must be one of {paths}, not '{url}'"))
    })?;
    if *endpoint.get_or_insert(path) != path {
        return Err(invalid(format!("its url is '{url}', and another one in lines before")));
    }
    let at = span(line, body).ok_or_else(|| ApiError::new(ErrorCode::Internal, "The line was copied"))?;
    let spliced = collected.take(operation, &content.slice_ref(body.get().as_bytes()))?;
    written.put_slice(line.get(..at.start).unwrap_or_default());
    spliced.iter().for_each(|piece| written.put_slice(piece));
    written.put_slice(line.get(at.end..).unwrap_or_default());
    Ok(())
}
