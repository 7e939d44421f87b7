//! The contract: every answer must be documented, with its status, its content type, its headers and every member of its body.

use http::HeaderMap;
use serde_json::{Value, json};

use crate::document::{Document, Operation};
use crate::headers;
use crate::schema::Schemas;
use crate::sse::Events;
use crate::violation::Violation;

const MANAGEMENT: &str = include_str!("../../../openapi/management.json");
const GATEWAY: &str = include_str!("../../../openapi/gateway.json");

/// What reports call the document of the management API.
const MANAGEMENT_NAME: &str = "management";

/// Both OpenAPI documents.
#[derive(Debug)]
pub struct Contract {
    documents: [Document; 2],
    schemas: Schemas,
}

/// A request, as far as an answer is judged by it, and its answer.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path, with or without a query.
    pub path: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body: of a stream of events, all of it.
    pub body: &'a [u8],
}

impl Contract {
    /// The contract of these documents.
    #[must_use]
    pub fn new(management: Value, gateway: Value) -> Self {
        let documents = [Document::new(MANAGEMENT_NAME, management), Document::new("gateway", gateway)];
        Self { documents, schemas: Schemas::default() }
    }

    /// The contract as it is published.
    ///
    /// # Errors
    /// When an embedded document is no JSON, which its tests rule out.
    pub fn published() -> Result<Self, serde_json::Error> {
        Ok(Self::new(serde_json::from_str(MANAGEMENT)?, serde_json::from_str(GATEWAY)?))
    }

    /// The document of the management API, and the gateway's.
    #[must_use]
    pub const fn documents(&self) -> &[Document; 2] {
        &self.documents
    }

    /// The operation of an id, and its document.
    #[must_use]
    pub fn operation(&self, id: &str) -> Option<(&Document, &Operation)> {
        let mut all =
            self.documents.iter().flat_map(|document| document.operations().iter().map(move |it| (document, it)));
        all.find(|(_, operation)| operation.id == id)
    }

    /// What of an answer is not as documented.
    #[must_use]
    pub fn check(&self, exchange: &Exchange<'_>) -> Vec<Violation> {
        let mut found = self.check_head(exchange);
        match self.expected(exchange) {
            Expected::Nowhere(document, schema) => found.extend(self.check_json(document, &schema, exchange.body)),
            Expected::Passed => {}
            Expected::Answer(document, operation, response) => {
                found.extend(self.check_body(exchange, document, operation, response));
            }
            Expected::Undocumented(violation) => found.push(violation),
        }
        found
    }

    /// What of an answer's headers is not as documented; and its status, and its content type.
    #[must_use]
    pub fn check_head(&self, exchange: &Exchange<'_>) -> Vec<Violation> {
        let required = headers::REQUIRED.iter().map(|name| (*name).to_owned());
        let mut wanted: Vec<String> = required.collect();
        let mut found = Vec::new();
        match self.expected(exchange) {
            Expected::Nowhere(..) | Expected::Passed => {}
            Expected::Undocumented(violation) => found.push(violation),
            Expected::Answer(_, operation, response) => {
                let declared = response.get("headers").and_then(Value::as_object).into_iter().flatten();
                wanted.extend(declared.filter(|(_, header)| is_sure(header)).map(|(name, _)| name.clone()));
                let names = exchange.headers.keys().map(|name| name.as_str());
                let unknown = names.filter(|name| !headers::is_known(name, exchange.status, operation));
                found.extend(unknown.map(|name| Violation::Header(name.to_owned())));
                found.extend(undocumented_media(exchange, response));
            }
        }
        let missing = wanted.into_iter().filter(|name| !exchange.headers.contains_key(name));
        found.extend(missing.map(Violation::MissingHeader));
        found
    }

    /// What of the data of an event is not as documented: it is a piece of the answer, or an error.
    #[must_use]
    pub fn check_event(&self, method: &str, path: &str, data: &str) -> Vec<Violation> {
        let Some((document, operation)) = self.find(method, path) else { return vec![Violation::Operation] };
        if matches!(data, "" | "[DONE]") {
            return Vec::new();
        }
        let Ok(value) = serde_json::from_str::<Value>(data) else { return vec![Violation::Unreadable("JSON")] };
        // An error in the voice of its path; in the events of responses, which have a form of their own, our envelope is within.
        let error = value.get("error").filter(|error| error.is_object());
        let is_within = error.is_some_and(|error| error.get("event_id").is_some_and(Value::is_string));
        let (status, media) = if error.is_some() { ("500", "application/json") } else { ("200", "text/event-stream") };
        let schema = operation.response(status).and_then(|response| schema_of(response, media));
        let Some(schema) = schema else { return vec![Violation::ContentType(media.to_owned())] };
        let judged = error.filter(|_| is_within && value.get("event_id").is_none()).unwrap_or(&value);
        self.schemas.check(document, schema, judged)
    }

    fn expected<'a>(&'a self, exchange: &Exchange<'_>) -> Expected<'a> {
        let Some((document, operation)) = self.find(exchange.method, exchange.path) else {
            let [_, gateway] = &self.documents;
            let schema = json!({ "$ref": format!("#/components/schemas/{}", error_at(exchange.path)) });
            return match exchange.status {
                404 | 405 => Expected::Nowhere(gateway, schema),
                _ => Expected::Undocumented(Violation::Operation),
            };
        };
        let from_provider = exchange.headers.get("x-keyward-error-source").is_some_and(|source| source == "provider");
        let class = format!("{}XX", exchange.status / 100);
        let status = if from_provider { class } else { exchange.status.to_string() };
        match operation.response(&status) {
            None => Expected::Undocumented(Violation::Status),
            Some(_) if from_provider => Expected::Passed,
            Some(response) => Expected::Answer(document, operation, response),
        }
    }

    fn find(&self, method: &str, path: &str) -> Option<(&Document, &Operation)> {
        let found = self.documents.iter().filter_map(|document| Some((document, document.operation_at(method, path)?)));
        found.min_by_key(|(_, operation)| operation.template.contains('{'))
    }

    fn check_body(
        &self,
        exchange: &Exchange<'_>,
        document: &Document,
        operation: &Operation,
        response: &Value,
    ) -> Vec<Violation> {
        let media = media(exchange.headers);
        let Some(schema) = schema_of(response, &media) else {
            // Without a documented body there is nothing to hold it against; that there is none, there is.
            let is_bare = response.get("content").is_none();
            return if is_bare && !exchange.body.is_empty() { vec![Violation::Body] } else { Vec::new() };
        };
        match media.as_str() {
            "application/json" => {
                let mut found = self.check_json(document, schema, exchange.body);
                // What a provider counts is its own.
                let is_ours = document.name() == MANAGEMENT_NAME || exchange.status >= 400;
                found.extend(is_ours.then(|| contradictions(exchange)).into_iter().flatten());
                found
            }
            "text/event-stream" => self.check_events(exchange, operation),
            "text/plain" | "text/csv" | "application/x-jsonl" => match std::str::from_utf8(exchange.body) {
                Ok(_) => Vec::new(),
                Err(_) => vec![Violation::Unreadable("text")],
            },
            _ => Vec::new(),
        }
    }

    fn check_json(&self, document: &Document, schema: &Value, body: &[u8]) -> Vec<Violation> {
        match serde_json::from_slice(body) {
            Ok(value) => self.schemas.check(document, schema, &value),
            Err(_) => vec![Violation::Unreadable("JSON")],
        }
    }

    fn check_events(&self, exchange: &Exchange<'_>, operation: &Operation) -> Vec<Violation> {
        let mut events = Events::default();
        let read = events.push(exchange.body).and_then(|read| events.finish().map(|()| read));
        match read {
            Ok(read) => {
                let check = |data: &str| self.check_event(&operation.method, exchange.path, data);
                read.iter().flat_map(|event| check(&event.data)).collect()
            }
            Err(malformed) => vec![Violation::Event(malformed.to_string())],
        }
    }
}

/// What an answer is held against.
enum Expected<'a> {
    /// There is no such operation: an error in this form.
    Nowhere(&'a Document, Value),
    /// A provider's error, which passes as it is.
    Passed,
    /// What the operation says of the status.
    Answer(&'a Document, &'a Operation, &'a Value),
    /// Nothing.
    Undocumented(Violation),
}

/// Whether a documented header is in every such answer.
fn is_sure(header: &Value) -> bool {
    header.get("required") != Some(&Value::Bool(false))
}

/// The content type of an answer, without parameters.
fn media(headers: &HeaderMap) -> String {
    let text = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_owned()
}

fn schema_of<'a>(response: &'a Value, media: &str) -> Option<&'a Value> {
    response.get("content")?.get(media)?.get("schema")
}

fn undocumented_media(exchange: &Exchange<'_>, response: &Value) -> Option<Violation> {
    let media = media(exchange.headers);
    let content = response.get("content")?.as_object()?;
    (!content.contains_key(&media)).then_some(Violation::ContentType(media))
}

/// The schema of errors where nothing is.
fn error_at(path: &str) -> &'static str {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
    match path {
        _ if begins(&["/anthropic/", "/v1/messages"]) => "AnthropicError",
        _ if begins(&["/genai/", "/v1beta/"]) => "GeminiError",
        _ => "ErrorBody",
    }
}

/// Where an answer contradicts itself: no schema can say these.
fn contradictions(exchange: &Exchange<'_>) -> Vec<Violation> {
    let Ok(body) = serde_json::from_slice::<Value>(exchange.body) else { return Vec::new() };
    let mut found = Vec::new();
    let status = body.get("status_code").and_then(Value::as_u64);
    if status.is_some_and(|status| status != u64::from(exchange.status)) {
        found.push(format!("status_code is not the status, {}", exchange.status));
    }
    let id = exchange.headers.get("x-request-id").and_then(|id| id.to_str().ok());
    if body.get("event_id").is_some_and(|event| event.as_str() != id) {
        found.push("event_id is not the x-request-id".to_owned());
    }
    found.extend(miscounted(&body));
    found.into_iter().map(Violation::Contradiction).collect()
}

/// Whether a page says that it has another number of elements than it has, or more than there are in all.
fn miscounted(body: &Value) -> Option<String> {
    let count = body.get("count").or(body.get("total"))?.as_u64()?;
    let mut lists = body.as_object()?.values().filter_map(Value::as_array);
    let (list, None) = (lists.next()?, lists.next()) else { return None };
    let there = u64::try_from(list.len()).unwrap_or(u64::MAX);
    let total = body.get("total_count").and_then(Value::as_u64);
    if count != there {
        return Some(format!("the page says that it has {count} elements, and has {there}"));
    }
    let total = total.filter(|total| *total < there)?;
    Some(format!("total_count is {total}, and {there} are on this page alone"))
}
